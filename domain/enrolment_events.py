"""The events of a child at a school, from enrolment to the re-check.

What is refused stands in `domain.enrolment`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.admission import Admission, Channel
from domain.school_check import Recheck, Restated
from domain.sealed import Fact
from domain.shape import Size
from domain.verdict import Finding, NoticeEdition
from domain.vocabulary import Division, EntryType, Name, Year

if TYPE_CHECKING:
    from domain.enrolment import Enrolment


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
        derived: the requirements that it set out.
    """

    TOPIC = "enrolment.notice-given.v1"

    given_on: date
    channel: Channel
    derived: NoticeEdition | None = None

    def apply(self, aggregate: Enrolment) -> None:
        """It decides nothing later."""
