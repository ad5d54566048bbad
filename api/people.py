"""Names and numbers joined to handles at the moment of reading, and only there."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from bootstrap.views import Views
from projections.people import Person

EVER = date(9999, 12, 30)
"""The last day on which a value without an end holds."""


def people_on(
    views: Views, handles: Collection[UUID], day: date, at_position: int | None = None
) -> Mapping[UUID, dict[str, Any]]:
    """What is known of people on a day, by handle; or was, at a position.

    Each has `handle` and `erased`; whose data was deleted has nothing else, who is entered only
    from a later day on has no values yet.
    """
    known = views.people.lookup(handles, day, at_position)
    later = views.people.lookup(set(handles) - known.keys(), EVER)
    return {handle: _described(handle, known.get(handle), handle in later) for handle in handles}


def organisation_names(views: Views, organisations: Collection[UUID]) -> Mapping[UUID, str | None]:
    """Names of organisations by id; None for one that is unknown."""
    found = views.organisations.names(set(organisations))
    return {which: found.get(which) for which in organisations}


def _described(handle: UUID, person: Person | None, is_entered: bool) -> dict[str, Any]:  # noqa: FBT001 - a column of the answer
    head = {"handle": handle, "erased": person is None and not is_entered}
    return head | (asdict(person) if person else {})
