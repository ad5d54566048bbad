"""Telling people of their bookings beside the calendar: a thread of its process."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bootstrap.folders import spool_folder
from bootstrap.settings import Settings
from bootstrap.views import Views
from bootstrap.wiring import Parts
from commands.notices import Notices
from domain.booking.notice import NoticeRules
from ledger.store.connections import open_pool
from ledger.store.outbox import ROLE, Outbox
from projections.bookings import NAME
from workers.notices import Telling, run
from workers.providers import HttpProvider, Provider, Spool


@contextmanager
def telling(parts: Parts, views: Views) -> Iterator[None]:
    """Send notices, to the provider that the settings name, for as long as the context lasts."""
    settings, services, rules = parts.settings, parts.services, NoticeRules.load()
    assert settings.database_url is not None
    stop = threading.Event()
    with ExitStack() as stack:
        way = Telling(
            parts.reader,
            Outbox(stack.enter_context(open_pool(settings.database_url, ROLE, size=2))),
            Notices(services, rules, views.bookings.booked_in),
            _provider(settings, stack),
            rules=rules,
            clock=services.clock,
        )
        thread = threading.Thread(
            target=run, args=(way, lambda: views.positions.position(NAME), stop), name="notices"
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _provider(settings: Settings, stack: ExitStack) -> Provider:
    if settings.notices_url is None:
        return Spool(spool_folder(settings))
    return stack.enter_context(HttpProvider(settings.notices_url, settings.notices_token))
