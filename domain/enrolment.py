"""A child at a school: enrolment, the check of its vaccinations, make-up and re-check (S)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.errors import DomainError
from domain.organisation import Organisation, OrganisationKind
from domain.schedules.verdict import Verdict
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.verdict import Finding, MadeUp, cells, given_on
from domain.vocabulary import Division, EntryType, Name, Version, Year


class Channel(StrEnum):
    """How a notice reached the parents (S-6)."""

    PAPER = "paper"
    SCHOOL_MESSAGE = "school-message"
    WECHAT = "wechat"
    PHONE = "phone"
    MEETING = "meeting"


class Admission(StrEnum):
    """How a child came to the school (S-2)."""

    NEW = "new"
    TRANSFER = "transfer"
    VISITING = "visiting"
    SPRING = "spring"


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


@dataclass(frozen=True)
class Restated(Finding):
    """What a check reads after the record was corrected, with what was made up of it so far.

    Attributes:
        made_up: doses of these that were made up since.
        completed: whether none is missing any more; absent before a re-check.
    """

    made_up: tuple[MadeUp, ...] = field(kw_only=True)
    completed: bool | None = None


class NotASchool(DomainError):
    """Only a kindergarten or a school may do this."""

    code = "not-a-school"
    zh = "只有托幼机构、学校可以办理此项。"


class EntryTypeDiffers(DomainError):
    """The school is not of this entry type, or stands elsewhere."""

    code = "entry-type-differs"
    zh = "入学类型或行政区划与机构不一致。"


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
    """The correction is another record's, or it was not applied."""

    code = "correction-of-another"
    zh = "该更正不属于此儿童，或尚未实施。"


class NothingRestated(DomainError):
    """The corrected record says of the check what was found before."""

    code = "nothing-restated"
    zh = "更正后查验结果不变，无须重述。"


class Enrolment(BaseAggregate[UUID]):
    """One child at one school for one school year."""

    TOPIC = "enrolment"
    Event = Fact

    def __init__(self, record: UUID, institution: UUID, division: str, school_year: int) -> None:
        self.record = record
        self.institution = institution
        self.division = division
        self.school_year = school_year
        self.class_name = ""
        self.checked_on: date | None = None
        self.has_certificate: bool | None = None
        self.finding: Finding | None = None
        self.reissued_on: date | None = None
        self.recheck_found: Recheck | None = None

    @classmethod
    def enrol(
        cls,
        stream: UUID,
        *,
        institution_facts: Organisation,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Enrol a child (S-2).

        Args:
            stream: id of the new stream.
            institution_facts: the organisation named as `institution`.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `enrolment.enrolled.v1`.

        Raises:
            DomainError: NotASchool or EntryTypeDiffers.
        """
        school = institution_facts
        if school.kind is not OrganisationKind.SCHOOL or school.institution_type is None:
            raise NotASchool(kind=school.kind.value)
        if (school.institution_type.value, school.division) != (
            fields["entry_type"].value,
            fields["division"],
        ):
            raise EntryTypeDiffers(
                institution_type=school.institution_type.value, division=school.division
            )
        return cls._create(
            event_class=cls.Enrolled, id=stream, timestamp=recorded_at, sealed=sealed, **fields
        )

    def check(
        self,
        *,
        finding: Finding,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Check certificate and doses, once (S-3).

        Args:
            finding: what the requirements in force say of the record on `checked_on`.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `enrolment.checked.v1`.

        Raises:
            DomainError: AlreadyChecked or CheckInFuture.
        """
        if self.checked_on is not None:
            raise AlreadyChecked(checked_on=self.checked_on.isoformat())
        _check_not_future(fields["checked_on"], recorded_at)
        self.trigger_event(
            self.Checked, timestamp=recorded_at, sealed=sealed, derived=finding, **fields
        )

    def reissue_certificate(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Note that a child without certificate got one again (S-10).

        Raises:
            DomainError: NotChecked, CertificateNotMissing, CheckInFuture or BeforeCheck.
        """
        self._check_later(fields["reissued_on"], recorded_at)
        if self.has_certificate or self.reissued_on is not None:
            raise CertificateNotMissing
        self.trigger_event(self.CertificateReissued, timestamp=recorded_at, sealed=sealed, **fields)

    def recheck(
        self,
        *,
        verdict: Verdict,
        record_version: int,
        certified: Collection[tuple[str, int]] | None = None,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Look again after make-up (S-12): cells missing at the check that are filled now.

        Doses that a birthday since the check newly asks for are no part of this (X-20).

        Args:
            verdict: what the requirements say of the record on `rechecked_on`.
            record_version: version of the record that was judged.
            certified: rows of the statement that the clinic has completed; None where the school
                was shown no statement. Given, but not certified: the cell stays `/` (S-16).
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `enrolment.rechecked.v1`.

        Raises:
            DomainError: NotChecked, NothingToMakeUp, CheckInFuture or BeforeCheck.
        """
        self._check_later(fields["rechecked_on"], recorded_at)
        assert self.finding is not None, "a checked enrolment has its finding"
        before = cells(self.finding.missing)
        if not before:
            raise NothingToMakeUp
        now = Finding.of(verdict, record_version)
        lacking = {*cells(now.missing), *cells(now.exempt)}
        given = [
            MadeUp(group, number, day)
            for group, number in before
            if (group, number) not in lacking and (day := given_on(verdict, group, number))
        ]
        made_up = tuple(one for one in given if _is_certified(one, certified))
        waiting = tuple(one for one in given if not _is_certified(one, certified))
        found = Recheck(made_up, len(made_up) == len(before), record_version, waiting or None)
        self.trigger_event(
            self.Rechecked, timestamp=recorded_at, sealed=sealed, derived=found, **fields
        )

    def restate(
        self,
        *,
        finding: Finding,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Let the check read what the corrected record says of its day.

        Column 7 keeps what a check found against make-up (S-36), not against a correction.

        Args:
            finding: what the requirements say of the corrected record on the day of the check.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `enrolment.check-restated.v1`.

        Raises:
            DomainError: NotChecked or NothingRestated.
        """
        if self.finding is None:
            raise NotChecked
        if _said(finding) == _said(self.finding):
            raise NothingRestated
        missing = set(cells(finding.missing))
        earlier = self.recheck_found.made_up if self.recheck_found else ()
        made_up = tuple(one for one in earlier if (one.vaccine_group, one.dose_number) in missing)
        completed = len(made_up) == len(missing) if self.recheck_found and missing else None
        found = Restated(**vars(finding), made_up=made_up, completed=completed)
        self.trigger_event(
            self.CheckRestated, timestamp=recorded_at, sealed=sealed, derived=found, **fields
        )

    def give_notice(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Note that the parents were given annex 1, for the first time or again (S-6).

        Raises:
            CheckInFuture: the day lies in the future.
        """
        _check_not_future(fields["given_on"], recorded_at)
        self.trigger_event(self.NoticeGiven, timestamp=recorded_at, sealed=sealed, **fields)

    def _check_later(self, day: date, recorded_at: datetime) -> None:
        if self.checked_on is None:
            raise NotChecked
        _check_not_future(day, recorded_at)
        if day < self.checked_on:
            raise BeforeCheck(day=day.isoformat(), checked_on=self.checked_on.isoformat())

    class Enrolled(Fact, AggregateCreated):
        """A child was enrolled (S-2).

        Attributes:
            record: stream of the vaccination record.
            institution: the school.
            division: division of the school.
            school_year: calendar year in which the school year starts.
            class_name: class, as the school names it.
            entry_type: 入托 or 入学.
            admission: how the child came.
            number: number in the class register (annex 3 column 1).
            joined_on: first civil day at the school.
        """

        TOPIC = "enrolment.enrolled.v1"

        record: UUID
        institution: UUID
        division: Division
        school_year: Year
        class_name: Name
        entry_type: EntryType
        admission: Admission
        number: Annotated[int, Size(1, 9999)]
        joined_on: date

        def apply(self, aggregate: Enrolment) -> None:
            """Take the class."""
            aggregate.class_name = self.class_name

    class Checked(Fact):
        """The school checked certificate and doses (S-3).

        Attributes:
            checked_on: civil day of the check.
            has_certificate: whether the child has a certificate.
            derived: what the check found.
        """

        TOPIC = "enrolment.checked.v1"

        checked_on: date
        has_certificate: bool
        derived: Finding

        def apply(self, aggregate: Enrolment) -> None:
            """Keep the finding: column 7 never changes afterwards (S-36)."""
            aggregate.checked_on = self.checked_on
            aggregate.has_certificate = self.has_certificate
            aggregate.finding = self.derived

    class CertificateReissued(Fact):
        """A child without certificate got one again (S-10).

        Attributes:
            reissued_on: civil day of the reissue.
        """

        TOPIC = "enrolment.certificate-reissued.v1"

        reissued_on: date

        def apply(self, aggregate: Enrolment) -> None:
            """Keep the day: annex 3 has no column for it (S-37)."""
            aggregate.reissued_on = self.reissued_on

    class Rechecked(Fact):
        """The school looked again after make-up (S-12).

        Attributes:
            rechecked_on: civil day of the re-check.
            derived: what was made up since the check.
            statement: the check statement that the school was shown.
        """

        TOPIC = "enrolment.rechecked.v1"

        rechecked_on: date
        derived: Recheck
        statement: UUID | None = None

        def apply(self, aggregate: Enrolment) -> None:
            """Made-up cells stay in the missed subtotal (S-36)."""
            aggregate.recheck_found = self.derived

    class CheckRestated(Fact):
        """The check reads otherwise since its record was corrected.

        Attributes:
            correction: the correction that was applied to the record.
            derived: what the check reads now.
        """

        TOPIC = "enrolment.check-restated.v1"

        correction: UUID
        derived: Restated

        def apply(self, aggregate: Enrolment) -> None:
            """The finding, and of what was made up only what is still missing."""
            found = self.derived
            aggregate.finding = found
            if aggregate.recheck_found is not None:
                aggregate.recheck_found = Recheck(
                    found.made_up, bool(found.completed), found.record_version
                )

    class NoticeGiven(Fact):
        """The parents were given the notice of annex 1 (S-6).

        Attributes:
            given_on: civil day.
            channel: how it reached them.
        """

        TOPIC = "enrolment.notice-given.v1"

        given_on: date
        channel: Channel

        def apply(self, aggregate: Enrolment) -> None:
            """It decides nothing later."""


def _said(finding: Finding) -> tuple[Any, ...]:
    """What the forms show of a finding."""
    return finding.complete, finding.missing, finding.exempt


def _is_certified(one: MadeUp, certified: Collection[tuple[str, int]] | None) -> bool:
    return certified is None or (one.vaccine_group, one.dose_number) in certified


def _check_not_future(day: date, recorded_at: datetime) -> None:
    today = civil_day(recorded_at)
    if day > today:
        raise CheckInFuture(day=day.isoformat(), today=today.isoformat())
