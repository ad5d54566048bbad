"""Writes of schools and CDCs: what comes before enrolment, and what is handed in (S-14 to S-18)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from commands.permissions import Scope
from commands.writing import Decision, Handler, Writing
from domain.filing import Form
from domain.organisation import Organisation
from domain.preparation import Preparation
from domain.register_report import RegisterReport
from domain.roll_up_report import RollUpReport


def submit(form: type[Form], reporter: str, writing: Writing) -> Decision:
    """Hand in a form as it stood at a position; `reporter` is the field that names who does."""
    acting = _acting(writing, reporter)
    published = writing.services.reader.published()
    return _stated(writing, form.submit, reporter=acting, published=published)


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
    "register-report.submitted.v1": partial(submit, RegisterReport, "institution"),
    "roll-up-report.submitted.v1": partial(submit, RollUpReport, "organisation"),
    "preparation.recorded.v1": record_preparation,
}
