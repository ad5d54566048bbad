"""Writes of schools and CDCs: what comes before enrolment, and what is handed in (S-14 to S-18)."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from commands.permissions import Scope
from commands.writing import Decision, Handler, Writing
from domain.organisation import Organisation
from domain.preparation import Preparation
from domain.register_report import RegisterReport
from domain.roll_up_report import RollUpReport


def submit_registers(writing: Writing) -> Decision:
    """Hand in the registers of a school as they stood at a position."""
    school = _acting(writing, "institution")
    published = writing.services.reader.published()
    return _stated(writing, RegisterReport.submit, institution_facts=school, published=published)


def submit_roll_up(writing: Writing) -> Decision:
    """Hand in the roll-up of a division."""
    reporter = _acting(writing, "organisation")
    published = writing.services.reader.published()
    return _stated(writing, RollUpReport.submit, reporter=reporter, published=published)


def record_preparation(writing: Writing) -> Decision:
    """Note what comes before enrolment: posters, forms, training."""
    return _stated(writing, Preparation.record, doer=_acting(writing, "organisation"))


def _stated(writing: Writing, state: Callable[..., BaseAggregate[UUID]], **facts: Any) -> Decision:
    """A new stream with what the statement says, by the rules in force; nothing is sealed."""
    sealing, _ = writing.seal({})
    stated = state(
        writing.statement.stream,
        rules=writing.services.rules.roll_up,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **facts,
        **writing.fields,
    )
    return Decision(stated, sealing)


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
