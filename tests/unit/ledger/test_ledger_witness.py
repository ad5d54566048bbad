"""The witness's decision: what it cosigns, and with which status it refuses everything else."""

from hashlib import sha256

import pytest

from ledger.checkpoint import LogSigner
from ledger.cosignature import Mldsa44Cosigner
from ledger.errors import NoteError, ProofError
from ledger.frontier import Frontier
from ledger.hashing import empty_root, leaf_hash, node_hash
from ledger.merkle import consistency_proof
from ledger.note import Note, Signature, verify_note
from ledger.treehead import Checkpoint
from ledger.witness import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    AddCheckpoint,
    Cosigner,
    Inconsistent,
    Malformed,
    NotSigned,
    OtherSize,
    Refused,
    Seen,
    UnknownLog,
    read_cosignatures,
    read_size,
)

ORIGIN = "log.example/kaifeng"
LOG = LogSigner(ORIGIN, b"e" * 32, b"m" * 32)
OTHER = LogSigner("log.example/other", b"f" * 32, b"n" * 32)
WITNESS = Cosigner("witness.example/w1", b"w" * 32, b"x" * 32)
NOW = 1_790_000_000


def leaves(size: int, salt: str = "") -> list[bytes]:
    return [leaf_hash(f"{salt}{index}".encode()) for index in range(size)]


def root_of(hashes: list[bytes]) -> bytes:
    frontier = Frontier()
    frontier.extend(hashes)
    return frontier.root()


def checkpoint(size: int, salt: str = "", *extensions: str) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(leaves(size, salt)), extensions)


def proof(old: int, new: int, salt: str = "") -> list[bytes]:
    hashes = leaves(new, salt)

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return hashes[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return consistency_proof(old, new, node) if old else []


def asked(old: int, new: int, salt: str = "", hashes: list[bytes] | None = None) -> AddCheckpoint:
    note = LOG.sign(checkpoint(new, salt), NOW)
    return AddCheckpoint.of(old, proof(old, new, salt) if hashes is None else hashes, note)


def seen(size: int, salt: str = "") -> Seen:
    return Seen(size, root_of(leaves(size, salt)))


@pytest.mark.parametrize(
    ("stored", "request_"),
    [
        (seen(0), asked(0, 0)),
        (seen(0), asked(0, 1)),
        (seen(0), asked(0, 1000)),
        (seen(5), asked(5, 5)),
        (seen(5), asked(5, 6)),
        (seen(8), asked(8, 13)),
        (seen(255), asked(255, 1000)),
    ],
)
def test_what_extends_the_tree_seen_last_is_accepted(stored, request_):
    request_.check_growth(stored)


ONE = [bytes(32)]


@pytest.mark.parametrize(
    ("stored", "request_", "refusal"),
    [
        (seen(9), asked(9, 9, "fork"), Inconsistent),  # an equal size, another root
        (seen(9), asked(9, 12, "fork"), Inconsistent),
        (seen(9), asked(9, 12, hashes=[]), Inconsistent),
        (seen(9), asked(9, 12, hashes=proof(9, 12)[:-1]), Inconsistent),
        (seen(9), asked(9, 12, hashes=proof(9, 12) + ONE), Inconsistent),
        (seen(9), asked(9, 12, hashes=proof(8, 12)), Inconsistent),
        (seen(9), asked(9, 9, hashes=ONE), Inconsistent),
        (seen(0), asked(0, 5, hashes=ONE), Inconsistent),
        (seen(0), asked(0, 0, hashes=ONE), Inconsistent),
        (seen(9), asked(8, 12), OtherSize),
        (seen(9), asked(10, 12), OtherSize),
        (seen(9), asked(0, 12), OtherSize),
        (seen(9), asked(0, 0), OtherSize),
        (seen(0), asked(9, 12), OtherSize),
        (seen(9), asked(5, 5, "fork"), OtherSize),
        (seen(9), asked(9, 8, hashes=[]), Malformed),  # the old size exceeds the new
        (seen(0), asked(1, 0, hashes=[]), Malformed),
    ],
)
def test_everything_else_is_refused_with_its_status(stored, request_, refusal):
    with pytest.raises(refusal) as refused:
        request_.check_growth(stored)
    assert refused.value.status == {OtherSize: 409, Inconsistent: 422, Malformed: 400}[refusal]
    if refusal is OtherSize:
        assert refused.value.size == stored.size


def test_an_empty_tree_with_another_root_is_inconsistent():
    note = LOG.sign(Checkpoint(ORIGIN, 0, bytes(32)), NOW)
    with pytest.raises(Inconsistent):
        AddCheckpoint.of(0, [], note).check_growth(Seen())
    AddCheckpoint.of(0, [], LOG.sign(Checkpoint(ORIGIN, 0, empty_root()), NOW)).check_growth(Seen())


def test_only_the_logs_own_good_signatures_are_kept():
    grease = Signature("grease.example", b"1234", b"whatever")
    note = Note.parse(LOG.sign(checkpoint(5), NOW))
    greased = Note(note.text, (grease, *reversed(note.signatures), grease))
    signed = AddCheckpoint.of(0, [], greased.encode()).authenticate(LOG.verifier_keys())
    assert set(signed.signatures) == set(note.signatures)


def test_a_log_that_nobody_named_is_unknown():
    request = AddCheckpoint.of(0, [], OTHER.sign(Checkpoint(OTHER.origin, 1, bytes(32)), NOW))
    with pytest.raises(UnknownLog) as refused:
        request.authenticate(LOG.verifier_keys())
    assert refused.value.status == 404


def resigned(signer: LogSigner) -> Note:
    """Our origin, under keys of that name and another seed."""
    return Note.parse(signer.sign(checkpoint(5), NOW))


STRANGER = LogSigner(ORIGIN, b"s" * 32, b"t" * 32)


def spoiled(note: Note) -> Note:
    first, *rest = note.signatures
    return Note(note.text, (Signature(first.name, first.keyid, bytes(64)), *rest))


@pytest.mark.parametrize("note", [resigned(STRANGER), spoiled(resigned(LOG))])
def test_a_checkpoint_without_a_good_signature_or_with_a_bad_one_is_not_signed(note):
    with pytest.raises(NotSigned) as refused:
        AddCheckpoint.of(0, [], note.encode()).authenticate(LOG.verifier_keys())
    assert refused.value.status == 403


def test_keys_of_other_logs_do_not_count():
    """A trusted log signs with its own key, but under another trusted log's origin."""
    text = checkpoint(5).text()
    lines = OTHER._ed25519.sign(text)
    with pytest.raises(NotSigned):
        AddCheckpoint.of(0, [], Note(text, (lines,)).encode()).authenticate(
            (*LOG.verifier_keys(), *OTHER.verifier_keys())
        )


NOTE = LOG.sign(checkpoint(5), NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        NOTE,
        b"old 0\n" + NOTE,
        b"old 0\n\n",
        b"old 00\n\n" + NOTE,
        b"old 01\n\n" + NOTE,
        b"old -1\n\n" + NOTE,
        b"old +0\n\n" + NOTE,
        b"old  0\n\n" + NOTE,
        b"old 0 \n\n" + NOTE,
        b"old\t0\n\n" + NOTE,
        b"OLD 0\n\n" + NOTE,
        b"old 0\r\n\r\n" + NOTE,
        b"old 9223372036854775808\n\n" + NOTE,
        b"old \xd9\xa3\n\n" + NOTE,
        b"old 1\nAAAA\n\n" + NOTE,
        b"old 1\n" + b"A" * 43 + b"\n\n" + NOTE,
        b"old 1\n" + b"A" * 42 + b"B=\n\n" + NOTE,  # spare bits
        b"old 1\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + NOTE,
        b"old 1\n" + b"A" * 43 + b"=\x0b" + b"A" * 43 + b"=\n\n" + NOTE,
        b"old 0\n\n" + NOTE.replace(b"\n5\n", b"\n05\n"),
        b"old 0\n\n" + NOTE[:-1],
        b"old 0\n\n" + NOTE + b"\n",
        b"old 0\n\n\n" + NOTE,
        b"old 0\n\n" + NOTE + b"x" * MAX_REQUEST_BYTES,
    ],
)
def test_a_body_of_another_form_is_malformed(body):
    with pytest.raises(Malformed) as refused:
        AddCheckpoint.parse(body)
    assert refused.value.status == 400


def test_sixty_three_hashes_are_read():
    body = b"old 1\n" + (b"A" * 43 + b"=\n") * 63 + b"\n" + NOTE
    request = AddCheckpoint.parse(body)
    assert (request.old, request.proof) == (1, (bytes(32),) * 63)
    assert request.encode() == body


def test_a_request_of_more_is_not_written():
    with pytest.raises(ProofError):
        AddCheckpoint.of(1, [bytes(32)] * 64, NOTE)
    with pytest.raises(ProofError):
        AddCheckpoint.of(-1, [], NOTE)
    with pytest.raises(ProofError):
        AddCheckpoint.of(1, [bytes(31)], NOTE)


def test_extension_lines_are_cosigned_as_the_specification_says():
    extended = checkpoint(5, "", "an extension")
    note = Note(extended.text(), (LOG._ed25519.sign(extended.text()),))
    request = AddCheckpoint.parse(AddCheckpoint.of(0, [], note.encode()).encode())
    signed = request.authenticate(LOG.verifier_keys())
    lines = WITNESS.cosign(request.checkpoint, NOW)
    verified = verify_note(signed.with_signatures(lines), WITNESS.verifier_keys())
    assert len(verified) == 2
    plain = Note(checkpoint(5).text(), lines)
    with pytest.raises(NoteError):
        verify_note(plain, WITNESS.verifier_keys()[:1])  # 0x04 covers the extension ...
    assert verify_note(plain, WITNESS.verifier_keys()[1:])  # ... and 0x06 does not


def test_a_cosignature_states_a_time():
    for timestamp in (0, -1):
        with pytest.raises(NoteError):
            WITNESS.cosign(checkpoint(5), timestamp)


def answer(*lines: Signature) -> bytes:
    return "".join(line.line() for line in lines).encode()


def test_the_cosignatures_of_known_keys_are_taken_and_others_ignored():
    note = Note.parse(NOTE)
    stranger = Cosigner("witness.example/w2", b"y" * 32, b"z" * 32)
    lines = (*stranger.cosign(checkpoint(5), NOW), *WITNESS.cosign(checkpoint(5), NOW))
    verified = read_cosignatures(note, answer(*lines), WITNESS.verifier_keys())
    assert [one.signature for one in verified] == list(lines[2:])
    assert [one.timestamp for one in verified] == [NOW, NOW]


GOOD = answer(*WITNESS.cosign(checkpoint(5), NOW))
TIMELESS = Mldsa44Cosigner("witness.example/w1", b"x" * 32).cosign(checkpoint(5), 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"nonsense\n",
        GOOD[:-1],
        GOOD + b"\n",
        b"\n" + GOOD,
        b"more text\n\n" + GOOD,
        answer(*WITNESS.cosign(checkpoint(6), NOW)),
        answer(*WITNESS.cosign(checkpoint(5, "fork"), NOW)),
        answer(TIMELESS),
        answer(*Cosigner("witness.example/w1", b"1" * 32, b"2" * 32).cosign(checkpoint(5), NOW)),
        GOOD + b"\xff\n",
        GOOD * 51,
        GOOD + b"x" * MAX_ANSWER_BYTES,
    ],
)
def test_no_other_answer_is_a_cosignature(body):
    with pytest.raises(NoteError):
        read_cosignatures(Note.parse(NOTE), body, WITNESS.verifier_keys())


def test_the_size_in_a_refusal_is_one_decimal_line():
    assert read_size(b"20852163\n") == 20852163
    assert read_size(b"0\n") == 0
    for body in (b"", b"5", b"5\n\n", b"05\n", b" 5\n", b"-5\n", b"5\r\n", b"9" * 20 + b"\n"):
        with pytest.raises(ValueError, match="not"):
            read_size(body)


def test_each_refusal_has_its_own_status():
    statuses = {refusal: refusal.status for refusal in Refused.__subclasses__()}
    assert statuses == {
        Malformed: 400, NotSigned: 403, UnknownLog: 404, OtherSize: 409, Inconsistent: 422
    }  # fmt: skip
    assert Seen().root == sha256(b"").digest()
