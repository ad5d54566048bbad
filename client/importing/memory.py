"""What an importer remembers of a source system: which of its rows stand where in the log.

A file of its own beside the clinic's data, in SQLite, so that a power cut leaves what was before or
after a step. It holds digests under a secret of its own and random ids, no personal value. Lost, it
costs the diffs: what was imported is still never written twice, because idempotency keys are made
from the author's key and the source's row ids.
"""

import hmac
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from client.errors import ClientError
from client.signing import AuthorKey
from ledger.jcs import canonical

DIGEST_BYTES = 16
_MODE = 0o600
_PURPOSE = "import"
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_, *_PARTS = _NAME.split(resources.files(__package__).joinpath("memory.sql").read_text("utf-8"))
_SQL: Mapping[str, str] = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))


class ImportMemoryError(ClientError):
    """This memory is of another log, clinic or source system, or damaged."""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person of the source system.

    Attributes:
        key: Digest of their id there.
        content: Digest of their values.
        record: Stream of their record.
        handle: Their handle there.
        guardian: Handle of the guardian.
        version: Of the record, as far as is known; 0 before it is registered.
        is_found: Whether another registration than this importer's made the record.
    """

    key: bytes
    content: bytes
    record: UUID
    handle: UUID
    guardian: UUID
    version: int = 0
    is_found: bool = False


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row of the source system.

    Attributes:
        key: Digest of its id there.
        content: Digest of its values.
        person: Digest of the person's id.
        dose: Id of the dose, None for a row that made none.
        version: Of the record, as the statement that was last signed of it expected; 0 before.
        position: Where it stands in the log; 0 as long as that is not known.
        proposed: Digest of the values that a correction was asked for.
    """

    key: bytes
    content: bytes
    person: bytes
    dose: UUID | None
    version: int = 0
    position: int = 0
    proposed: bytes | None = None


class ImportMemory:
    """The memory of one source system at one clinic.

    Args:
        database: The open file.
        secret: What its digests are made under.
    """

    def __init__(self, database: sqlite3.Connection, secret: bytes) -> None:
        self._database = database
        self._secret = secret

    @classmethod
    @contextmanager
    def open(cls, path: Path, origin: str, system: str, key: AuthorKey) -> Iterator[Self]:
        """Open a memory, or begin one.

        Args:
            path: The file; its folder exists.
            origin: The log.
            system: Name of the source system.
            key: The clinic's key; it makes the secret of a new memory.

        Raises:
            ImportMemoryError: It is another one's.
            OSError: It cannot be read or written.
        """
        path.touch(_MODE)
        database = sqlite3.connect(path, isolation_level=None)
        try:
            database.executescript(_SQL["open"])
            found = database.execute(_SQL["select_memory"]).fetchone()
            whose = (origin, str(key.organisation), system)
            if found is None:
                found = (*whose, key.derive(f"{_PURPOSE} {origin} {system}"))
                database.execute(_SQL["insert_memory"], found)
            if found[:-1] != whose:
                raise ImportMemoryError(origin=found[0], organisation=found[1], system=found[2])
            yield cls(database, found[-1])
        except sqlite3.DatabaseError as error:
            raise ImportMemoryError(reason=str(error)) from error
        finally:
            database.close()

    @contextmanager
    def step(self, *, keep: bool = True) -> Iterator[None]:
        """Make changes that are durable together at the end; or, if not to be kept, forgotten."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT" if keep else "ROLLBACK")

    def digest(self, kind: str, *values: Any) -> bytes:
        """Return 32 bytes that stand for values, and tell nobody else anything of them."""
        return hmac.digest(self._secret, canonical([kind, *values]), sha256)

    def key(self, kind: str, *values: Any) -> bytes:
        """Return the 16 bytes by which something is known here."""
        return self.digest(kind, *values)[:DIGEST_BYTES]

    def person(self, key: bytes) -> KnownPerson | None:
        """Return a person, None if unknown."""
        row = self._database.execute(_SQL["select_person"], [key]).fetchone()
        if row is None:
            return None
        content, *ids, version, is_found = row
        record, handle, guardian = (UUID(bytes=one) for one in ids)
        return KnownPerson(key, content, record, handle, guardian, version, bool(is_found))

    def keep_person(self, person: KnownPerson) -> None:
        """Remember a person, or what is new of them."""
        ids = [one.bytes for one in (person.record, person.handle, person.guardian)]
        values = [person.key, person.content, *ids, person.version, person.is_found]
        self._database.execute(_SQL["upsert_person"], values)

    def row(self, key: bytes) -> KnownRow | None:
        """Return a row, None if unknown."""
        row = self._database.execute(_SQL["select_row"], [key]).fetchone()
        if row is None:
            return None
        content, person, dose, *more = row
        return KnownRow(key, content, person, UUID(bytes=dose) if dose else None, *more)

    def keep_row(self, row: KnownRow) -> None:
        """Remember a row, or what is new of it."""
        dose = row.dose.bytes if row.dose else None
        values = [row.key, row.content, row.person, dose, row.version, row.position, row.proposed]
        self._database.execute(_SQL["upsert_row"], values)

    def row_of_dose(self, given: bytes) -> bytes | None:
        """Return the row that told of a dose (person, vaccine, day), None if none did."""
        row = self._database.execute(_SQL["select_dose"], [given]).fetchone()
        return bytes(row[0]) if row else None

    def keep_dose(self, given: bytes, row: bytes) -> None:
        """Remember which row told of a dose."""
        self._database.execute(_SQL["upsert_dose"], [given, row])

    def forget_row(self, key: bytes, given: bytes) -> None:
        """Forget a row that was refused, and the dose that it told of."""
        self._database.execute(_SQL["delete_row"], [key])
        self._database.execute(_SQL["delete_dose"], [given, key])

    def progress(self, reviewed: bytes) -> tuple[int, int]:
        """Return how many rows of a review were applied, and how long the outcomes are."""
        row = self._database.execute(_SQL["select_run"], [reviewed]).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def keep_progress(self, reviewed: bytes, rows: int, outcome_bytes: int) -> None:
        """Remember how far the application of a review is."""
        self._database.execute(_SQL["upsert_run"], [reviewed, rows, outcome_bytes])
