"""The custodian: carries shreds out and closes the minutes of the access journal."""

import threading
from collections.abc import Callable
from functools import partial

from bootstrap.erasure import Eraser, apply_shred_list
from bootstrap.settings import Settings
from bootstrap.views import open_views
from bootstrap.wiring import wire
from commands.access import close_minutes
from workers import custodian


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Keep until told to stop."""
    with wire(settings) as parts, open_views(settings) as views:
        eraser = Eraser(settings, parts.services, views.records, views.positions)
        ready()
        close = partial(close_minutes, parts.services, views.access)
        custodian.run(eraser, close, partial(apply_shred_list, settings), stop)
