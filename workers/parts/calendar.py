"""The calendar: ends appointments that are over, and restates checks that a correction concerns.

Beside it notices are sent, in a thread of their own: a provider that does not answer holds up no
hold's end.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from bootstrap.settings import Settings
from bootstrap.views import Views, open_views
from bootstrap.wiring import wire
from commands.calendar import end_appointments
from commands.restating import Due, restate_checks
from commands.services import Services
from domain.calendar import civil_day
from projections.collecting import rare_collections
from workers import calendar
from workers.calendar import Turn
from workers.telling import telling

AT_ONCE = 500
_END_SECONDS = 2.0
_LOOKS_AT_ONCE = 20
"""Before others have a turn, while corrections go on coming."""
_CHECK_SECONDS = 300.0
"""What a look at the newest corrections left: a check that moved, a record that was merged."""


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Keep until told to stop."""
    assert settings.database_url is not None
    with wire(settings) as parts, open_views(settings) as views, telling(parts, views):
        services, newest = parts.services, Newest(parts.services, views)
        ready()
        turns = (
            Turn("appointments-ended", _END_SECONDS, lambda: end_due(services, views)),
            Turn("checks-restated", 0.0, newest.restate),
            Turn("checks-left", _CHECK_SECONDS, lambda: restate_due(services, views)),
        )
        calendar.run(turns, settings.database_url, stop)


def end_due(services: Services, views: Views) -> int:
    """End what is over by now, the most pressing first; return how much that was."""
    now = services.clock()
    over = views.bookings.over(now, civil_day(now), AT_ONCE)
    return end_appointments(services, over)


def restate_due(services: Services, views: Views) -> int:
    """Restate the checks of children whose record reads otherwise by now; return how many."""
    return _restate(services, views.restatements.due(civil_day(services.clock())))


def _restate(services: Services, due: Iterable[Due]) -> int:
    with rare_collections():
        return restate_checks(services, due)


class Newest:
    """Restates checks as soon as a correction counts: when it is applied, or its day begins.

    Args:
        services: The running parts.
        views: Which checks may be concerned.
    """

    def __init__(self, services: Services, views: Views) -> None:
        self._services = services
        self._views = views
        self._looked = self._seen = (date.min, 0)

    def restate(self) -> int:
        """Look at what was applied since the last look, at the first of a day at all; count."""
        self._seen = self._looked
        count = _restate(self._services, self._due())
        self._looked = self._seen  # not before all of it is stored
        return count

    def _due(self) -> Iterator[Due]:
        """Yield what is due, and what becomes due meanwhile: nobody waits between two looks."""
        for _ in range(_LOOKS_AT_ONCE):
            now = civil_day(self._services.clock()), self._views.restatements.reached()
            if now == self._seen:
                return
            day, since = self._seen
            yield from self._views.restatements.due(now[0], since if day == now[0] else 0)
            self._seen = now
