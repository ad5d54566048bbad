"""The publisher: the stream follows the log."""

import asyncio
import threading
from collections.abc import Callable

from bootstrap.feed import feed_server
from bootstrap.floors import Floors
from bootstrap.reading import open_log
from bootstrap.settings import Settings
from bootstrap.tracing import Tracer
from ledger.store.reading import LogReader
from workers.publisher import Publisher


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Publish until told to stop; raises FeedRefusedError where a person must look."""
    with open_log(settings) as pool:
        floors = Floors.of(settings.data_dir)
        traces = Tracer.of(settings, "publisher")
        server, url = feed_server(settings), settings.database_url
        publisher = Publisher(LogReader(pool), server, url, floors, traces)
        ready()
        try:
            asyncio.run(_until(stop, publisher))
        finally:
            if traces is not None:
                traces.close()


async def _until(stop: threading.Event, publisher: Publisher) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    watcher = threading.Thread(
        target=lambda: (stop.wait(), loop.call_soon_threadsafe(stopped.set)), daemon=True
    )
    watcher.start()
    await publisher.run(stopped)
