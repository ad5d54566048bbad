"""A whole log as an honest installation writes it: root key, organisations, doses, corrections.

Tests take it as it is, or forge parts of it before it is read back. Keys are fixed seeds.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from client.signing import AuthorKey, Draft, SignedWrite
from client.sources import CHECKPOINT, blob_path, encode_envelopes, envelopes_path
from client.trust import Trust
from ledger.bundle import encode_bundle
from ledger.checkpoint import Checkpoint, LogSigner
from ledger.entry import Author, Entry, Seal, encode_time
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash
from ledger.proof import TlogProof
from ledger.tiles import (
    TILE_WIDTH,
    TileReader,
    entries_path,
    tile_path,
    tile_width,
    tiles_for_growth,
    truncate_tile,
)

ORIGIN = "ledger.example.cn/vax/test"
COUNTY = "410205"
START = datetime(2026, 9, 1, tzinfo=UTC)

OPERATOR, PLATFORM, CDC, CLINIC = (UUID(int=(0x0190_0000_0000_7001 << 64) + n) for n in range(4))


def author(organisation: UUID, name: str = "") -> AuthorKey:
    return AuthorKey.from_seed(organisation, sha256(f"{organisation}{name}".encode()).digest())


def signer(name: str = "log", origin: str = ORIGIN) -> LogSigner:
    return LogSigner(origin, sha256(name.encode()).digest(), sha256(f"pq{name}".encode()).digest())


def trust(name: str = "log") -> Trust:
    return Trust.of_keys(signer(name).verifier_keys())


@dataclass
class Line:
    """One position: entry and evidence, and the sealed values as stored."""

    raw: bytes
    envelope: bytes
    blobs: dict[str, bytes]

    @property
    def entry(self) -> Entry:
        return Entry.decode(self.raw)


class SignedLog:
    """Appends what its authors sign and shows itself as files."""

    def __init__(self) -> None:
        self.origin = ORIGIN
        self.lines: list[Line] = []
        self._chance = random.Random(20260901)

    def handle(self) -> UUID:
        return UUID(int=self._chance.getrandbits(128), version=4)

    def random_bytes(self, size: int) -> bytes:
        return self._chance.randbytes(size)

    def draft(self, topic, stream, version, data, private=None) -> Draft:
        return Draft(topic, stream, version, data, private or {}, self.handle())

    def write(self, key: AuthorKey, draft: Draft, derived=None, division=COUNTY) -> int:
        return self.add(key, key.sign(self.origin, draft, self.random_bytes), derived, division)

    def add(self, key: AuthorKey, write: SignedWrite, derived=None, division=COUNTY) -> int:
        envelope = write.envelope.encode()
        statement = write.statement
        blobs = {str(who): self.random_bytes(64) for who in write.private}
        data = dict(statement.data)
        if derived is not None:
            data["derived"] = derived
        entry = Entry(
            origin=statement.origin,
            topic=statement.topic,
            stream=statement.stream,
            version=statement.expected_version + 1,
            division=division,
            recorded_at=START + timedelta(seconds=len(self.lines)),
            author=Author(str(key.organisation), key.keyid, sha256(envelope).hexdigest()),
            data=data,
            sealed=tuple(Seal(who, sha256(blob).hexdigest()) for who, blob in blobs.items()),
        )
        by_digest = {sha256(blob).hexdigest(): blob for blob in blobs.values()}
        self.lines.append(Line(entry.encode(), envelope, by_digest))
        return len(self.lines)

    def register(self, registrar: AuthorKey, new: AuthorKey, kind: str, division=COUNTY) -> int:
        data = {
            "name": f"单位 {kind}",
            "kind": kind,
            "division": division,
            "public_key": new.public.hex(),
            "key_proof": new.proof_of_possession(self.origin),
        }
        draft = self.draft("organisation.registered.v1", new.organisation, 0, data)
        return self.write(registrar, draft, division=division)

    def open(self) -> None:
        operator = author(OPERATOR)
        self.register(operator, operator, "operator", "410000")
        self.register(operator, author(PLATFORM), "platform", "410000")
        self.register(operator, author(CDC), "county-cdc")
        self.register(author(CDC), author(CLINIC), "clinic")

    def add_child(self, key: AuthorKey | None = None) -> tuple[UUID, UUID]:
        """Register a record with sealed names; return stream and recipient's handle."""
        stream, recipient, guardian = (self.handle() for _ in range(3))
        data = {
            "kind": "child",
            "recipient": str(recipient),
            "guardians": [{"person": str(guardian), "relation": "mother"}],
            "birth_year": 2023,
            "managing_organisation": str(CLINIC),
            "division": COUNTY,
            "roll": "active",
        }
        private = {recipient: {"name": "测试儿童"}, guardian: {"name": "测试母亲"}}
        draft = self.draft("vaccination-record.registered.v1", stream, 0, data, private)
        self.write(key or author(CLINIC), draft, {"effective_on": "2026-09-01"})
        return stream, recipient

    def dose(self, stream: UUID, recipient: UUID, version: int) -> Draft:
        data = {
            "dose": str(self.handle()),
            "vaccine": "HepB",
            "product": "HepB-CHO",
            "maker": "Example Biologics",
            "lot": "A20260101",
            "expires_on": "2028-01-01",
            "occurred_on": "2026-09-01",
            "site": "LD",
            "route": "IM",
            "quantity": "0.5 mL",
            "clinic": str(CLINIC),
            "source_system": "programme",
        }
        private = {recipient: {"vaccinator": "测试护士"}}
        topic = "vaccination-record.dose-administered.v1"
        return self.draft(topic, stream, version, data, private)

    def add_dose(self, stream: UUID, recipient: UUID, version: int) -> int:
        draft = self.dose(stream, recipient, version)
        return self.write(author(CLINIC), draft, {"effective_on": "2026-09-01"})

    @property
    def leaves(self) -> list[bytes]:
        return [leaf_hash(line.raw) for line in self.lines]

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        leaves = self.leaves[:size]
        frontier = Frontier()
        frontier.extend(leaves)
        return Checkpoint(self.origin, len(leaves), frontier.root())

    def note(self, size: int | None = None, name: str = "log") -> bytes:
        return signer(name).sign(self.checkpoint(size), 1_780_000_000)

    def tiles(self, size: int | None = None) -> dict[tuple[int, int], bytes]:
        made = tiles_for_growth(0, self.leaves[:size], lambda _level, _index: b"")
        return {(level, index): data for level, index, data in made}

    def tree(self, size: int | None = None) -> TileReader:
        tiles = self.tiles(size)
        return TileReader(
            len(self.lines[:size]),
            lambda level, index, width: truncate_tile(tiles[level, index], width),
        )

    def files(self, size: int | None = None) -> dict[str, bytes]:
        """Return the log as an export holds it."""
        lines = self.lines[:size]
        files = {CHECKPOINT: self.note(size)}
        for start in range(0, len(lines), TILE_WIDTH):
            part = lines[start : start + TILE_WIDTH]
            index, width = start // TILE_WIDTH, len(part)
            files[entries_path(index, width)] = encode_bundle(line.raw for line in part)
            files[envelopes_path(index, width)] = encode_envelopes(line.envelope for line in part)
        for (level, index), data in self.tiles(size).items():
            files[tile_path(level, index, tile_width(level, index, len(lines)))] = data
        for line in lines:
            files |= {blob_path(digest): blob for digest, blob in line.blobs.items()}
        return files

    def save(self, folder: Path, size: int | None = None) -> None:
        for path, content in self.files(size).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

    def answer(self, position: int, size: int | None = None) -> dict[str, object]:
        """Return what the server answers to a write."""
        line = self.lines[position - 1]
        hashes = self.tree(size).inclusion_proof(position - 1)
        proof = TlogProof(position - 1, tuple(hashes), self.note(size))
        return {
            "position": position,
            "stream": str(line.entry.stream),
            "version": line.entry.version,
            "recorded_at": encode_time(line.entry.recorded_at),
            "leaf": leaf_hash(line.raw).hex(),
            "entry": line.raw.decode(),
            "proof": proof.encode().decode(),
        }

    def forge(self, position: int, **changes: object) -> None:
        """Alter fields of a stored entry, as a database administrator would."""
        line = self.lines[position - 1]
        self.lines[position - 1] = replace(line, raw=replace(line.entry, **changes).encode())


class Stored:
    """A log as the store's reader shows it."""

    def __init__(self, log: SignedLog) -> None:
        self._log = log

    def checkpoint(self):
        return len(self._log.lines), self._log.note()

    def entries(self, first, limit):
        rows = enumerate(self._log.lines[first - 1 : first - 1 + limit], first)
        return [(position, line.raw, leaf_hash(line.raw)) for position, line in rows]

    def envelopes(self, digests):
        stored = {line.entry.author.envelope: line.envelope for line in self._log.lines}
        return {digest: stored[digest] for digest in digests if digest in stored}

    def tiles(self, coordinates):
        tiles = self._log.tiles()
        return {place: tiles[place] for place in coordinates if place in tiles}

    def log_key_entries(self):
        entries = enumerate((line.entry for line in self._log.lines), 1)
        return [(at, one.encode()) for at, one in entries if one.topic.startswith("log.key-")]

    def inclusion_proof(self, index, size):
        return self._log.tree(size).inclusion_proof(index)


class MemorySource:
    """The files of a log; a test alters them freely."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


def small_log(children: int = 3, doses: int = 2) -> SignedLog:
    """Return a log with organisations, children and their doses, in an order that mixes them."""
    log = SignedLog()
    log.open()
    records = [log.add_child() for _ in range(children)]
    for version in range(1, doses + 1):
        for stream, recipient in records:
            log.add_dose(stream, recipient, version)
    return log
