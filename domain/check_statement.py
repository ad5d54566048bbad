"""The check statement of a clinic (附件2): an issued document that is never rewritten (S-34)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.audit import Audit, template_for
from domain.calendar import civil_day
from domain.effect import Cause, Caused
from domain.errors import DomainError
from domain.sealed import Fact, Sealed
from domain.verdict import Finding, cells
from domain.vocabulary import Division, DoseNumber, EntryType, Lot, VaccineCode


@dataclass(frozen=True)
class Booked:
    """A dose to make up, and when the clinic is ready for it (annex 2, 预约时间).

    Attributes:
        vaccine_group: the group, a column of annex 3.
        dose_number: which dose of the group.
        date: civil day of the appointment.
    """

    vaccine_group: VaccineCode
    dose_number: DoseNumber
    date: date


@dataclass(frozen=True)
class Certified:
    """A dose as it stands in the record, written into a row of the statement (S-16).

    Attributes:
        dose: the dose in the record.
        date: civil day on which it was given.
        lot: lot as printed; absent where a transcribed dose has none.
    """

    dose: UUID
    date: date
    lot: Lot | None = None


class PaperDiffers(DomainError):
    """Paper and system differ: settle that first, then issue."""

    code = "paper-differs"
    zh = "系统记录与预防接种证不一致，核对无误前不得出具查验证明。"


class NotServing(DomainError):
    """This clinic neither manages the record nor gave its newest dose."""

    code = "not-serving"
    zh = "只有管理该儿童或近期为其接种的单位可以出具查验证明。"


class AuditInFuture(DomainError):
    """The audit lies in the future."""

    code = "audit-in-future"
    zh = "审核日期晚于今天。"


class NoSuchRow(DomainError):
    """The statement has no row for this dose."""

    code = "no-such-row"
    zh = "查验证明上没有该疫苗剂次。"


class RowCompleted(DomainError):
    """The row is completed already; it is never rewritten."""

    code = "row-completed"
    zh = "该疫苗剂次的补种已登记，不得改写。"


class DoseNotGiven(DomainError):
    """The record has no dose that fills this row."""

    code = "dose-not-given"
    zh = "接种记录中没有可填入该行的剂次。"


class StatementSuperseded(DomainError):
    """Another statement stands in its place."""

    code = "statement-superseded"
    zh = "该查验证明已由新的证明替代。"


class StatementOfAnother(DomainError):
    """The statement is another child's."""

    code = "statement-of-another"
    zh = "该查验证明不属于此儿童。"


class CheckStatement(BaseAggregate[UUID]):
    """A statement that a clinic issued for a child's entry."""

    TOPIC = "check-statement"
    Event = Fact

    def __init__(
        self, record: UUID, division: str, clinic: UUID, checked_on: date, entry_type: EntryType
    ) -> None:
        self.record = record
        self.division = division
        self.clinic = clinic
        self.checked_on = checked_on
        self.entry_type = entry_type
        self.audit: Audit | None = None
        self.appointments: dict[tuple[str, int], date] = {}
        self.made_up: dict[tuple[str, int], Certified] = {}
        self.certifiers: dict[tuple[str, int], UUID] = {}
        self.superseded_by: UUID | None = None

    @property
    def rows(self) -> list[tuple[str, int]]:
        """The doses to make up, one a row of annex 2: vaccine group and dose number."""
        return cells(self.audit.missing) if self.audit else []

    @classmethod
    def issue(
        cls,
        stream: UUID,
        *,
        finding: Finding,
        serving: Collection[UUID],
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Issue a statement.

        Args:
            stream: id of the new stream.
            finding: what the requirements in force say of the record on `checked_on`.
            serving: clinics that may audit, `VaccinationRecord.serving_clinics()` (S-8).
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `check-statement.issued.v1`.

        Raises:
            DomainError: PaperDiffers, NotServing, AuditInFuture, NotJudgeable or NoSuchRow.
        """
        if not fields["paper_agrees"]:
            raise PaperDiffers
        if fields["clinic"] not in serving:
            raise NotServing(clinic=str(fields["clinic"]))
        today = civil_day(recorded_at)
        if fields["checked_on"] > today:
            raise AuditInFuture(checked_on=fields["checked_on"].isoformat())
        derived = Audit(
            **vars(finding),
            template=template_for(finding),
            reissue_certificate=not fields["has_certificate"],
        )
        missing = cells(finding.missing)
        for one in fields.get("appointments") or ():
            if (one.vaccine_group, one.dose_number) not in missing:
                raise NoSuchRow(vaccine_group=one.vaccine_group, dose_number=one.dose_number)
        return cls._create(
            event_class=cls.Issued,
            id=stream,
            timestamp=recorded_at,
            sealed=sealed,
            derived=derived,
            **fields,
        )

    def record_makeup(
        self,
        *,
        certified: Certified | None,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Write a dose that was made up into its row (S-16, S-34).

        Args:
            certified: the dose of the record that fills the row; None if it has none.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `check-statement.makeup-recorded.v1`.

        Raises:
            DomainError: StatementSuperseded, NoSuchRow, RowCompleted or DoseNotGiven.
        """
        row = (fields["vaccine_group"], fields["dose_number"])
        self._check_in_force()
        if row not in self.rows:
            raise NoSuchRow(vaccine_group=row[0], dose_number=row[1])
        if row in self.made_up:
            raise RowCompleted(vaccine_group=row[0], dose_number=row[1])
        if certified is None:
            raise DoseNotGiven(vaccine_group=row[0], dose_number=row[1])
        self.trigger_event(
            self.MakeupRecorded, timestamp=recorded_at, sealed=sealed, derived=certified, **fields
        )

    def supersede(self, by: UUID, recorded_at: datetime) -> None:
        """Let another statement stand in the place of this one (S-34).

        Raises:
            StatementSuperseded: another does already.
        """
        self._check_in_force()
        caused = Caused(Cause(by, 1))
        self.trigger_event(self.Superseded, timestamp=recorded_at, by=by, derived=caused)

    def _check_in_force(self) -> None:
        if self.superseded_by is not None:
            raise StatementSuperseded(by=str(self.superseded_by))

    class Issued(Fact, AggregateCreated):
        """A clinic issued a check statement (S-10).

        Attributes:
            record: stream of the vaccination record.
            division: division of the organisation that manages the record.
            clinic: clinic that audited.
            checked_on: civil day of the audit.
            entry_type: 入托 or 入学.
            has_certificate: whether the child has a paper certificate.
            paper_agrees: whether paper and system agree; only then is a statement issued (S-9).
            derived: what the audit found.
            appointments: when doses are to be made up.
            supersedes: the statement in whose place this one stands.
        """

        TOPIC = "check-statement.issued.v1"

        record: UUID
        division: Division
        clinic: UUID
        checked_on: date
        entry_type: EntryType
        has_certificate: bool
        paper_agrees: bool
        derived: Audit
        appointments: tuple[Booked, ...] | None = None
        supersedes: UUID | None = None

        def apply(self, aggregate: CheckStatement) -> None:
            """The document, for ever."""
            aggregate.audit = self.derived
            aggregate.appointments = {
                (one.vaccine_group, one.dose_number): one.date for one in self.appointments or ()
            }

    class MakeupRecorded(Fact):
        """A clinic wrote a dose that was made up into its row of the statement (S-16).

        Attributes:
            clinic: clinic that certifies it.
            vaccine_group: the group, a column of annex 3.
            dose_number: which dose of the group.
            derived: the dose, as it stands in the record.
        """

        TOPIC = "check-statement.makeup-recorded.v1"

        clinic: UUID
        vaccine_group: VaccineCode
        dose_number: DoseNumber
        derived: Certified

        def apply(self, aggregate: CheckStatement) -> None:
            """The row is complete; what was issued stays as it was."""
            aggregate.made_up[self.vaccine_group, self.dose_number] = self.derived
            aggregate.certifiers[self.vaccine_group, self.dose_number] = self.clinic

    class Superseded(Fact):
        """Another statement stands in the place of this one (S-34).

        Attributes:
            by: the other one.
            derived: which event caused this.
        """

        TOPIC = "check-statement.superseded.v1"

        by: UUID
        derived: Caused

        def apply(self, aggregate: CheckStatement) -> None:
            """It stays readable, and says by what it was replaced."""
            aggregate.superseded_by = self.by
