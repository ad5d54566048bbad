"""What the files hold: JSON members, dates as text, absent members left out."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

Json = dict[str, object]


def members(**values: object) -> Json:
    """Return a JSON object without the members that are None; ids and dates become text."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def sealed(person: UUID, values: Mapping[str, object]) -> Json:
    """Return the personal values of one person, under the person's handle."""
    return {str(person): dict(values)}
