"""The custodian: shreds, closes the minutes of the access journal, and renews credentials."""

import threading
from collections.abc import Callable
from functools import partial

from bootstrap.erasure import Eraser
from bootstrap.settings import Settings
from bootstrap.shred_list import apply_shred_list
from bootstrap.views import Views, open_views
from bootstrap.wiring import Parts, wire
from commands.access import close_minutes
from commands.credentials import Outdated
from domain.calendar import civil_day
from domain.credential import Content
from workers import custodian


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Keep until told to stop."""
    with wire(settings) as parts, open_views(settings) as views:
        eraser = Eraser(settings, parts.services, views.records, views.positions)
        ready()
        close = partial(close_minutes, parts.services, views.access)
        renew = partial(_renew, parts, views)
        custodian.run(eraser, close, renew, partial(apply_shred_list, settings), stop)


def _renew(parts: Parts, views: Views) -> int:
    """Issue anew what corrections of today or before have made wrong."""
    today = civil_day(parts.services.clock())
    outdated = [
        Outdated(row.certificate, row.credential, Content(row.content), row.entry_type)
        for row in views.credentials.outdated(today)
    ]
    return parts.issuing.renew(outdated, views.positions.lowest()) if outdated else 0
