"""Every parser of the log: what was written comes back, and nothing else ever crashes it.

A parser may return or raise a ``LedgerError``; what it returns it must write again exactly.
"""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, LogSigner
from ledger.cosignature import Ed25519Cosigner
from ledger.entry import Author, Entry, Seal
from ledger.envelope import (
    BatchMember,
    Envelope,
    Sig,
    decode_evidence,
    sign_batch,
    sign_payload,
    verify_evidence,
)
from ledger.errors import LedgerError, VerificationError
from ledger.jcs import MAX_INTEGER, canonical, parse, parse_canonical
from ledger.merkle import Frontier, verify_consistency, verify_growth, verify_inclusion
from ledger.note import Note, Signature, VerifierKey, verify_note
from ledger.policy import Group, Log, Policy, Witness
from ledger.proof import TlogProof, verify_proof
from ledger.sealing import SealContext, seal, unseal
from ledger.tiles import decode_bundle, encode_bundle, parse_tile_path, tile_path

ORIGIN = "ledger.example.cn/vax"
SIGNER = LogSigner(ORIGIN, bytes([1]) * 32, bytes([2]) * 32)
KEYS = SIGNER.verifier_keys()
WITNESS = Ed25519Cosigner("witness.example.cn", bytes([3]) * 32)
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(32))
SIGNED = SIGNER.sign(CHECKPOINT, 1)
AUTHOR_KEY = SIGNER._ed25519._key
POLICY = Policy(
    tuple(Log(key) for key in KEYS),
    (Witness("w", WITNESS.verifier_key, "https://w.example"),),
    (Group("g", 1, ("w",)),),
    "g",
)

HASHES = st.binary(min_size=32, max_size=32)
DIGESTS = HASHES.map(bytes.hex)
WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"), exclude_characters="+"),
    min_size=1,
    max_size=12,
)
LINES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
).filter(lambda value: "\\ud" not in ascii(value))
SEALS = st.builds(Seal, st.uuids().map(str), DIGESTS)

ENTRIES = st.builds(
    Entry,
    origin=st.from_regex(r"[a-z0-9./-]{1,40}", fullmatch=True),
    topic=st.from_regex(r"[a-z]{1,9}(-[a-z]{1,5})?(\.[a-z]{1,5}){0,2}\.v[1-9]", fullmatch=True),
    stream=st.uuids(),
    version=st.integers(1, MAX_INTEGER),
    division=st.from_regex(r"[0-9]{6}([0-9]{3})?", fullmatch=True),
    recorded_at=st.datetimes(timezones=st.just(UTC)),
    author=st.builds(Author, st.uuids().map(str), DIGESTS, DIGESTS),
    data=st.dictionaries(st.text("abc_", max_size=4), JSON, max_size=4),
    sealed=st.lists(SEALS, max_size=3, unique_by=lambda one: one.subject).map(tuple),
)
NOTES = st.builds(
    Note,
    st.lists(LINES | st.just(""), max_size=4).map(lambda lines: "\n".join([*lines, ""]) or "\n"),
    st.lists(
        st.builds(
            Signature,
            WORDS,
            st.binary(min_size=4, max_size=4),
            st.binary(min_size=1, max_size=80),
        ),
        min_size=1,
        max_size=5,
    ).map(tuple),
)
CHECKPOINTS = st.builds(
    Checkpoint, LINES, st.integers(0, 2**63 - 1), HASHES, st.lists(LINES, max_size=2).map(tuple)
)
PROOFS = st.builds(
    TlogProof,
    st.integers(0, 2**63 - 1),
    st.lists(HASHES, max_size=8).map(tuple),
    st.binary(max_size=60),
    st.none() | st.binary(min_size=1, max_size=40),
)
ENVELOPES = st.builds(
    Envelope,
    st.binary(max_size=60),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    st.lists(
        st.builds(Sig, DIGESTS, st.binary(min_size=1, max_size=70)),
        min_size=1,
        max_size=8,
        unique_by=lambda one: one.keyid,
    ).map(tuple),
)
MEMBERS = st.builds(
    BatchMember,
    ENVELOPES,
    st.integers(0, 70_000),
    st.integers(0, 70_000),
    st.lists(HASHES, max_size=5).map(tuple),
    st.binary(max_size=60),
)


def frontier_of(size, hashes):
    return Frontier(size, hashes[: size.bit_count()])


FRONTIERS = st.builds(
    frontier_of, st.integers(0, 2**20), st.lists(HASHES, min_size=21, max_size=21)
)

ROUND_TRIPS = [
    (ENTRIES, Entry.encode, Entry.decode),
    (NOTES, Note.encode, Note.parse),
    (CHECKPOINTS, Checkpoint.text, Checkpoint.parse),
    (PROOFS, TlogProof.encode, TlogProof.parse),
    (ENVELOPES, Envelope.encode, Envelope.decode),
    (ENVELOPES, Envelope.encode, decode_evidence),
    (MEMBERS, BatchMember.encode, BatchMember.decode),
    (MEMBERS, BatchMember.encode, decode_evidence),
    (JSON, canonical, parse_canonical),
    (JSON, canonical, parse),
    (st.lists(st.binary(max_size=9), min_size=1, max_size=256), encode_bundle, decode_bundle),
    (
        st.tuples(st.integers(-1, 63), st.integers(0, 2**63 - 1), st.integers(1, 256)),
        lambda address: tile_path(*address),
        parse_tile_path,
    ),
]


@pytest.mark.parametrize("case", ROUND_TRIPS, ids=lambda case: case[2].__qualname__)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_what_was_written_comes_back(case, data):
    values, write, read = case
    value = data.draw(values)
    assert read(write(value)) == value


@settings(deadline=None, max_examples=60)
@given(FRONTIERS)
def test_a_frontier_comes_back(frontier):
    again = Frontier.decode(frontier.encode())
    assert (again.size, again.hashes) == (frontier.size, frontier.hashes)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60), HASHES, HASHES, st.integers(1, MAX_INTEGER), st.uuids())
def test_a_sealed_value_comes_back(value, key, salt, version, stream):
    context = SealContext(ORIGIN, "a.b.v1", stream, version, str(stream))
    assert unseal(key, context, seal(key, salt, context, value)) == value


A_PROOF = TlogProof(1, (bytes(32), bytes(range(32))), SIGNED, b"extra").encode()
AN_ENTRY = Entry(
    ORIGIN,
    "a.b.v1",
    UUID(int=1),
    1,
    "410202",
    datetime(2026, 9, 1, tzinfo=UTC),
    Author("00000000-0000-4000-8000-000000000000", "ab" * 32, "cd" * 32),
    {"list": [1, None, True, {"a": "名"}]},
    (Seal("00000000-0000-4000-8000-000000000001", "ef" * 32),),
).encode()

# Each parser, a well-formed sample to mutilate, and the writer of what it read.
PARSERS = {
    "entry": (Entry.decode, AN_ENTRY, Entry.encode),
    "canonical": (parse_canonical, AN_ENTRY, canonical),
    "note": (Note.parse, SIGNED, Note.encode),
    "checkpoint": (
        lambda raw: Checkpoint.parse(raw.decode("utf-8", "replace")),
        CHECKPOINT.text().encode(),
        lambda value: value.text().encode(),
    ),
    "vkey": (
        lambda raw: VerifierKey.parse(raw.decode("utf-8", "surrogateescape")),
        KEYS[0].text().encode(),
        lambda value: value.text().encode(),
    ),
    "proof": (TlogProof.parse, A_PROOF, TlogProof.encode),
    "envelope": (decode_evidence, sign_payload(b"{}", AUTHOR_KEY).encode(), lambda v: v.encode()),
    "member": (
        decode_evidence,
        sign_batch([b"1", b"2", b"3"], AUTHOR_KEY)[1].encode(),
        lambda value: value.encode(),
    ),
    "bundle": (decode_bundle, encode_bundle([b"", b"ab", b"c" * 300]), encode_bundle),
    "path": (
        lambda raw: parse_tile_path(raw.decode("utf-8", "replace")),
        b"tile/0/x001/x234/067.p/8",
        lambda address: tile_path(*address).encode(),
    ),
    "frontier": (Frontier.decode, Frontier(5, [bytes(32)] * 2).encode(), Frontier.encode),
}


@st.composite
def mutilated(draw, sample):
    """A sample with some bytes cut, doubled, flipped or replaced; or just bytes."""
    raw = bytearray(sample)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        end = min(len(raw), at + draw(st.integers(0, 40)))
        piece = draw(
            st.binary(max_size=8)
            | st.just(bytes(raw[at:end]) * 2)
            | st.sampled_from([b"", b"\n", b"\n\n", b"0", b'"', b"[", b"\xe2\x80\x94 ", b"\xff"])
        )
        raw[at:end] = piece
    return bytes(raw)


@pytest.mark.parametrize("name", PARSERS)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_no_bytes_crash_a_parser_and_what_it_takes_it_writes_again(name, data):
    read, sample, write = PARSERS[name]
    raw = data.draw(mutilated(sample) | st.binary(max_size=80))
    try:
        value = read(raw)
    except LedgerError:
        return
    if name == "checkpoint":
        raw = raw.decode("utf-8", "replace").encode()
    assert write(value) == raw


@settings(deadline=None, max_examples=200)
@given(mutilated(POLICY.encode()) | mutilated(b"witness a b\ngroup g 1 a\nquorum g\n"))
def test_no_bytes_crash_the_policy_reader(raw):
    try:
        policy = Policy.parse(raw)
    except LedgerError:
        return
    assert Policy.parse(policy.encode()) == policy


@settings(deadline=None, max_examples=200)
@given(mutilated(b'{"b":[1,-2,{"c":"\\ud83d\\ude00"}],"a":null}') | st.binary(max_size=60))
def test_no_bytes_crash_the_json_reader_and_what_it_takes_has_a_canonical_form(raw):
    try:
        value = parse(raw)
    except LedgerError:
        return
    assert parse_canonical(canonical(value)) == value


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200))
def test_no_text_crashes_the_json_reader(text):
    try:
        parse(text.encode("utf-8", "surrogatepass"))
    except LedgerError:
        return


@settings(deadline=None, max_examples=100)
@given(mutilated(SIGNED))
def test_a_mutilated_checkpoint_verifies_only_if_what_it_says_is_the_same(raw):
    try:
        note = Note.parse(raw)
        verify_note(note, KEYS)
    except VerificationError:
        return
    assert note.text == CHECKPOINT.text()


@settings(deadline=None, max_examples=60)
@given(mutilated(A_PROOF))
def test_a_mutilated_proof_of_nothing_proves_nothing(raw):
    with pytest.raises(VerificationError):
        verify_proof(TlogProof.parse(raw), b"entry", KEYS, ORIGIN, POLICY)


@settings(deadline=None, max_examples=100)
@given(mutilated(sign_batch([b"1", b"2", b"3"], AUTHOR_KEY)[1].encode()))
def test_a_mutilated_batch_member_verifies_only_as_the_same_payload(raw):
    try:
        payload = verify_evidence(decode_evidence(raw), KEYS[0].public)
    except VerificationError:
        return
    assert payload == b"2"


NUMBERS = st.integers(-2, 40) | st.integers(-(2**70), 2**70)


@settings(deadline=None, max_examples=200)
@given(NUMBERS, NUMBERS, st.lists(HASHES | st.binary(max_size=33), max_size=8), HASHES, HASHES)
def test_no_numbers_crash_or_convince_the_proof_verifiers(first, second, proof, one, other):
    with pytest.raises(VerificationError):
        verify_inclusion(first, second, one, proof, other)
    if one != other:
        with pytest.raises(VerificationError):
            verify_consistency(first, second, proof, one, other)
        with pytest.raises(VerificationError):
            verify_growth(first, second, proof, one, other)
