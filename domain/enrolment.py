"""A child at a school: enrolment, the check of its vaccinations, make-up and re-check (S)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from domain import enrolment_events
from domain.admission import check_admits, check_school_year
from domain.calendar import civil_day
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
from domain.verdict import Finding, NoticeEdition


class Enrolment(BaseAggregate[UUID]):
    """One child at one school for one school year."""

    TOPIC = "enrolment"
    Event = Fact
    Enrolled = enrolment_events.Enrolled
    Checked = enrolment_events.Checked
    CertificateReissued = enrolment_events.CertificateReissued
    Rechecked = enrolment_events.Rechecked
    CheckRestated = enrolment_events.CheckRestated
    NoticeGiven = enrolment_events.NoticeGiven

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
            DomainError: NotASchool, EntryTypeDiffers or SchoolYearTooFar.
        """
        check_admits(institution_facts, fields["entry_type"], fields["division"])
        check_school_year(fields["school_year"], civil_day(recorded_at))
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
        self,
        *,
        edition: NoticeEdition,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Note that the parents were given annex 1, for the first time or again (S-6).

        Args:
            edition: the requirements that it set out.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `enrolment.notice-given.v1`.

        Raises:
            CheckInFuture: the day lies in the future.
        """
        check_not_future(fields["given_on"], recorded_at)
        self.trigger_event(
            self.NoticeGiven, timestamp=recorded_at, sealed=sealed, derived=edition, **fields
        )
