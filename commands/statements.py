"""Writes of clinics about check statements (S-7 to S-10)."""

from collections.abc import Mapping

from commands.judging import judge, record_guard
from commands.permissions import Scope
from commands.writing import Decision, Handler, Writing
from domain.check_statement import CheckStatement
from domain.merging import check_open
from domain.vaccination_record import VaccinationRecord
from domain.verdict import Finding


def issue(writing: Writing) -> Decision:
    """Issue a check statement on the record as it stands."""
    writing.check_new()
    fields = writing.fields
    record = writing.load(VaccinationRecord, fields["record"])
    check_open(record)
    writing.permit(
        Scope(record.division, acting=fields["clinic"], managing=record.managing_organisation)
    )
    verdict = judge(
        writing,
        record,
        on=fields["checked_on"],
        entry_type=fields["entry_type"],
        has_certificate=fields["has_certificate"],
    )
    sealing, _ = writing.seal({})
    statement = CheckStatement.issue(
        writing.statement.stream,
        finding=Finding.of(verdict, record.version),
        serving=record.serving_clinics(),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    return Decision(statement, sealing, guards=record_guard(writing, record))


HANDLERS: Mapping[str, Handler] = {"check-statement.issued.v1": issue}
