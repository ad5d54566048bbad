"""Statements, keys and what a receipt must prove before a client believes it."""

import json
from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from client.errors import AuthorKeyError, ReceiptError, TrustError
from client.receipt import Receipt
from client.signing import AuthorKey, Draft
from client.trust import Trust
from ledger.entry import Entry
from ledger.envelope import commitment, verify_envelope
from ledger.errors import StatementError
from ledger.policy import Log, Policy, Witness
from ledger.signature import COSIGNATURE_ED25519, VerifierKey
from ledger.statement import Statement, possession_text
from tests.unit.client.signed_log import (
    CDC,
    CLINIC,
    ORIGIN,
    SignedLog,
    author,
    signer,
    small_log,
    trust,
)

WHO, OTHER = UUID(int=1), UUID(int=2)
DRAFT = Draft(
    topic="certificate.released.v1",
    stream=UUID(int=3),
    expected_version=4,
    data={"reason": "moved"},
    private={WHO: {"name": "王小明"}, OTHER: {"name": "王大明"}},
    idempotency_key=UUID(int=5),
)


def test_a_statement_is_these_bytes():
    write = author(CLINIC).sign(ORIGIN, replace(DRAFT, private={}))
    assert write.envelope.payload == (
        b'{"commitments":{},"data":{"reason":"moved"},"expected_version":4,'
        b'"idempotency_key":"00000000-0000-0000-0000-000000000005",'
        b'"origin":"ledger.example.cn/vax/test",'
        b'"stream":"00000000-0000-0000-0000-000000000003","topic":"certificate.released.v1"}'
    )


def test_each_person_has_a_commitment_under_a_salt_of_their_own():
    write = author(CLINIC).sign(ORIGIN, DRAFT)
    verify_envelope(write.envelope, author(CLINIC).public)
    body = json.loads(write.body())
    assert body["envelope"]["payloadType"] == "application/vnd.vaxledger.event+json"
    parts = body["private"]
    assert parts[str(WHO)]["values"] == {"name": "王小明"}
    assert parts[str(WHO)]["r"] != parts[str(OTHER)]["r"]
    for who, digest in Statement.decode(write.envelope.payload).commitments.items():
        part = parts[str(who)]
        assert commitment(bytes.fromhex(part["r"]), part["values"]) == digest


def test_a_statement_is_read_in_any_spelling_and_nothing_more_is_in_it():
    statement = author(CLINIC).sign(ORIGIN, DRAFT).statement
    spaced = json.dumps(json.loads(statement.encode()), indent=2).encode()
    assert Statement.decode(spaced) == statement


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"expected_version": "4"},
        {"expected_version": True},
        {"stream": "x"},
        {"data": []},
        {"commitments": {"x": "y"}},
    ],
)
def test_a_malformed_statement_is_refused(change):
    members = json.loads(author(CLINIC).sign(ORIGIN, DRAFT).statement.encode()) | change
    with pytest.raises(StatementError):
        Statement.decode(json.dumps(members).encode())


def test_a_key_survives_its_file_and_others_may_not_read_it(tmp_path):
    key, path = author(CLINIC), tmp_path / "clinic.pem"
    key.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert AuthorKey.load(CLINIC, path).keyid == key.keyid
    with pytest.raises(FileExistsError):
        key.save(path)
    path.chmod(0o640)
    with pytest.raises(AuthorKeyError, match="chmod 600"):
        AuthorKey.load(CLINIC, path)


def test_an_installations_own_seed_is_a_key_file(tmp_path):
    seed, path = bytes(range(32)), tmp_path / "root"
    path.write_text(seed.hex())
    path.chmod(0o600)
    assert AuthorKey.load(CLINIC, path).keyid == AuthorKey.from_seed(CLINIC, seed).keyid
    with pytest.raises(AuthorKeyError, match="passphrase"):
        AuthorKey.load(CLINIC, path, b"of another file")
    path.write_text(seed.hex()[:-2])
    with pytest.raises(AuthorKeyError, match="seed in hex"):
        AuthorKey.load(CLINIC, path)


def test_what_is_no_key_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    path.write_bytes(b"not a key")
    path.chmod(0o600)
    with pytest.raises(AuthorKeyError):
        AuthorKey.load(CLINIC, path)
    with pytest.raises(AuthorKeyError):
        AuthorKey.from_seed(CLINIC, b"short")


def test_possession_is_proven_for_one_log_and_one_organisation():
    key = author(CLINIC)
    proof = bytes.fromhex(key.proof_of_possession(ORIGIN))
    public = Ed25519PublicKey.from_public_bytes(key.public)
    public.verify(proof, possession_text(ORIGIN, CLINIC, key.public))


def written():
    """A log whose last entry is a clinic's dose, with the write that made it."""
    log = small_log()
    stream, recipient = log.handle(), log.handle()
    write = author(CLINIC).sign(ORIGIN, log.dose(stream, recipient, 0), log.random_bytes)
    position = log.add(author(CLINIC), write, {"effective_on": "2026-09-01"})
    return log, write, position


def test_an_honest_receipt_proves_the_write():
    log, write, position = written()
    receipt = Receipt.verify(log.answer(position), trust())
    receipt.verify_write(write, author(CLINIC))
    assert receipt.position == position == 14
    assert (receipt.checkpoint, receipt.witnessed) == (log.checkpoint(), True)


@pytest.mark.parametrize(
    "change",
    [
        {"position": 13},
        {"leaf": "00" * 32},
        {"version": 2},
        {"stream": str(WHO)},
        {"entry": "{}"},
        {"proof": "c2sp.org/tlog-proof@v1\nindex 13\n\n"},
        {"position": None},
        {"entry": None},
    ],
)
def test_a_receipt_that_claims_something_else_is_refused(change):
    log, _, position = written()
    with pytest.raises(ReceiptError):
        Receipt.verify(log.answer(position) | change, trust())


def test_an_answer_without_a_proof_is_refused():
    with pytest.raises(ReceiptError):
        Receipt.verify({"position": 1}, trust())


def test_a_receipt_under_another_logs_key_is_refused():
    log, _, position = written()
    with pytest.raises(ReceiptError):
        Receipt.verify(log.answer(position), trust("other"))


def test_a_receipt_for_another_dose_is_refused():
    log, write, _ = written()
    receipt = Receipt.verify(log.answer(13), trust())
    with pytest.raises(ReceiptError, match="not what was signed"):
        receipt.verify_write(write, author(CLINIC))


def test_a_server_that_names_another_author_is_refused():
    log, write, position = written()
    line = log.lines[position - 1]
    log.forge(position, author=replace(line.entry.author, org=str(CDC)))
    receipt = Receipt.verify(log.answer(position), trust())
    with pytest.raises(ReceiptError, match="another author"):
        receipt.verify_write(write, author(CLINIC))


def test_a_server_that_changes_a_clear_field_is_refused():
    log, write, position = written()
    data = dict(log.lines[position - 1].entry.data) | {"lot": "B1"}
    log.forge(position, data=data)
    receipt = Receipt.verify(log.answer(position), trust())
    with pytest.raises(ReceiptError, match="pointer='/data'"):
        receipt.verify_write(write, author(CLINIC))


def test_a_receipt_may_be_included_and_not_yet_witnessed():
    log, _, position = written()
    logs = tuple(Log(key) for key in signer().verifier_keys())
    witness = Witness("w", VerifierKey.of("w.example", COSIGNATURE_ED25519, author(CDC).public))
    policy = Policy(logs=logs, witnesses=(witness,), quorum="w")
    receipt = Receipt.verify(log.answer(position), Trust.of_policy(policy))
    assert not receipt.witnessed


def test_trust_is_read_from_keys_or_a_policy():
    keys = signer().verifier_keys()
    lines = "\n".join(key.text() for key in keys).encode()
    assert Trust.parse(lines).keys == keys
    assert Trust.parse(Trust.of_keys(keys).policy.encode()).keys == keys


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"\xff", b"quorum none\n"])
def test_a_file_that_trusts_nobody_is_refused(raw):
    with pytest.raises(TrustError):
        Trust.parse(raw)


def test_another_logs_name_is_refused():
    with pytest.raises(TrustError):
        Trust.of_keys(signer().verifier_keys(), "other.example.cn")


def test_the_log_of_these_tests_is_what_the_ledger_reads():
    log = SignedLog()
    log.open()
    assert [Entry.decode(line.raw).topic for line in log.lines] == [
        "organisation.registered.v1"
    ] * 4
