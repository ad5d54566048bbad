"""The bytes of the feed: golden, verbatim, and refused when anything in them is altered."""

import json
from hashlib import sha256

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from client.errors import MessageError
from client.message import CONTENT_TYPE, Previous, build, parse, subject_of
from ledger.hashing import leaf_hash
from tests.unit.client.written_log import ORIGIN, write_entry

RAW = write_entry(17, division="410205001")
PREVIOUS = Previous(16, 12, 0)

GOLDEN = (
    '{"specversion":"1.0","id":"17","source":"ledger.example.cn/vax",'
    '"type":"vaccination-record.dose-administered.v1",'
    '"subject":"01900000-0000-7000-0000-000000000011",'
    '"time":"2026-09-01T00:00:00.017000Z","datacontenttype":"application/json",'
    '"dataschema":"https://ledger.example.cn/vax/schemas/vaccination-record.dose-administered.v1.json",'
    '"ledgerposition":"17","leafhash":"%s","previousprovince":"16","previouscity":"12",'
    '"previouscounty":"0","data":%s}'
)


def test_a_message_is_these_bytes_with_the_entry_verbatim_between_data_and_the_last_brace():
    subject, headers, body = build(RAW, 17, PREVIOUS)
    assert subject == "vax.41.02.05.vaccination-record.dose-administered.v1"
    assert headers == {"Content-Type": "application/cloudevents+json"}
    leaf = sha256(b"\x00" + RAW).hexdigest()
    assert body == (GOLDEN % (leaf, RAW.decode())).encode()
    assert body[body.index(b'"data":') + 7 : body.rindex(b"}")] == RAW


def test_the_cloudevents_package_reads_the_message():
    _, _, body = build(RAW, 17, PREVIOUS)
    event = JSONFormat().read(CloudEvent, body)
    assert (event.get_id(), event.get_source()) == ("17", ORIGIN)
    assert event.get_type() == "vaccination-record.dose-administered.v1"
    assert event.get_extension("leafhash") == leaf_hash(RAW).hex()
    assert event.get_data() == json.loads(RAW)


def test_what_was_built_is_read_back():
    message = build(RAW, 17, PREVIOUS)
    read = parse(*message)
    assert (read.position, read.previous, read.raw) == (17, PREVIOUS, RAW)
    assert read.leaf == leaf_hash(RAW)
    assert read.entry.division == "410205001"


def test_an_unknown_extension_attribute_is_let_through():
    subject, headers, body = build(RAW, 17, PREVIOUS)
    later = body.replace(b'"leafhash"', b'"traceparent":"00-1","leafhash"')
    assert parse(subject, headers, later).position == 17


@pytest.mark.parametrize("number", range(30))
def test_a_message_with_any_byte_altered_is_refused(number):
    subject, headers, body = build(RAW, 17, PREVIOUS)
    at = (number * 7919) % len(body)
    # Positions are bare numbers that the message alone cannot prove: continuity does that.
    forged = body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]
    try:
        read = parse(subject, headers, forged)
    except MessageError:
        return
    assert read.raw == RAW
    assert read.position == 17
    assert read.previous != PREVIOUS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id":"17"', b'"id":"18"'),
        (b'"id":"17",', b""),
        (b'"id":"17"', b'"id":"17","id":"17"'),
        (b'"ledgerposition":"17"', b'"ledgerposition":17'),
        (b'"ledgerposition":"17"', b'"ledgerposition":"017"'),
        (b'"specversion":"1.0"', b'"specversion":"0.3"'),
        (b"HepB", b"HepA"),
        (b'"version":1}', b'"version":1 }'),
        (b'"leafhash"', b'"Leaf"'),
        (b'"data":', b'"data" :'),
    ],
)
def test_a_message_with_a_forged_part_is_refused(old, new):
    subject, headers, body = build(RAW, 17, PREVIOUS)
    assert old in body
    with pytest.raises(MessageError):
        parse(subject, headers, body.replace(old, new, 1))


def test_another_divisions_subject_is_refused():
    _, headers, body = build(RAW, 17, PREVIOUS)
    with pytest.raises(MessageError):
        parse(subject_of("330102", "vaccination-record.dose-administered.v1"), headers, body)


@pytest.mark.parametrize("headers", [None, {}, {"Content-Type": "application/json"}])
def test_a_message_without_its_content_type_is_refused(headers):
    subject, _, body = build(RAW, 17, PREVIOUS)
    with pytest.raises(MessageError):
        parse(subject, headers, body)


@pytest.mark.parametrize("previous", [(17, 0, 0), (1, 2, 0), (2, 1, 3), (-1, -1, -1)])
def test_previous_positions_that_cannot_be_are_refused(previous):
    with pytest.raises(MessageError):
        build(RAW, 17, Previous(*previous))


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reader(body):
    with pytest.raises(MessageError):
        parse("vax.41", {"Content-Type": CONTENT_TYPE}, b'{"id":"' + body + b'","data":{}}')
