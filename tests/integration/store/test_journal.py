"""Aggregates saved into the log and loaded from it again."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.domain import Aggregate, AggregateCreated, AggregateEvent
from eventsourcing.persistence import MapperDeserialisationError, ProgrammingError

from ledger.entry import Entry
from ledger.store.append import Blob, Claim, Guard, NewEvent
from ledger.store.connections import open_pool
from ledger.store.errors import GuardFailed, VersionConflict
from ledger.store.journal import Journal, Write
from ledger.store.mapping import Codec, EntryMapper, Signed
from ledger.store.reading import ROLE
from ledger.store.recorder import LedgerRecorder

ORIGIN = "log.example/kaifeng"
NOW = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
CLINIC = Signed(UUID(int=7), "ab" * 32, b"an envelope")
PLATFORM = Signed(UUID(int=8), "cd" * 32, b"another envelope")


@dataclass(frozen=True)
class Part:
    subject: UUID
    sha256: str


class Booklet(Aggregate):
    """A stand-in for what the domain has: the ledger knows nothing of vaccines."""

    TOPIC = "booklet"

    class Event(AggregateEvent):
        TOPIC = "booklet.event.v1"
        sealed: tuple[Part, ...] = field(default=(), kw_only=True)

    class Opened(Event, AggregateCreated):
        TOPIC = "booklet.opened.v1"
        where: str

    class Stamped(Event):
        TOPIC = "booklet.stamped.v1"
        stamp: str

        def apply(self, aggregate) -> None:
            aggregate.stamps.append(self.stamp)

    @classmethod
    def open(cls, booklet: UUID, where: str) -> "Booklet":
        return cls._create(cls.Opened, id=booklet, where=where, timestamp=NOW)

    def __init__(self, where: str) -> None:
        self.division = where
        self.stamps: list[str] = []

    def stamp(self, stamp: str, *sealed: Part) -> None:
        self.trigger_event(self.Stamped, stamp=stamp, sealed=sealed, timestamp=NOW)


def restore(cls, frame, data) -> Booklet.Event:
    topic = {"originator_topic": "booklet"} if cls is Booklet.Opened else {}
    return cls(**frame, **topic, **data)


def part(subject: str, sha256: str) -> Part:
    return Part(UUID(subject), sha256)


def encode(event) -> dict:
    frame = {"originator_id", "originator_version", "originator_topic", "timestamp", "sealed"}
    return {name: value for name, value in vars(event).items() if name not in frame}


CODEC = Codec({cls.TOPIC: cls for cls in (Booklet.Opened, Booklet.Stamped)}, encode, restore, part)


@pytest.fixture
def recorder(log_url, writer):
    with open_pool(log_url, ROLE, size=2) as pool:
        yield LedgerRecorder(pool, writer)


@pytest.fixture
def journal(recorder) -> Journal:
    return Journal(recorder, origin=ORIGIN, codec=CODEC)


def write(*signed: Signed, key: UUID | None = None, request: bytes = b"", **other) -> Write:
    return Write(
        author=UUID(int=7),
        key=key or uuid4(),
        request=sha256(request).digest(),
        signed=signed or (CLINIC,),
        **other,
    )


def test_an_aggregate_comes_back_as_it_was_saved(journal):
    booklet = Booklet.open(uuid4(), "410225")
    for stamp in ("HepB", "BCG", "甲肝"):
        booklet.stamp(stamp)
    saved = journal.save(booklet, write=write())
    assert [one.notification.id for one in saved] == [1, 2, 3, 4]
    assert not saved.appended.replayed
    loaded = journal.repository.get(booklet.id)
    assert loaded == booklet
    assert (loaded.version, loaded.stamps) == (4, ["HepB", "BCG", "甲肝"])
    assert loaded.modified_on == NOW
    assert journal.repository.get(booklet.id, version=2).stamps == ["HepB"]


def test_the_stored_bytes_are_the_entry(journal, rows):
    booklet = Booklet.open(uuid4(), "410225001")
    journal.save(booklet, write=write())
    ((raw, topic, division),) = rows("SELECT entry, topic, division FROM ledger.entries")
    entry = Entry.decode(raw)
    assert (topic, division) == ("booklet.opened.v1", "410225001")
    assert (entry.origin, entry.stream, entry.version) == (ORIGIN, booklet.id, 1)
    assert (entry.recorded_at, entry.data) == (NOW, {"where": "410225001"})
    assert entry.author.envelope == sha256(CLINIC.envelope).hexdigest()
    assert b"Booklet" not in raw  # no class path is ever stored
    assert rows("SELECT envelope FROM ledger.envelopes") == [(CLINIC.envelope,)]


def test_several_aggregates_are_saved_together_each_event_under_its_own_author(journal, rows):
    first, second = Booklet.open(uuid4(), "410225"), Booklet.open(uuid4(), "410102")
    second.stamp("HepB")
    journal.save(first, second, write=write(CLINIC, PLATFORM, CLINIC))
    authors = [
        Entry.decode(raw).author.org
        for (raw,) in rows("SELECT entry FROM ledger.entries ORDER BY position")
    ]
    assert authors == [str(CLINIC.org), str(PLATFORM.org), str(CLINIC.org)]
    assert rows("SELECT count(*) FROM ledger.envelopes") == [(2,)]


def test_sealed_parts_come_with_their_blobs(journal, rows):
    booklet, person, blob = Booklet.open(uuid4(), "410225"), uuid4(), b"\x01 sealed"
    booklet.stamp("HepB", Part(person, sha256(blob).hexdigest()))
    journal.save(booklet, write=write(blobs=(Blob(person, blob, 1),)))
    assert rows("SELECT position, blob FROM ledger.blobs") == [(2, blob)]
    (_, stamped) = journal.events.get(booklet.id)
    assert stamped.sealed == (Part(person, sha256(blob).hexdigest()),)


def test_blobs_that_no_event_names_or_names_without_blobs_are_refused(journal, rows):
    orphan = write(blobs=(Blob(uuid4(), b"blob", 0),))
    with pytest.raises(ProgrammingError):
        journal.save(Booklet.open(uuid4(), "410225"), write=orphan)
    booklet = Booklet.open(uuid4(), "410225")
    booklet.stamp("HepB", Part(uuid4(), "0" * 64))
    with pytest.raises(ProgrammingError):
        journal.save(booklet, write=write())
    assert rows("SELECT size FROM ledger.head") == [(0,)]


def test_an_event_needs_an_author_and_a_division(journal):
    with pytest.raises(ProgrammingError):
        journal.save(Booklet.open(uuid4(), "410225"))
    with pytest.raises(ProgrammingError):
        journal.save(Booklet.open(uuid4(), "410225"), write=write(CLINIC, PLATFORM))
    nowhere = Booklet.open(uuid4(), "410225")
    del nowhere.division
    with pytest.raises(ProgrammingError):
        journal.save(nowhere, write=write())


def test_nothing_to_save_appends_nothing(journal, rows):
    assert journal.save(write=write()) == []
    assert rows("SELECT size FROM ledger.head") == [(0,)]


def test_of_two_who_decide_on_one_version_the_second_is_told(journal):
    booklet = Booklet.open(uuid4(), "410225")
    journal.save(booklet, write=write())
    mine, theirs = (journal.repository.get(booklet.id) for _ in range(2))
    mine.stamp("HepB")
    theirs.stamp("BCG")
    journal.save(theirs, write=write())
    with pytest.raises(VersionConflict):
        journal.save(mine, write=write())
    assert journal.repository.get(booklet.id).stamps == ["BCG"]


def test_guards_and_claims_travel_with_the_save(journal, rows):
    clinic, booklet = Booklet.open(uuid4(), "410225"), Booklet.open(uuid4(), "410225")
    journal.save(clinic, write=write())
    claim = Claim("package-code", b"81", booklet.id)
    with pytest.raises(GuardFailed):
        journal.save(booklet, write=write(guards=(Guard(clinic.id, 2),), claims=(claim,)))
    booklet = Booklet.open(booklet.id, "410225")
    journal.save(booklet, write=write(guards=(Guard(clinic.id, 1),), claims=(claim,)))
    assert rows("SELECT stream, position FROM ledger.claims") == [(booklet.id, 2)]


def test_a_replay_brings_what_the_first_save_stored(journal):
    key = uuid4()
    first = Booklet.open(uuid4(), "410225")
    original = journal.save(first, write=write(key=key))
    again = Booklet.open(uuid4(), "410225")
    replay = journal.save(again, write=write(key=key))
    assert replay.appended.replayed
    assert list(replay) == list(original)
    with pytest.raises(AggregateNotFoundError):
        journal.repository.get(again.id)


def test_a_stored_entry_of_an_unknown_topic_is_an_error_with_its_place(
    journal, writer, make_append, make_event
):
    stream = uuid4()
    writer.submit(make_append(make_event(stream))).result(30)
    with pytest.raises(MapperDeserialisationError, match=str(stream)):
        journal.repository.get(stream)


def test_bytes_that_are_no_entry_are_an_error_with_their_place(
    journal, writer, make_append, make_event
):
    event = make_event(uuid4())
    broken = NewEvent(event.stream, 1, event.topic, "410225", NOW, b"{}", event.leaf)
    writer.submit(make_append(broken)).result(30)
    with pytest.raises(MapperDeserialisationError):
        journal.repository.get(event.stream)


def test_an_event_without_author_has_no_stored_form():
    with pytest.raises(TypeError):
        EntryMapper(ORIGIN, CODEC).to_stored_event(
            Booklet.open(uuid4(), "410225").pending_events[0]
        )


def test_the_environment_of_the_process_configures_nothing(recorder, monkeypatch):
    monkeypatch.setenv("PERSISTENCE_MODULE", "no.such.module")
    monkeypatch.setenv("AGGREGATE_CACHE_MAXSIZE", "10")
    journal = Journal(recorder, origin=ORIGIN, codec=CODEC)
    assert journal.repository.cache is None
