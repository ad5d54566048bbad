"""`python -m workers NAME`: run one worker until SIGTERM."""

import importlib
import signal
import sys
import threading
from functools import partial

import structlog

from bootstrap import garbage
from bootstrap.errors import BootstrapError
from bootstrap.fitness import refuse_unfit
from bootstrap.folders import ready_mark
from bootstrap.logs import configure_logging, log_unexpected_ends
from bootstrap.settings import Settings
from ledger.store.errors import LogHalted

WORKERS = (
    *("integrator", "projector", "publisher", "feed-rebuild", "custodian", "calendar"),
    "witness",
)
"""Each a module of `workers.parts`."""

_log = structlog.get_logger("worker")


def _mark_ready(settings: Settings, worker: str) -> None:
    garbage.settle()
    ready_mark(settings.data_dir, worker).touch()
    _log.info("worker-ready", worker=worker)


def main() -> int:
    """Run the worker that the command line names.

    Returns:
        0 after an orderly stop, 1 when the log must not go on, 2 for an unknown name.
    """
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in WORKERS:
        print(f"usage: python -m workers {'|'.join(WORKERS)}", file=sys.stderr)  # noqa: T201 - a usage line
        return 2
    try:
        settings = Settings.load()
        refuse_unfit(settings)
    except BootstrapError as error:
        print(f"vaxledger: {error}", file=sys.stderr)  # noqa: T201 - for whoever started it
        return 2
    configure_logging(settings.log_level)
    log_unexpected_ends()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    part = importlib.import_module(f"workers.parts.{name.replace('-', '_')}")
    try:
        part.run(settings, stop, partial(_mark_ready, settings, name))
    except LogHalted as halted:  # it is logged with its facts; a person must look
        print(f"vaxledger: {halted}", file=sys.stderr)  # noqa: T201 - for whoever started it
        return 1
    except BootstrapError as error:
        print(f"vaxledger: {error}", file=sys.stderr)  # noqa: T201 - likewise
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
