"""The calendar: ends appointments that are over, and restates checks that a correction concerns.

Beside it notices are sent, in a thread of their own: a provider that does not answer holds up no
hold's end.
"""

import threading
from collections.abc import Callable
from datetime import date

from bootstrap.settings import Settings
from bootstrap.views import Views, open_views
from bootstrap.wiring import wire
from commands.calendar import end_appointments
from commands.restating import restate_checks
from commands.services import Services
from domain.calendar import civil_day
from workers import calendar
from workers.calendar import Turn
from workers.telling import telling

AT_ONCE = 500
_END_SECONDS = 2.0
_CHECK_SECONDS = 300.0
"""What a look at the newest corrections left: a check that moved, a record that was merged."""


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Keep until told to stop."""
    with wire(settings) as parts, open_views(settings) as views, telling(parts, views):
        services, newest = parts.services, Newest(parts.services, views)
        ready()
        turns = (
            Turn("appointments-ended", _END_SECONDS, lambda: end_due(services, views)),
            Turn("checks-restated", 0.0, newest.restate),
            Turn("checks-left", _CHECK_SECONDS, lambda: restate_due(services, views)),
        )
        calendar.run(turns, stop)


def end_due(services: Services, views: Views) -> int:
    """End what is over by now, the most pressing first; return how much that was."""
    now = services.clock()
    over = views.bookings.over(now, civil_day(now), AT_ONCE)
    return end_appointments(services, over)


def restate_due(services: Services, views: Views, since: int = 0) -> int:
    """Restate the checks of children whose record reads otherwise by now; return how many.

    Args:
        services: The running parts.
        views: Which checks may be.
        since: Of corrections that were applied after this position.
    """
    return restate_checks(services, views.restatements.due(civil_day(services.clock()), since))


class Newest:
    """Restates checks as soon as a correction counts: when it is applied, or its day begins.

    Args:
        services: The running parts.
        views: Which checks may be concerned.
    """

    def __init__(self, services: Services, views: Views) -> None:
        self._services = services
        self._views = views
        self._looked = (date.min, 0)

    def restate(self) -> int:
        """Look at what was applied since the last look, at the first of a day at all; count."""
        now = civil_day(self._services.clock()), self._views.restatements.reached()
        if now == self._looked:
            return 0
        day, since = self._looked
        count = restate_due(self._services, self._views, since if day == now[0] else 0)
        self._looked = now
        return count
