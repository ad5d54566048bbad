"""Two records about one person: merged, and separated again, with both histories intact.

Nothing moves. The duplicate keeps its stream and its doses; from the merge on it takes corrections
alone, and the survivor reads as both together. Separated again, each reads as by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.calendar import civil_day
from domain.effect import Cause, CausedEffect
from domain.errors import DomainError
from domain.sealed import Fact
from domain.vocabulary import Code, Version

if TYPE_CHECKING:
    from domain.vaccination_record import VaccinationRecord


class RecordsNotAlike(DomainError):
    """A record cannot be a duplicate of itself or of a record of another kind."""

    code = "records-not-alike"
    zh = "档案不能与自身合并，儿童档案与成人档案不能合并。"


class RecordMerged(DomainError):
    """The record was merged into another; write there."""

    code = "record-merged"
    zh = "该档案已合并入另一档案，请在合并后的档案中办理。"


class HasMergedRecords(DomainError):
    """Records were merged into this one; merge the other way round, or separate them first."""

    code = "has-merged-records"
    zh = "已有档案合并入该档案，请反向合并或先拆分。"


class NotMerged(DomainError):
    """The other record is not merged into this one."""

    code = "not-merged"
    zh = "该档案未合并入此档案。"


def check_open(record: VaccinationRecord) -> None:
    """Refuse a record that was merged into another.

    Raises:
        RecordMerged: names the survivor.
    """
    if record.merged_into is not None:
        raise RecordMerged(survivor=str(record.merged_into))


def check_merge(survivor: VaccinationRecord, duplicate: VaccinationRecord) -> None:
    """Check a merge; there are no chains, so that each record knows all that it reads as.

    Raises:
        DomainError: RecordsNotAlike, RecordMerged or HasMergedRecords.
    """
    if survivor.id == duplicate.id or survivor.kind is not duplicate.kind:
        raise RecordsNotAlike
    check_open(survivor)
    check_open(duplicate)
    if duplicate.merged:
        raise HasMergedRecords(merged=sorted(map(str, duplicate.merged)))


def check_separation(survivor: VaccinationRecord, duplicate: UUID) -> None:
    """Check that a record is merged into another.

    Raises:
        NotMerged: it is not.
    """
    if duplicate not in survivor.merged:
        raise NotMerged


def check_other(record: VaccinationRecord, other: VaccinationRecord) -> None:
    """Check that two records can be told apart: they are two, and not merged.

    Raises:
        DomainError: RecordsNotAlike or RecordMerged.
    """
    if record.id == other.id:
        raise RecordsNotAlike
    check_open(record)
    check_open(other)


def merge(
    record: VaccinationRecord, duplicate: VaccinationRecord, *, recorded_at: datetime, **fields: Any
) -> None:
    """Read as another record too, which is about the same person; both get an event.

    Raises:
        DomainError: any of `check_merge`.
    """
    check_merge(record, duplicate)
    record.trigger_event(Merged, timestamp=recorded_at, duplicate=duplicate.id, **fields)
    duplicate.trigger_event(
        MergedInto, timestamp=recorded_at, survivor=record.id, derived=_at_once(record)
    )


def separate(
    record: VaccinationRecord, duplicate: VaccinationRecord, *, recorded_at: datetime, **fields: Any
) -> None:
    """Read without a record that was merged into this one; both get an event.

    Raises:
        NotMerged: it was not.
    """
    check_separation(record, duplicate.id)
    record.trigger_event(Separated, timestamp=recorded_at, duplicate=duplicate.id, **fields)
    duplicate.trigger_event(
        SeparatedFrom, timestamp=recorded_at, survivor=record.id, derived=_at_once(record)
    )


def tell_apart(
    record: VaccinationRecord, other: VaccinationRecord, *, recorded_at: datetime, **fields: Any
) -> None:
    """Note that another record, however alike, is about another person.

    Raises:
        DomainError: RecordsNotAlike or RecordMerged.
    """
    check_other(record, other)
    record.trigger_event(ToldApart, timestamp=recorded_at, other=other.id, **fields)


def _at_once(record: VaccinationRecord) -> CausedEffect:
    """What the event just triggered causes elsewhere, on the same day."""
    return CausedEffect(civil_day(record.modified_on), Cause(record.id, record.version))


class Merged(Fact):
    """Another record was found to be about the same person; this one reads as both from now on.

    Attributes:
        duplicate: stream of the other record.
        duplicate_version: version of it that was looked at.
        organisation: organisation that merged them.
        reason: why, as a code.
    """

    TOPIC = "vaccination-record.merged.v1"

    duplicate: UUID
    duplicate_version: Version
    organisation: UUID
    reason: Code

    def apply(self, aggregate: VaccinationRecord) -> None:
        """It reads as the other too."""
        aggregate.merged |= {self.duplicate}


class MergedInto(Fact):
    """This record was merged into another; written by the platform for the merge.

    Attributes:
        survivor: stream of the record that reads as both.
        derived: from when views show it, and the event that merged them.
    """

    TOPIC = "vaccination-record.merged-into.v1"

    survivor: UUID
    derived: CausedEffect

    def apply(self, aggregate: VaccinationRecord) -> None:
        """It takes corrections alone."""
        aggregate.merged_into = self.survivor


class Separated(Fact):
    """A merged record was found to be about another person after all.

    Attributes:
        duplicate: stream of the other record.
        organisation: organisation that separated them.
        reason: why, as a code.
    """

    TOPIC = "vaccination-record.separated.v1"

    duplicate: UUID
    organisation: UUID
    reason: Code

    def apply(self, aggregate: VaccinationRecord) -> None:
        """It reads as itself, and what else is merged into it."""
        aggregate.merged -= {self.duplicate}


class SeparatedFrom(Fact):
    """This record stands by itself again; written by the platform for the separation.

    Attributes:
        survivor: stream of the record that it was merged into.
        derived: from when views show it, and the event that separated them.
    """

    TOPIC = "vaccination-record.separated-from.v1"

    survivor: UUID
    derived: CausedEffect

    def apply(self, aggregate: VaccinationRecord) -> None:
        """It takes everything again."""
        aggregate.merged_into = None


class ToldApart(Fact):
    """Another record that is alike was found to be about another person, such as a twin.

    Attributes:
        other: stream of the other record.
        organisation: organisation that found it.
        reason: why, as a code.
    """

    TOPIC = "vaccination-record.told-apart.v1"

    other: UUID
    organisation: UUID
    reason: Code

    def apply(self, aggregate: VaccinationRecord) -> None:
        """The two are not shown as candidates any more."""
        aggregate.told_apart |= {self.other}
