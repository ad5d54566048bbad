"""Reading with a reason: what is noted before anyone sees a record, and closed each minute."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID, uuid5

from commands.principal import Principal, Role
from commands.recording import platform_signed, record, request_digest, statement_of
from commands.services import Services
from commands.vault import NOTHING_SEALED
from commands.writing import Decision, Effect
from domain.access_journal import AccessJournal
from ledger.entry import Entry
from ledger.store.access import AccessReader, Read, root_of
from ledger.store.errors import ClockBehind, VersionConflict

READER = "reader"
_NAMESPACE = UUID("5f0c4b6e-8f0a-4d0e-9b51-2f6d1c0d7a11")


class Purpose(StrEnum):
    """Why a record is read."""

    CARE = "care"
    SCHOOL_CHECK = "school-check"
    OVERSIGHT = "oversight"
    OUTBREAK = "outbreak"
    COMPLAINT = "complaint"
    AUDIT = "audit"
    OWN_RECORD = "own-record"
    MAINTENANCE = "maintenance"


DEFAULT_PURPOSES: Mapping[Role, Purpose] = {
    Role.CLINIC: Purpose.CARE,
    Role.SCHOOL: Purpose.SCHOOL_CHECK,
    Role.TOWNSHIP: Purpose.OVERSIGHT,
    Role.COUNTY_CDC: Purpose.OVERSIGHT,
    Role.CITY_CDC: Purpose.OVERSIGHT,
    Role.PROVINCE_CDC: Purpose.OVERSIGHT,
    Role.EDUCATION: Purpose.OVERSIGHT,
    Role.REGULATOR: Purpose.AUDIT,
    Role.INTEGRATOR: Purpose.MAINTENANCE,
    Role.GUARDIAN: Purpose.OWN_RECORD,
    Role.ADULT: Purpose.OWN_RECORD,
    Role.OPERATOR: Purpose.MAINTENANCE,
}
"""What counts where the caller states none."""


def read_of(
    services: Services,
    caller: Principal,
    what: str,
    records: Collection[UUID],
    purpose: Purpose | None = None,
) -> Read:
    """What the journal says of a read.

    Args:
        services: The running parts.
        caller: Who reads; of the subject only a keyed digest is kept.
        what: Which view.
        records: Whose.
        purpose: Why; the role's own purpose when absent.
    """
    return Read(
        id=UUID(bytes=services.random(16), version=4),
        at=services.clock(),
        organisation=None if caller.identity is not None else caller.organisation,
        role=str(caller.role),
        reader=services.vault.keys.digest(READER, caller.subject),
        purpose=str(purpose or DEFAULT_PURPOSES[caller.role]),
        what=what,
        records=tuple(records),
    )


def close_minutes(services: Services, journal: AccessReader) -> int:
    """Log the root of every past minute in which somebody read; return how many were logged.

    Safe to run twice and by two processes at once: a minute's stream has always the same id.
    """
    journal.close_past()
    minutes = journal.unlogged()
    for minute in minutes:
        # Closed is durable before this. Died before the append: the next round finds the minute
        # again; died after it, the append is found in the log and only noted.
        _log(services, minute, journal.minute(minute))
        journal.note_logged(minute)
    return len(minutes)


@dataclass(frozen=True, slots=True)
class Broken:
    """A minute whose rows are not those that the log closed."""

    minute: str
    reason: str


def check_journal(journal: AccessReader, closings: Iterable[Entry]) -> tuple[int, list[Broken]]:
    """Compare the journal with what the log says of it.

    Args:
        journal: The rows.
        closings: Every `access-journal.closed.v1` of the log.

    Returns:
        How many rows are as the log closed them, and what is not.
    """
    broken, sound = [], 0
    unseen = {spell(minute) for minute in journal.closed_minutes()}
    for entry in closings:
        minute = str(entry.data["minute"])
        unseen.discard(minute)
        reads = journal.minute(datetime.fromisoformat(minute))
        if len(reads) != entry.data["reads"]:
            broken.append(Broken(minute, f"{len(reads)} rows of {entry.data['reads']}"))
        elif root_of(reads).hex() != entry.data["root"]:
            broken.append(Broken(minute, "a row is another"))
        else:
            sound += len(reads)
    pending = {spell(minute) for minute in journal.unlogged()}
    broken += [Broken(minute, "the log has no closing") for minute in sorted(unseen - pending)]
    return sound, broken


def spell(minute: datetime) -> str:
    """A minute as the log writes it."""
    return minute.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _log(services: Services, minute: datetime, reads: Collection[Read]) -> None:
    text, platform = spell(minute), services.platform
    stream = uuid5(_NAMESPACE, f"{platform.origin} {text}")
    closing = AccessJournal.close(
        stream,
        recorded_at=services.clock(),
        minute=text,
        division=services.directory.organisation(platform.organisation).division,
        reads=len(reads),
        root=root_of(reads).hex(),
    )
    statement = statement_of(services, closing, Effect(closing), stream)
    try:
        record(
            services,
            Decision(closing, NOTHING_SEALED),
            key=stream,
            request=request_digest(statement.encode()),
            signed=platform_signed(services, statement),
        )
    except (VersionConflict, ClockBehind):
        if not services.reader.stream(stream):
            raise  # not another process's closing of the same minute
