"""What registers and roll-ups have in common when they are handed in: the state that they show.

A form is named by a position of the log and a civil day, so that it can be printed again for ever.
A further one replaces the earlier ones of its kind and is never added to them (S-53).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.errors import DomainError
from domain.organisation import Organisation, OrganisationKind
from domain.roll_up.rules import RollUpRules
from domain.sealed import Sealed


class StateUnknown(DomainError):
    """The form shows a state that the log has not reached, or a day that has not come."""

    code = "state-unknown"
    zh = "报表所载的账本位置或日期尚未到达。"


class NotTheReporter(DomainError):
    """This organisation does not hand in this form."""

    code = "not-the-reporter"
    zh = "该报表不由此单位填报。"


@dataclass(frozen=True)
class Filed:
    """When a form was due, and whether it came in time.

    Attributes:
        due: last civil day on which it is in time, included (X-1).
        late: whether it came after that day; it counts all the same (X-24).
    """

    due: date
    late: bool

    @classmethod
    def at(cls, recorded_at: datetime, due: date) -> Filed:
        """Compare the civil day of the arrival with the last day."""
        return cls(due, civil_day(recorded_at) > due)


class Form(BaseAggregate[UUID]):
    """A form that was handed in.

    Attributes:
        Submitted: the one event that it has.
    """

    Submitted: ClassVar[type[AggregateCreated]]

    @classmethod
    def submit(
        cls,
        stream: UUID,
        *,
        reporter: Organisation,
        rules: RollUpRules,
        published: int,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Hand it in.

        Args:
            stream: id of the new stream.
            reporter: the organisation that the form names.
            rules: deadlines in force.
            published: newest position that a signed checkpoint covers.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of its event.

        Raises:
            DomainError: NotTheReporter, StateUnknown, or what the form itself refuses.
        """
        if (reporter.kind, reporter.division) != (cls.reported_by(fields), fields["division"]):
            raise NotTheReporter(kind=reporter.kind.value, division=reporter.division)
        today = civil_day(recorded_at)
        _check_state(fields["position"], fields["effective_on"], published=published, today=today)
        cls.check(fields)
        return cls._create(
            event_class=cls.Submitted,
            id=stream,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Filed.at(recorded_at, cls.due(rules, fields)),
            **fields,
        )

    @staticmethod
    def reported_by(fields: Mapping[str, Any]) -> OrganisationKind:
        """Return who hands it in."""
        raise NotImplementedError

    @staticmethod
    def due(rules: RollUpRules, fields: Mapping[str, Any]) -> date:
        """Return the last day on which it is in time."""
        raise NotImplementedError

    @staticmethod
    def check(fields: Mapping[str, Any]) -> None:
        """Refuse what cannot be so; most forms have nothing to check."""


def _check_state(position: int, effective_on: date, *, published: int, today: date) -> None:
    """Refuse a form of a state that is not there yet.

    Raises:
        StateUnknown: position or day lie ahead.
    """
    if position > published or effective_on > today:
        raise StateUnknown(position=position, published=published, day=effective_on.isoformat())
