"""Every parser of bytes that come from outside: how it is called, and what it is well-formed with.

Each returns or raises one of its refusals; anything else is a crash. ``make test`` feeds them what
Hypothesis makes of the samples, ``make soak`` what a fuzzer finds by coverage.
"""

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from certificates import base45, cbor
from certificates.booking_code import read_booking_code
from certificates.claims import decode_claims
from certificates.container import decode_container
from certificates.errors import CertificateError
from certificates.signing import Sign1
from certificates.status import sign_status_list, verify_status_list
from certificates.trust import sign_trust_list, verify_trust_list
from client.bulk import read_verdicts
from client.continuity import parse_division
from client.credentials import Credentials
from client.dossier import FORMAT as DOSSIER_FORMAT
from client.dossier import read_dossier
from client.importing.columns import ColumnMapping
from client.importing.source import read_rows
from client.key_history import LOG_KEYS
from client.log_keys import follow_keys
from client.mass import MassCorrection
from client.message import Previous, build
from client.message import parse as parse_message
from client.notes import Notes
from client.personal import PersonalQuestion
from client.proving import verify_file
from client.remembering import Memory
from client.served import read_delivered
from client.sources import decode_envelopes
from client.trust import Trust
from client.verify import verify_log
from domain.errors import DomainError
from domain.schedules.json_document import parse_document
from ledger.bundle import decode_bundle
from ledger.entry import Entry
from ledger.envelope import decode_evidence, sign_batch, sign_payload
from ledger.errors import LedgerError, SealError
from ledger.frontier import Frontier
from ledger.jcs import canonical, parse, parse_canonical
from ledger.note import Note, verify_note
from ledger.policy import Policy
from ledger.proof import TlogProof
from ledger.sealing import SealContext, seal, unseal
from ledger.signature import Signature, VerifierKey
from ledger.statement import Statement
from ledger.store.shred_list import Shred
from ledger.tiles import parse_entries_path, parse_tile_path
from ledger.treehead import Checkpoint
from ledger.witness import AddCheckpoint, Cosigner, read_cosignatures, read_size
from tests.tamper.drawn_log import private_key
from tests.unit.certificates import credentials as cards
from tests.unit.certificates import test_booking_code as booking
from tests.unit.client.signed_log import CLINIC, ORIGIN, MemorySource, signer, small_log, trust
from tests.unit.client.test_client_sheets import workbook


@dataclass(frozen=True)
class Parser:
    """How a parser is called with bytes, something well-formed, and how it refuses."""

    read: Callable[[bytes], Any]
    sample: bytes
    refusals: tuple[type[Exception], ...] = (LedgerError,)


LOG = small_log()
LINE = LOG.lines[8]
NOTE = LOG.note()
HEAD = Note.parse(NOTE)
VKEYS = signer().verifier_keys()
PLACE = SealContext(ORIGIN, "a.b.v1", UUID(int=1), 1, str(UUID(int=2)))
SEALED = seal(bytes(32), bytes(range(32)), PLACE, b"value")
MESSAGE = build(LINE.raw, 9, Previous(8, 7, 0))
ANSWER = LOG.answer(9)
POLICY = trust().policy.encode()
COSIGNER = Cosigner("witness.example.cn/w", bytes(32), bytes(range(32)))
FOLDER = Path(tempfile.mkdtemp(prefix="vaxledger-parsers-"))


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def in_file(name: str, read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """Return a reader of bytes from one that reads a file."""

    def from_bytes(raw: bytes) -> Any:
        path = FOLDER / name
        path.write_bytes(raw)
        return read(path)

    return from_bytes


def resume(path: Path) -> Any:
    return verify_log(MemorySource(LOG.files()), trust(), notes=Notes(path, every=3600))


def rows(raw: bytes) -> Any:
    return list(read_rows(io.BytesIO(raw), ColumnMapping()))


def dossier_line(position: int) -> dict[str, object]:
    answer = LOG.answer(position)
    envelope = LOG.lines[position - 1].envelope.decode()
    return {name: answer[name] for name in ("position", "entry", "proof")} | {"envelope": envelope}


def state() -> bytes:
    path = FOLDER / "made-state"
    resume(path)
    return path.read_bytes()


def witness_request() -> bytes:
    return b"old 0\n\n" + NOTE


CREDENTIALS = canonical(
    {
        "url": "nats://127.0.0.1:4222",
        "user": "a",
        "password": "b",
        "durable": "a",
        "inbox_prefix": "_INBOX_a",
        "origin": ORIGIN,
        "division": "41",
        "stream": "VAX",
    }
)
PERSONAL = canonical(
    {
        "parts": [
            {
                "position": 1,
                "record": str(UUID(int=1)),
                "person": str(UUID(int=2)),
                "values": {"name": "x"},
            }
        ],
        "refused": [{"item": 2, "reason": "erased"}],
    }
)
DOSSIER = canonical(
    {
        "format": DOSSIER_FORMAT,
        "origin": ORIGIN,
        "record": str(LOG.lines[4].entry.stream),
        "authors": [dossier_line(position) for position in range(1, 5)],
        "entries": [dossier_line(5)],
    }
)
MASS = MassCorrection("ab" * 32, {UUID(int=1): {"list": "ab" * 32, "clinic": "x"}}, []).encode()
VERDICTS = (
    b'{"status":201,"position":7,"receipt":"/v1/receipts/7"}\n'
    b'{"status":422,"problem":{"title":"No","type":"about:blank"}}\n'
)
COLUMNS = canonical({"columns": {"Nr": "row", "Child": "person"}, "constants": {"sex": "male"}})
CSV = "流水号,儿童编码,姓名\n1,a,张三\n2,b,李四\n".encode()
WORKBOOK = workbook(["流水号", "儿童编码", "姓名"], ["1", "a", "张三"])
NDJSON = '{"流水号":"1","儿童编码":"a","姓名":"张三"}\n'.encode()
PAGE = (
    canonical(
        {
            "position": 9,
            "entry": LINE.raw.decode(),
            "previous": {"province": 8, "city": 7, "county": 0},
        }
    )
    + b"\n"
)
SHRED = Shred(UUID(int=1), 3, (UUID(int=2),), (UUID(int=3),), ("ab" * 32,)).line().encode()
STATEMENT = decode_evidence(LINE.envelope).payload
KEY = private_key(CLINIC)

PARSERS = {
    # ledger
    "entry": Parser(Entry.decode, LINE.raw),
    "jcs": Parser(parse, LINE.raw),
    "canonical": Parser(parse_canonical, LINE.raw),
    "note": Parser(Note.parse, NOTE),
    "signed note": Parser(lambda raw: verify_note(Note.parse(raw), VKEYS), NOTE),
    "checkpoint": Parser(lambda raw: Checkpoint.parse(text(raw)), HEAD.text.encode()),
    "signature line": Parser(
        lambda raw: Signature.parse(text(raw)), HEAD.signatures[0].line().strip().encode()
    ),
    "vkey": Parser(lambda raw: VerifierKey.parse(text(raw)), VKEYS[0].text().encode()),
    "policy": Parser(Policy.parse, POLICY),
    "proof": Parser(TlogProof.parse, str(ANSWER["proof"]).encode()),
    "tile path": Parser(lambda raw: parse_tile_path(text(raw)), b"tile/0/x001/x234/067.p/8"),
    "entries path": Parser(lambda raw: parse_entries_path(text(raw)), b"tile/entries/x001/067.p/8"),
    "bundle": Parser(decode_bundle, LOG.files()["tile/entries/000.p/13"]),
    "frontier": Parser(Frontier.decode, Frontier(5, [bytes(32)] * 2).encode()),
    "envelope": Parser(decode_evidence, sign_payload(b"{}", KEY).encode()),
    "batch": Parser(decode_evidence, sign_batch([b"1", b"2", b"3"], KEY)[1].encode()),
    "statement": Parser(Statement.decode, STATEMENT),
    "sealed value": Parser(lambda raw: unseal(bytes(32), PLACE, raw), SEALED, (SealError,)),
    "witness request": Parser(AddCheckpoint.parse, witness_request()),
    "witness answer": Parser(
        lambda raw: read_cosignatures(HEAD, raw, COSIGNER.verifier_keys()),
        "".join(one.line() for one in COSIGNER.cosign(LOG.checkpoint(), 1_780_000_000)).encode(),
    ),
    "witness size": Parser(read_size, b"17\n", (ValueError,)),
    "shred": Parser(
        lambda raw: Shred.parse(text(raw)),
        SHRED,
        (ValueError, KeyError, TypeError, AttributeError, RecursionError),
    ),
    # client
    "envelopes": Parser(decode_envelopes, LOG.files()["envelopes/000.p/13"]),
    "trust": Parser(Trust.parse, POLICY),
    "personal answer": Parser(lambda raw: PersonalQuestion("audit").read(ORIGIN, raw), PERSONAL),
    "message": Parser(
        lambda raw: parse_message(MESSAGE.subject, MESSAGE.headers, raw), MESSAGE.body
    ),
    "receipt": Parser(
        in_file("receipt.json", lambda path: verify_file(path, trust())), canonical(ANSWER)
    ),
    "state": Parser(in_file("state", resume), state()),
    "credentials": Parser(in_file("credentials", Credentials.load), CREDENTIALS),
    "memory": Parser(Memory.decode, Memory(ORIGIN, "41").encode()),
    "division": Parser(lambda raw: parse_division(text(raw)), b"410205", (ValueError, LedgerError)),
    "key history": Parser(
        lambda raw: follow_keys(trust(), MemorySource({LOG_KEYS: raw})),
        canonical({"entry": LINE.raw.decode(), "proof": ANSWER["proof"]}) + b"\n",
    ),
    "dossier": Parser(lambda raw: read_dossier(raw, trust()), DOSSIER),
    "page of entries": Parser(lambda raw: read_delivered(raw, 8), PAGE),
    "mass correction": Parser(MassCorrection.decode, MASS),
    "verdicts": Parser(read_verdicts, VERDICTS),
    "column mapping": Parser(in_file("columns", ColumnMapping.load), COLUMNS, (DomainError,)),
    "table": Parser(rows, CSV, (DomainError,)),
    "lines": Parser(rows, NDJSON, (DomainError,)),
    "workbook": Parser(rows, WORKBOOK, (DomainError,)),
    # domain
    "document": Parser(parse_document, b'{"id":"a","rules":[1,2.5,null,true]}', (DomainError,)),
    # certificates
    "trust list": Parser(
        lambda raw: verify_trust_list(raw, [cards.ROOT.public_key]),
        sign_trust_list(cards.trust_list(), cards.ROOT),
        (CertificateError,),
    ),
    "status list": Parser(
        lambda raw: verify_status_list(raw, cards.trust_list()),
        sign_status_list(cards.status_list(1), cards.SIGNER),
        (CertificateError,),
    ),
    "booking code": Parser(
        lambda raw: read_booking_code(text(raw), booking.TRUST),
        booking.text_of().encode(),
        (CertificateError,),
    ),
    "cbor": Parser(cbor.decode, cards.payload(), (CertificateError,)),
    "base45": Parser(
        lambda raw: base45.decode(text(raw)), base45.encode(b"abc").encode(), (CertificateError,)
    ),
    "claims": Parser(decode_claims, cards.payload(), (CertificateError,)),
    "container": Parser(
        lambda raw: decode_container(text(raw)), cards.text().encode(), (CertificateError,)
    ),
    "sign1": Parser(Sign1.parse, decode_container(cards.text()), (CertificateError,)),
}
