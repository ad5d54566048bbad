"""Asking the witnesses beside the integrator: a thread of its process that it never waits for."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from bootstrap.policy import PolicyFile
from bootstrap.settings import Settings
from ledger.store.connections import open_pool
from ledger.store.cosigning import ROLE, CosignatureStore
from ledger.store.listening import PUBLISHED, wakeups
from ledger.store.reading import LogReader
from workers.cosigning import Cosigning


@contextmanager
def asking_witnesses(settings: Settings) -> Iterator[None]:
    """Ask the witnesses of the installation's policy for as long as the context lasts.

    Raises:
        PolicyUnusableError: If the settings name a policy that cannot be read.
    """
    assert settings.database_url is not None
    policy = PolicyFile(settings)
    with open_pool(settings.database_url, ROLE) as pool:
        cosigning = Cosigning(
            LogReader(pool),
            CosignatureStore(pool, lambda: datetime.now(UTC)),
            policy.current,
            partial(wakeups, settings.database_url, PUBLISHED),
        )
        with running(cosigning):
            yield


@contextmanager
def running(cosigning: Cosigning) -> Iterator[None]:
    """Run it in a thread with an event loop of its own."""
    stop, loop = asyncio.Event(), asyncio.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(cosigning.run(stop))

    thread = threading.Thread(target=run, name="cosigning")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
