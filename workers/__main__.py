"""`python -m workers NAME`: run one worker until SIGTERM."""

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial

import structlog
from rich.console import Console
from rich.progress import Progress, TaskID

from bootstrap.erasure import Eraser, apply_shred_list
from bootstrap.errors import BootstrapError
from bootstrap.feed import feed_server
from bootstrap.floors import FEED, Floors
from bootstrap.installation import ready_mark
from bootstrap.logs import configure_logging
from bootstrap.settings import Settings
from bootstrap.views import open_views
from bootstrap.wiring import log_signers, outside_path, wire
from commands.access import close_minutes
from ledger.store.errors import LogHalted
from ledger.store.integration import Integrator
from projections.loop import Projector
from workers import custodian, projector
from workers.asking import asking_witnesses
from workers.own_witness import serve_own
from workers.publisher import Publisher
from workers.rebuild import Rebuild

_log = structlog.get_logger("worker")


def _integrate(settings: Settings, stop: threading.Event) -> None:
    assert settings.database_url is not None
    outside = outside_path(settings)
    outside.parent.mkdir(mode=0o700, exist_ok=True)
    integrator = Integrator(settings.database_url, log_signers(settings), outside)
    _mark_ready(settings, "integrator")
    with asking_witnesses(settings):
        integrator.run(stop)


def _project(settings: Settings, stop: threading.Event) -> None:
    assert settings.database_url is not None
    assert settings.keys_url is not None
    with wire(settings) as parts:
        running = Projector(parts.reader, settings.database_url, settings.keys_url, parts.vault)
        _mark_ready(settings, "projector")
        projector.run(running, settings.database_url, stop)


def _publish(settings: Settings, stop: threading.Event) -> None:
    with wire(settings) as parts:
        floors = Floors.of(settings.data_dir)
        publisher = Publisher(parts.reader, feed_server(settings), settings.database_url, floors)
        _mark_ready(settings, "publisher")
        asyncio.run(_until(stop, publisher))


def _rebuild(settings: Settings, _stop: threading.Event) -> None:
    """Not one that runs for ever: `vaxledger feed rebuild` is this."""
    with wire(settings) as parts, Progress(console=Console(stderr=True)) as shown:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, of: int) -> None:
            if step not in tasks:
                tasks[step] = shown.add_task(step, total=of)
            shown.update(tasks[step], completed=done)

        rebuild = Rebuild(parts.reader, feed_server(settings), settings.data_dir / FEED)
        print(json.dumps({"messages": asyncio.run(rebuild.run(tell))}))  # noqa: T201 - its result


def _keep(settings: Settings, stop: threading.Event) -> None:
    with wire(settings) as parts, open_views(settings) as views:
        eraser = Eraser(settings, parts.services, views.records, views.positions)
        _mark_ready(settings, "custodian")
        close = partial(close_minutes, parts.services, views.access)
        custodian.run(eraser, close, partial(apply_shred_list, settings), stop)


def _witness(settings: Settings, stop: threading.Event) -> None:
    serve_own(settings, stop, partial(_mark_ready, settings, "witness"))


async def _until(stop: threading.Event, publisher: Publisher) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    watcher = threading.Thread(
        target=lambda: (stop.wait(), loop.call_soon_threadsafe(stopped.set)), daemon=True
    )
    watcher.start()
    await publisher.run(stopped)


def _mark_ready(settings: Settings, worker: str) -> None:
    ready_mark(settings.data_dir, worker).touch()
    _log.info("worker-ready", worker=worker)


WORKERS: Mapping[str, Callable[[Settings, threading.Event], None]] = {
    "integrator": _integrate,
    "projector": _project,
    "publisher": _publish,
    "feed-rebuild": _rebuild,
    "custodian": _keep,
    "witness": _witness,
}


def main() -> int:
    """Run the worker that the command line names.

    Returns:
        0 after an orderly stop, 1 when the log must not go on, 2 for an unknown name.
    """
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in WORKERS:
        print(f"usage: python -m workers {'|'.join(WORKERS)}", file=sys.stderr)  # noqa: T201 - a usage line
        return 2
    settings = Settings.load()
    configure_logging(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        WORKERS[name](settings, stop)
    except LogHalted as halted:  # it is logged with its facts; a person must look
        print(f"vaxledger: {halted}", file=sys.stderr)  # noqa: T201 - for whoever started it
        return 1
    except BootstrapError as error:
        print(f"vaxledger: {error}", file=sys.stderr)  # noqa: T201 - likewise
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
