"""`vaxledger feed rebuild`: not a worker that runs for ever."""

import asyncio
import json
import threading
from collections.abc import Callable

import httpx
import nats.errors
import psycopg
from rich.console import Console
from rich.progress import Progress, TaskID

from bootstrap.errors import FeedNotRebuiltError
from bootstrap.feed import feed_server
from bootstrap.floors import FEED
from bootstrap.settings import Settings
from bootstrap.wiring import wire
from ledger.errors import LedgerError
from workers.rebuild import Rebuild


def run(settings: Settings, _stop: threading.Event, _ready: Callable[[], None]) -> None:
    """Rebuild the stream and print how many messages it has.

    Raises:
        FeedNotRebuiltError: If the log or the feed does not answer, or the stream is not the log's.
    """
    try:
        print(json.dumps({"messages": _rebuild(settings)}))  # noqa: T201 - its result
    except (LedgerError, psycopg.OperationalError, httpx.HTTPError, nats.errors.Error) as error:
        raise FeedNotRebuiltError(" ".join(str(error).split())) from error


def _rebuild(settings: Settings) -> int:
    with wire(settings) as parts, Progress(console=Console(stderr=True)) as shown:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, of: int) -> None:
            if step not in tasks:
                tasks[step] = shown.add_task(step, total=of)
            shown.update(tasks[step], completed=done)

        rebuild = Rebuild(parts.reader, feed_server(settings), settings.data_dir / FEED)
        return asyncio.run(rebuild.run(tell))
