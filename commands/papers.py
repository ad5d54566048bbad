"""What schools keep of a child: check statements for good, registers till graduation (S-13, X-18).

The first statement of a record holds a claim of the log's store, and so does the first enrolment
of each school year and entry type. They are never given back. So whoever lets a record go sees what
is kept, and what came in meanwhile holds a claim that the decision wants, and wins.
"""

from collections.abc import Iterator
from uuid import UUID

from commands.reading import Reading
from domain.admission import latest_school_year
from domain.retention import Papers
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import EntryType
from ledger.store.append import Claim

PAPER = "school-paper"
"""Kind of claim: a paper about a record that is kept."""
_STATEMENT = b"statement"
_LAST = b"\xff"
_UUID_BYTES = 16


def statement_key(record: UUID) -> bytes:
    """What the claim of a record's statements is about."""
    return record.bytes + _STATEMENT


def register_key(record: UUID, entry_type: str, school_year: int) -> bytes:
    """What the claim of a record's registers of a school year is about."""
    return record.bytes + f"{entry_type} {school_year}".encode()


def first_of_its_kind(reading: Reading, key: bytes, stream: UUID) -> tuple[Claim, ...]:
    """The claim that a paper takes, where none of its kind holds it yet."""
    if reading.services.reader.claims.owner(PAPER, key) is not None:
        return ()
    return (Claim(PAPER, key, stream),)


def papers_of(reading: Reading, record: VaccinationRecord) -> Papers:
    """What is kept of a person, under this record and those that were merged into it."""
    rules, claims = reading.services.rules.roll_up, reading.services.reader.claims
    kept = [
        key[_UUID_BYTES:]
        for one in _ids(reading, record)
        for key in claims.held_within(PAPER, one.bytes, one.bytes + _LAST)
    ]
    years = [one.decode().split() for one in kept if one != _STATEMENT]
    return Papers(
        has_statement=_STATEMENT in kept,
        register_until=max(
            (rules.register_kept_until(EntryType(kind), int(year)) for kind, year in years),
            default=None,
        ),
    )


def nothing_came_in(reading: Reading, record: VaccinationRecord) -> Iterator[Claim]:
    """Claims of every paper that would have to be kept, taken and given back at once."""
    for one in _ids(reading, record):
        for key in (statement_key(one), *_registers_kept(reading, one)):
            yield Claim(PAPER, key, record.id)
            yield Claim(PAPER, key, record.id, release=True)


def _registers_kept(reading: Reading, record: UUID) -> Iterator[bytes]:
    rules, today = reading.services.rules.roll_up, reading.today
    for entry_type in EntryType:
        year = latest_school_year(today)
        while rules.register_kept_until(entry_type, year) >= today:
            yield register_key(record, entry_type, year)
            year -= 1


def _ids(reading: Reading, record: VaccinationRecord) -> list[UUID]:
    return [one.id for one in reading.with_merged(record)]
