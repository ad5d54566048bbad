"""What the server adds to an event: from when it is effective, what caused it, for whom.

These are the `derived` parts that more than one aggregate uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from domain.calendar import civil_day, effective_next_day
from domain.shape import Size
from domain.vocabulary import Code, Urgency, Version


@dataclass(frozen=True)
class Effective:
    """From when views show the event.

    Attributes:
        effective_on: first civil day (Asia/Shanghai) on which views show it.
    """

    effective_on: date


@dataclass(frozen=True)
class Noted(Effective):
    """From when views show the event, and what deserves a second look in it.

    Attributes:
        remarks: ids of findings of data quality, such as `younger-than-scheduled`; absent
            without any.
    """

    remarks: Annotated[tuple[Code, ...], Size(1, 16)] | None = None


@dataclass(frozen=True)
class Cause:
    """The event that made the server write this one.

    Attributes:
        stream: stream of the causing event.
        version: version of the causing event in its stream.
    """

    stream: UUID
    version: Version


@dataclass(frozen=True)
class Caused:
    """Which event caused this one.

    Attributes:
        cause: the event that made the server write this one.
    """

    cause: Cause


@dataclass(frozen=True)
class CausedEffect:
    """From when views show the event, and which event caused it.

    Attributes:
        effective_on: first civil day (Asia/Shanghai) on which views show it.
        cause: the event that made the server write this one.
    """

    effective_on: date
    cause: Cause


@dataclass(frozen=True)
class OnBehalf:
    """For whom the platform signed.

    Attributes:
        on_behalf_of: handle of the person who asked, identified by the platform.
    """

    on_behalf_of: UUID


@dataclass(frozen=True)
class OnBehalfOrCaused(OnBehalf):
    """For whom the platform signed, and what made it do so where nobody asked.

    Attributes:
        cause: the event that made the server write this one; absent where the person asked.
    """

    cause: Cause | None = None


def effective_day(urgency: Urgency, recorded_at: datetime) -> date:
    """When a correction recorded now shows: the next civil day (C-21), or at once if urgent."""
    if urgency is Urgency.IMMEDIATE:
        return civil_day(recorded_at)
    return effective_next_day(recorded_at)
