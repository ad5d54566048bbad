"""Writes of schools and CDCs: what comes before enrolment, and what is handed in (S-14 to S-18)."""

from collections.abc import Mapping

from commands.permissions import Scope
from commands.writing import Decision, Handler, Writing
from domain.organisation import Organisation
from domain.preparation import Preparation
from domain.register_report import RegisterReport
from domain.roll_up_report import RollUpReport


def submit_registers(writing: Writing) -> Decision:
    """Hand in the registers of a school as they stood at a position."""
    school = _acting(writing, "institution")
    sealing, _ = writing.seal({})
    report = RegisterReport.submit(
        writing.statement.stream,
        institution_facts=school,
        rules=writing.services.rules.roll_up,
        published=writing.services.reader.published(),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(report, sealing)


def submit_roll_up(writing: Writing) -> Decision:
    """Hand in the roll-up of a division."""
    reporter = _acting(writing, "organisation")
    sealing, _ = writing.seal({})
    report = RollUpReport.submit(
        writing.statement.stream,
        reporter=reporter,
        rules=writing.services.rules.roll_up,
        published=writing.services.reader.published(),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(report, sealing)


def record_preparation(writing: Writing) -> Decision:
    """Note what comes before enrolment: posters, forms, training."""
    doer = _acting(writing, "organisation")
    sealing, _ = writing.seal({})
    done = Preparation.record(
        writing.statement.stream,
        doer=doer,
        rules=writing.services.rules.roll_up,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(done, sealing)


def _acting(writing: Writing, field: str) -> Organisation:
    """The organisation that a field of a new stream names, where it may write in its own name."""
    writing.check_new()
    named = writing.services.directory.organisation(writing.fields[field])
    writing.permit(Scope(named.division, acting=named.id))
    return named


HANDLERS: Mapping[str, Handler] = {
    "register-report.submitted.v1": submit_registers,
    "roll-up-report.submitted.v1": submit_roll_up,
    "preparation.recorded.v1": record_preparation,
}
