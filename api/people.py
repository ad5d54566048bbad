"""Names and numbers joined to handles at the moment of reading, and only there."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from bootstrap.views import Views
from projections.asking import Asked
from projections.people import Person

EVER = date(9999, 12, 30)
"""The last day on which a value without an end holds."""


class Wanted(NamedTuple):
    """Who is asked for, effective on a day, as known at a position; now when that is absent."""

    handles: Collection[UUID]
    day: date
    at_position: int | None = None


def people_on(
    views: Views, handles: Collection[UUID], day: date, at_position: int | None = None
) -> Mapping[UUID, dict[str, Any]]:
    """What is known of people on a day, by handle; or was, at a position.

    Each has `handle` and `erased`; whose data was deleted has nothing else, who is entered only
    from a later day on has no values yet.
    """
    (found,) = people_each(views, [Wanted(handles, day, at_position)])
    return found


def people_each(views: Views, wanted: Sequence[Wanted]) -> Sequence[Mapping[UUID, dict[str, Any]]]:
    """Likewise for many who ask, in their order, by one query; by two if somebody is missing."""
    asked = {
        Asked(handle, one.day, one.at_position): Asked(handle, EVER)
        for one in wanted
        for handle in one.handles
    }
    known = views.people.lookup_each(asked)
    later = views.people.lookup_each({ever for one, ever in asked.items() if one not in known})
    return [
        {
            handle: _described(handle, known.get(which), asked[which] in later)
            for handle in one.handles
            for which in [Asked(handle, one.day, one.at_position)]
        }
        for one in wanted
    ]


def organisation_names(views: Views, organisations: Collection[UUID]) -> Mapping[UUID, str | None]:
    """Names of organisations by id; None for one that is unknown."""
    found = views.organisations.names(set(organisations))
    return {which: found.get(which) for which in organisations}


def _described(handle: UUID, person: Person | None, is_entered: bool) -> dict[str, Any]:  # noqa: FBT001 - a column of the answer
    head = {"handle": handle, "erased": person is None and not is_entered}
    return head | (vars(person) if person else {})
