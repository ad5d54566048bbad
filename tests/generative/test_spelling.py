"""What is seen to be right at a glance is right: the strict readers say the same of it."""

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.checking import check_evidence, facts_of, found_of, read_entry
from client.errors import RefutedError
from client.glance import Glance
from domain.codec import decode, json_schema
from domain.spelling import spelling_of_data
from domain.topics import EVENTS
from ledger.entry import Entry
from ledger.envelope import Envelope, keyid_of, sign_payload
from ledger.errors import EnvelopeError
from ledger.jcs import canonical, parse_canonical
from ledger.spelling import Spelling, verify_signed
from tests.tamper.drawn_log import drawn_log, private_key
from tests.unit.client.signed_log import CLINIC, ORIGIN, author

GOLDEN = Path(__file__).parents[1] / "golden" / "events"
LOG = drawn_log(11, 220)
LINES = [(line.raw, line.envelope) for line in LOG.lines]
NAMED = re.compile(rb'"envelope":"[0-9a-f]{64}"')
KEYS = {
    keyid_of(public): public
    for raw, _ in LINES
    for data in [Entry.decode(raw).data]
    if data.get("public_key")
    for public in [bytes.fromhex(data["public_key"])]
}
SIGNED = [
    (raw, envelope)
    for raw, envelope in LINES
    if Entry.decode(raw).author.keyid == author(CLINIC).keyid and b'"index":' not in envelope
]
NEVER_SEEN = {"log.key-introduced.v1", "log.key-retired.v1", "log.succeeded.v1"}
"""Their data hold whole notes, in which JSON escapes line feeds."""

POOL = st.sampled_from(
    [
        *(b'"', b"\\", b",", b"{,", b"{}", b"[]", b"null", b"true", b"-0", b"1.0", b"01", b"1e3"),
        *(b"9007199254740992", b'""', b'"a"', b'" a"', b'"\xc2\x85"', b"\xed\xa0\x80", b"\xff"),
        *(b'"derived":{},', b',"derived":{}', b'"v":1', b"2026-02-30", b"0000-01-01", b"\x7f"),
        *("七".encode(), "𠮷".encode(), b"\\u4e03", b'"\\n"', b"A", b"f", b"0", b" ", b"\n"),
    ]
)


def golden_data(topic):
    return json.loads((GOLDEN / f"{topic}.json").read_text())["example"]


def written(maker, signed):
    """A dose whose entry names this maker, and whose author signed that one."""
    raw, envelope = next(one for one in SIGNED if b'"maker":' in one[0])
    entry, statement = Entry.decode(raw), orjson.loads(Envelope.decode(envelope).payload)
    statement["data"]["maker"] = signed
    evidence = sign_payload(canonical(statement), private_key(CLINIC)).encode()
    named = replace(entry.author, envelope=sha256(evidence).hexdigest())
    return replace(entry, author=named, data={**entry.data, "maker": maker}).encode(), evidence


def matcher(topic):
    return re.compile(spelling_of_data(json_schema(EVENTS[topic]))).fullmatch


@st.composite
def altered(draw, raw):
    """Bytes with a few pieces put in, taken out, doubled or exchanged."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(len(raw), start + 40)))
        raw = raw[:start] + draw(POOL | st.just(b"") | st.just(raw[start:end] * 2)) + raw[end:]
    return raw


def see(raw, envelope):
    """What is seen at a glance, where the signature holds."""
    seen = Glance(ORIGIN).see(raw, envelope, KEYS)
    if seen is None:
        return None
    found, signed = seen
    try:
        if signed is not None:
            verify_signed(signed)
    except EnvelopeError:
        return None
    return found


def strict(raw, envelope):
    """What the judge says, None if it refuses."""
    try:
        entry = read_entry(0, raw, ORIGIN)
        if envelope is None:
            return found_of(facts_of(entry), None)
        public = KEYS[entry.author.keyid]
        return found_of(facts_of(entry), check_evidence(0, entry, envelope, public))
    except (RefutedError, KeyError):
        return None


@pytest.mark.parametrize("topic", EVENTS)
def test_the_golden_data_of_every_topic_are_seen(topic):
    text = orjson.dumps(golden_data(topic), option=orjson.OPT_SORT_KEYS).decode()
    assert (matcher(topic)(text) is None) == (topic in NEVER_SEEN)


@given(st.data())
def test_altered_data_that_match_are_canonical_and_have_their_shape(data):
    topic = data.draw(st.sampled_from(sorted(EVENTS.keys() - NEVER_SEEN)))
    raw = data.draw(altered(orjson.dumps(golden_data(topic), option=orjson.OPT_SORT_KEYS)))
    try:
        found = matcher(topic)(raw.decode())
    except UnicodeDecodeError:
        return
    if found:
        decode(EVENTS[topic], parse_canonical(raw))  # either raises where it is not so


@given(st.data())
def test_what_is_seen_of_an_altered_entry_is_what_the_judge_says(data):
    raw, _ = data.draw(st.sampled_from(LINES))
    raw = data.draw(altered(raw))
    seen = see(raw, None)
    assert seen is None or seen == strict(raw, None)


@given(st.data())
def test_what_is_seen_of_altered_evidence_is_what_the_judge_says(data):
    """By a forger who has the author's key, and names his envelope in the entry."""
    raw, envelope = data.draw(st.sampled_from(SIGNED))
    way = data.draw(st.sampled_from(["envelope", "payload", "entry", "entry and payload"]))
    if "entry" in way:
        raw = data.draw(altered(raw))
    if way == "envelope":
        envelope = data.draw(altered(envelope))
    if "payload" in way:
        payload = data.draw(altered(Envelope.decode(envelope).payload))
        envelope = sign_payload(payload, private_key(CLINIC)).encode()
    raw = NAMED.sub(b'"envelope":"%b"' % sha256(envelope).hexdigest().encode(), raw, count=1)
    seen = see(raw, envelope)
    assert seen is None or seen == strict(raw, envelope)


@pytest.mark.parametrize("rest", [0, 1, 2])
def test_base64_has_one_spelling(rest):
    """Padding and spare bits that leave payload and signature what they are."""
    makers = ["a", "aa", "aaa"]
    lines = {
        len(Envelope.decode(line[1]).payload) % 3: line for line in map(written, makers, makers)
    }
    raw, envelope = lines[rest]
    members = orjson.loads(envelope)
    payload = members["payload"].rstrip("=")
    for end in ("", "=", "==", "===", "====", "A===", "\n", " "):
        for last in "AQgwEIMUYcko048B/":
            for spelled in (payload + end, payload[:-1] + last + end):
                other = canonical({**members, "payload": spelled})
                digest = sha256(other).hexdigest().encode()
                shown = NAMED.sub(b'"envelope":"%b"' % digest, raw, count=1)
                seen = see(shown, other)
                assert (seen is not None) == (spelled == members["payload"])
                assert seen is None or seen == strict(shown, other)


@pytest.mark.parametrize("words", ["a{b", "a{,b", ',"derived":', '{"derived":{}}', "},{"])
def test_words_like_json_in_a_text_are_signed_as_they_stand(words):
    """What is cut out of the data for the comparison is the server-made member alone."""
    for text in (words, words.replace("{,", "{")):
        shown, evidence = written(words, text)
        seen, judged = see(shown, evidence), strict(shown, evidence)
        assert (judged is None) == (text != words)
        assert seen is None or seen == judged


def test_nearly_all_of_a_genuine_log_is_seen_and_none_otherwise_than_judged():
    seen = [see(raw, envelope) for raw, envelope in LINES]
    assert all(
        found is None or found == strict(*line) for found, line in zip(seen, LINES, strict=True)
    )
    alone = [see(raw, None) for raw, _ in LINES]
    assert None not in alone
    assert sum(found is not None for found in seen) > len(seen) // 2  # the others are batches'


def test_a_name_that_json_escapes_is_left_to_the_judge():
    raw, topic = LINES[0][0], Entry.decode(LINES[0][0]).topic
    data = spelling_of_data(json_schema(EVENTS[topic]))
    for origin in (ORIGIN, 'a"b', "a\\b", "", "a b"):
        spelled = raw.replace(ORIGIN.encode(), origin.encode())
        seen = Spelling(origin, topic, data).read(spelled)
        assert (seen is not None) == (origin == ORIGIN)
