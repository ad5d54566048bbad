"""A migrated log of its own for each test, and submissions to it."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

import psycopg
import pytest

from ledger.entry import Author, Entry
from ledger.store.append import Append, NewEvent
from ledger.store.writer import Writer

ORIGIN = "log.example/kaifeng"


@pytest.fixture
def databases(migrated_database):
    return migrated_database()


@pytest.fixture
def log_url(databases) -> str:
    return databases.log


@pytest.fixture
def rows(log_url) -> Callable[..., list[tuple]]:
    """Ask the log's database as its owner."""

    def ask(statement: str, *parameters: object) -> list[tuple]:
        with psycopg.connect(log_url, autocommit=True) as connection:
            return connection.execute(statement, parameters, binary=True).fetchall()

    return ask


@pytest.fixture
def writer(log_url) -> Iterator[Writer]:
    writer = Writer(log_url)
    yield writer
    writer.close()


@pytest.fixture
def make_event() -> Callable[..., NewEvent]:
    def make(
        stream: UUID,
        version: int = 1,
        *,
        recorded_at: datetime | None = None,
        division: str = "410225",
        data: dict | None = None,
    ) -> NewEvent:
        entry = Entry(
            origin=ORIGIN,
            topic="vaccination-record.dose-administered.v1",
            stream=stream,
            version=version,
            division=division,
            recorded_at=recorded_at or datetime.now(UTC),
            author=Author(str(UUID(int=7)), "1" * 64, "2" * 64),
            data=data or {"dose": "0.5 mL"},
            sealed=(),
        )
        return NewEvent.of(entry)

    return make


@pytest.fixture
def make_append(make_event) -> Callable[..., Append]:
    """Build a submission: one event of a new stream unless told otherwise."""
    counter = itertools.count()

    def make(*events: NewEvent, **other: object) -> Append:
        key = other.pop("key", uuid4())
        request = other.pop("request", None) or sha256(f"{key}{next(counter)}".encode()).digest()
        return Append(
            author=other.pop("author", UUID(int=7)),
            key=key,
            request=request,
            events=events or (make_event(uuid4()),),
            **other,
        )

    return make
