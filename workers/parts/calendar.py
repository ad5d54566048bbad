"""The calendar: ends appointments that are over, and restates checks that a correction concerns.

Beside it notices are sent, in a thread of their own: a provider that does not answer holds up no
hold's end.
"""

import threading
from collections.abc import Callable

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
_CHECK_SECONDS = 60.0


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Keep until told to stop."""
    with wire(settings) as parts, open_views(settings) as views, telling(parts, views):
        services = parts.services
        ready()
        turns = (
            Turn("appointments-ended", 0.0, lambda: end_due(services, views)),
            Turn("checks-restated", _CHECK_SECONDS, lambda: restate_due(services, views)),
        )
        calendar.run(turns, stop)


def end_due(services: Services, views: Views) -> int:
    """End what is over by now, the most pressing first; return how much that was."""
    now = services.clock()
    over = views.bookings.over(now, civil_day(now), AT_ONCE)
    return end_appointments(services, over)


def restate_due(services: Services, views: Views) -> int:
    """Restate the checks of children whose record reads otherwise by now; return how many."""
    return restate_checks(services, views.restatements.due(civil_day(services.clock())))
