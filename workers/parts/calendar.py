"""The calendar: ends holds that ran out, and appointments to which nobody came."""

import threading
from collections.abc import Callable

from bootstrap.settings import Settings
from bootstrap.views import Views, open_views
from bootstrap.wiring import wire
from commands.calendar import end_appointments
from commands.services import Services
from domain.calendar import civil_day
from workers import calendar

AT_ONCE = 500


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Keep until told to stop."""
    with wire(settings) as parts, open_views(settings) as views:
        ready()
        calendar.run(lambda: turn(parts.services, views), stop)


def turn(services: Services, views: Views) -> int:
    """End what is over by now, the most pressing first; return how much that was."""
    now = services.clock()
    over = views.bookings.over(now, civil_day(now), AT_ONCE)
    return end_appointments(services, over)
