"""A child at a school: enrolment, the check of its vaccinations, make-up and re-check (S)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.admission import Admission, Channel, check_admits
from domain.organisation import Organisation
from domain.schedules.verdict import Verdict
from domain.school_check import (
    AlreadyChecked,
    AlreadyRestated,
    Cell,
    CertificateNotMissing,
    NotChecked,
    Recheck,
    Restated,
    check_later,
    check_not_future,
)
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.verdict import Finding
from domain.vocabulary import Division, EntryType, Name, Year


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
        self.rechecked_on: date | None = None
        self.recheck_found: Recheck | None = None
        self.restated_by: set[UUID] = set()

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
        check_admits(institution_facts, fields["entry_type"], fields["division"])
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
        check_not_future(fields["checked_on"], recorded_at)
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
        check_later(self.checked_on, fields["reissued_on"], recorded_at)
        if self.has_certificate or self.reissued_on is not None:
            raise CertificateNotMissing
        self.trigger_event(self.CertificateReissued, timestamp=recorded_at, sealed=sealed, **fields)

    def recheck(
        self,
        *,
        verdict: Verdict,
        record_version: int,
        certified: Collection[Cell] | None = None,
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
        check_later(self.checked_on, fields["rechecked_on"], recorded_at)
        assert self.finding is not None, "a checked enrolment has its finding"
        found = Recheck.of(self.finding, verdict, record_version, certified)
        self.trigger_event(
            self.Rechecked, timestamp=recorded_at, sealed=sealed, derived=found, **fields
        )

    def restate(
        self,
        *,
        finding: Finding,
        lacking: Collection[Cell] = (),
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Let the check read what the corrected record says of its day, once for a correction.

        Column 7 keeps what a check found against make-up (S-36), not against a correction. It is
        noted as well where nothing reads otherwise: somebody looked.

        Args:
            finding: what the requirements say of the corrected record on the day of the check.
            lacking: doses that it lacks on the day of the newest re-check.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `enrolment.check-restated.v1`.

        Raises:
            DomainError: NotChecked or AlreadyRestated.
        """
        if self.finding is None:
            raise NotChecked
        if fields["correction"] in self.restated_by:
            raise AlreadyRestated
        found = Restated.by(finding, self.recheck_found, lacking)
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
        check_not_future(fields["given_on"], recorded_at)
        self.trigger_event(self.NoticeGiven, timestamp=recorded_at, sealed=sealed, **fields)

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
            aggregate.rechecked_on = self.rechecked_on
            aggregate.recheck_found = self.derived

    class CheckRestated(Fact):
        """The check was looked at again since its record was corrected.

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
            aggregate.restated_by.add(self.correction)
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
