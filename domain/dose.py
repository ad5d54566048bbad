"""A dose: how it reads on a day after corrections, and what is refused.

Nothing is deleted: a dose keeps what was first entered and every reading since, each from its
effective day on; a dose entered in error is struck out from a day on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from domain import codec
from domain.dose_events import (
    Change,
    DoseAdministered,
    DoseCorrected,
    DoseEnteredInError,
    DoseStanding,
    DoseTranscribed,
)
from domain.vocabulary import SourceSystem


class DoseState(NamedTuple):
    """A dose as it reads at some point.

    Attributes:
        dose: its id, for ever.
        vaccine: what was given, by the product catalogue.
        occurred_on: civil day on which it was given.
        source_system: system it comes from.
        clinic: clinic that gave or transcribed it.
        is_transcribed: whether a clinic entered it from evidence.
        version: version of the record at which it reads so first.
        effective_on: first day on which views show it so.
        national_code: four-digit national vaccine code.
        dose_number: number within the series, as the clinic counts.
        product: product name.
        maker: marketing authorisation holder.
        lot: lot number.
        expires_on: last day on which the package could be used.
        site: where on the body.
        route: how.
        quantity: how much.
        province: province where it was given, if transcribed.
    """

    dose: UUID
    vaccine: str
    occurred_on: date
    source_system: SourceSystem
    clinic: UUID
    is_transcribed: bool
    version: int
    effective_on: date
    national_code: str | None = None
    dose_number: int | None = None
    product: str | None = None
    maker: str | None = None
    lot: str | None = None
    expires_on: date | None = None
    site: str | None = None
    route: str | None = None
    quantity: str | None = None
    province: str | None = None

    @classmethod
    def proposed(
        cls, stated: Mapping[str, Any], *, version: int, day: date, given: bool
    ) -> DoseState:
        """The dose that a statement tells of.

        Args:
            stated: clear fields of the statement, typed.
            version: version that the record will have.
            day: first day on which views show it.
            given: given here (True) or transcribed (False).
        """
        said = stated.get
        return cls._make((*map(said, _WHAT), not given, version, day, *map(said, _HOW)))

    @classmethod
    def of(cls, event: DoseAdministered | DoseTranscribed) -> DoseState:
        """The dose as it was first entered."""
        return cls.proposed(
            vars(event),
            version=event.originator_version,
            day=event.derived.effective_on,
            given=isinstance(event, DoseAdministered),
        )

    def changed(self, changes: tuple[Change, ...]) -> DoseState:
        """This dose with the changes made.

        Raises:
            codec.MalformedData: a value has not the form of its field.
        """
        return self._replace(
            **{change.field: field_value(change.field, change.after) for change in changes}
        )


_WHAT, _HOW = DoseState._fields[:5], DoseState._fields[8:]
"""Fields that a statement tells, on either side of those that it does not."""

CORRECTABLE = frozenset(_WHAT + _HOW) - {"dose", "clinic"}
"""Clear fields that a correction may name."""

REQUIRED = frozenset({"vaccine", "occurred_on", "source_system"})
"""Clear fields that a correction may not empty."""

CORRECTABLE_SEALED = frozenset(
    {"vaccinator", "occurred_at", "package_code", "unit", "health", "note"}
)
"""Sealed fields that a correction may name."""


@dataclass
class DoseHistory:
    """A dose with every reading since.

    Attributes:
        first: as it was first entered.
        later: corrections, strikings-out and reinstatements in the order of the record's
            versions.
    """

    first: DoseState
    later: list[DoseCorrected | DoseStanding] = field(default_factory=list)

    def is_struck(self) -> bool:
        """Whether it is struck out, with all that is known."""
        return self.on() is None

    def on(self, day: date | None = None) -> DoseState | None:
        """How it reads on a civil day, or with all that is known; None if not there or struck out.

        Corrections are folded in the order in which they were applied, leaving out those that
        are not effective yet: an urgent one thus shows before an older one of the next day.
        """
        if day is not None and day < self.first.effective_on:
            return None
        state, is_struck = self.first, False
        for event in self.later:
            effective_on = event.derived.effective_on
            if day is not None and day < effective_on:
                continue
            is_struck = isinstance(event, DoseEnteredInError)
            changes = event.changes if isinstance(event, DoseCorrected) else ()
            state = state.changed(changes)._replace(
                version=event.originator_version,
                effective_on=effective_on,
            )
        return None if is_struck else state


def field_value(name: str, text: str | None) -> Any:
    """Read the text of a change as the value of its field."""
    if text is None:
        return None
    is_number = name == "dose_number" and re.fullmatch("[1-9][0-9]?", text)
    return codec.read_field(DoseTranscribed, name, int(text) if is_number else text)
