"""What a school finds of a child: re-checks after make-up, and checks after corrections (S-12).

Both are decided here from a verdict of the rules; `domain.enrolment` keeps what was decided.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.calendar import civil_day
from domain.errors import DomainError
from domain.schedules.verdict import Verdict
from domain.verdict import Finding, MadeUp, cells, given_on
from domain.vocabulary import Version

Cell = tuple[str, int]
"""A dose of a check: vaccine group and dose number."""


class AlreadyChecked(DomainError):
    """The enrolment has been checked; what follows is a re-check."""

    code = "already-checked"
    zh = "该儿童已查验，后续请做补种复核。"


class NotChecked(DomainError):
    """The enrolment has not been checked yet."""

    code = "not-checked"
    zh = "该儿童尚未查验。"


class CheckInFuture(DomainError):
    """The day lies in the future."""

    code = "check-in-future"
    zh = "日期晚于今天。"


class BeforeCheck(DomainError):
    """The day lies before the check."""

    code = "before-check"
    zh = "日期早于查验日期。"


class CertificateNotMissing(DomainError):
    """The child had a certificate at the check, or has got one since."""

    code = "certificate-not-missing"
    zh = "该儿童查验时有接种证，或已补证。"


class NothingToMakeUp(DomainError):
    """Nothing was missing at the check."""

    code = "nothing-to-make-up"
    zh = "查验时没有漏种，无须复核。"


class CorrectionOfAnother(DomainError):
    """The correction is another child's, was not applied, or does not count yet."""

    code = "correction-of-another"
    zh = "该更正不属于此儿童，或尚未实施、生效。"


class AlreadyRestated(DomainError):
    """The check was looked at again since this correction."""

    code = "already-restated"
    zh = "已按该更正重述过此次查验。"


@dataclass(frozen=True)
class Recheck:
    """What a re-check found.

    Attributes:
        made_up: doses missing at the check that are given now.
        completed: whether none is missing any more (annex 3 column 30).
        record_version: version of the vaccination record that was judged.
        uncertified: doses that are given, but not written on the statement yet (S-16).
    """

    made_up: tuple[MadeUp, ...]
    completed: bool
    record_version: Version
    uncertified: tuple[MadeUp, ...] | None = None

    @classmethod
    def of(
        cls,
        found: Finding,
        verdict: Verdict,
        record_version: int,
        certified: Collection[Cell] | None,
    ) -> Recheck:
        """Fill the cells missing at the check that are given and certified now.

        Args:
            found: what the check found.
            verdict: what the requirements say of the record on the day of the re-check.
            record_version: version of the record that was judged.
            certified: rows of the statement that the clinic has completed; None for all.

        Raises:
            NothingToMakeUp: the check found nothing missing.
        """
        before = cells(found.missing)
        if not before:
            raise NothingToMakeUp
        lacking = lacking_of(verdict)
        given = [
            MadeUp(group, number, day)
            for group, number in before
            if (group, number) not in lacking and (day := given_on(verdict, group, number))
        ]
        made_up = tuple(one for one in given if _is_certified(one, certified))
        waiting = tuple(one for one in given if not _is_certified(one, certified))
        return cls(made_up, len(made_up) == len(before), record_version, waiting or None)


@dataclass(frozen=True)
class Restated(Finding):
    """What a check reads after the record was corrected, with what was made up of it so far.

    Attributes:
        made_up: doses of these that were made up since.
        completed: whether none is missing any more; absent before a re-check.
    """

    made_up: tuple[MadeUp, ...] = field(kw_only=True)
    completed: bool | None = None

    @classmethod
    def by(cls, finding: Finding, earlier: Recheck | None, lacking: Collection[Cell]) -> Restated:
        """Keep of what was made up what the corrected record still says.

        Args:
            finding: what the requirements say of the corrected record on the day of the check.
            earlier: the newest re-check; None before any.
            lacking: doses that the corrected record lacks on the day of that re-check.
        """
        missing = set(cells(finding.missing))
        made_up = tuple(
            one
            for one in (earlier.made_up if earlier else ())
            if (cell := (one.vaccine_group, one.dose_number)) in missing and cell not in lacking
        )
        completed = len(made_up) == len(missing) if earlier and missing else None
        return cls(**vars(finding), made_up=made_up, completed=completed)


def lacking_of(verdict: Verdict) -> frozenset[Cell]:
    """Doses that a record lacks, to be made up or exempt."""
    now = Finding.of(verdict, 1)
    return frozenset((*cells(now.missing), *cells(now.exempt)))


def check_not_future(day: date, recorded_at: datetime) -> None:
    """Refuse a day that has not come.

    Raises:
        CheckInFuture: likewise.
    """
    today = civil_day(recorded_at)
    if day > today:
        raise CheckInFuture(day=day.isoformat(), today=today.isoformat())


def check_later(checked_on: date | None, day: date, recorded_at: datetime) -> None:
    """Refuse what cannot follow the check on a day.

    Raises:
        DomainError: NotChecked, CheckInFuture or BeforeCheck.
    """
    if checked_on is None:
        raise NotChecked
    check_not_future(day, recorded_at)
    if day < checked_on:
        raise BeforeCheck(day=day.isoformat(), checked_on=checked_on.isoformat())


def _is_certified(one: MadeUp, certified: Collection[Cell] | None) -> bool:
    return certified is None or (one.vaccine_group, one.dose_number) in certified
