"""Hours and time slots as people write them, in civil time."""

import re
from datetime import date, datetime, time

from domain.booking.slot import Slot, SlotReversed
from domain.errors import DomainError, shown
from domain.schedules.json_document import Node, UnknownValue

_HOUR = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = re.compile(rf"(?:([0-9-]{{10}})[T ])?({_HOUR}(?::[0-5][0-9])?)")
_SLOT = re.compile(rf"(?:([0-9-]{{10}})[T ])?({_HOUR}) ?[-–—~至] ?({_HOUR})")

_EDGES = ("start", "end")


class InvalidHours(DomainError):
    """These are no hours, written HH:MM, or HH:MM-HH:MM for a time slot."""

    code = "invalid-hours"
    zh = "时间无效（须为 HH:MM，时间段为 HH:MM-HH:MM）。"


def read_moment(node: Node, day: date) -> datetime:
    """Read ``HH:MM`` of a day, or ``YYYY-MM-DDTHH:MM`` of any.

    Raises:
        DomainError: `InvalidHours`, `InvalidDate` or `WrongType`.
    """
    match = _MOMENT.fullmatch(node.text())
    if match is None:
        raise InvalidHours(value=shown(node.text())).at(node.pointer)
    on = Node(match[1], node.pointer).day() if match[1] else day
    return datetime.combine(on, time.fromisoformat(match[2]))


def read_slot(node: Node, day: date) -> Slot:
    """Read ``HH:MM-HH:MM`` of a day, or with its day before it; also as two edges.

    Two edges are an array of two moments or ``{"start", "end"}``; their day is the first's.

    Raises:
        DomainError: `InvalidHours`, `InvalidDate`, `SlotReversed` or one about the form.
    """
    if not isinstance(node.value, str):
        return _read_edges(node, day)
    match = _SLOT.fullmatch(node.text())
    if match is None:
        raise InvalidHours(value=shown(node.text())).at(node.pointer)
    on = Node(match[1], node.pointer).day() if match[1] else day
    return _slot(node, on, time.fromisoformat(match[2]), time.fromisoformat(match[3]))


def _read_edges(node: Node, day: date) -> Slot:
    if isinstance(node.value, dict):
        found = node.members(_EDGES)
        edges = [found[name] for name in _EDGES]
    else:
        edges = node.items()
    if len(edges) != len(_EDGES):
        raise UnknownValue(items=len(_EDGES)).at(node.pointer)
    starts, ends = (read_moment(edge, day) for edge in edges)
    return _slot(node, starts.date(), starts.time(), ends.time())


def _slot(node: Node, on: date, starts: time, ends: time) -> Slot:
    try:
        return Slot(on, starts, ends)
    except SlotReversed as error:
        raise error.at(node.pointer) from None
