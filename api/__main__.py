"""`python -m api`: serve HTTP until SIGTERM; what was accepted is finished first."""

import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import psycopg
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connection import Connection
from bootstrap import garbage
from bootstrap.errors import BootstrapError, SettingsError
from bootstrap.fitness import refuse_unfit
from bootstrap.log_keys import look_outside
from bootstrap.logs import configure_logging, log_unexpected_ends
from bootstrap.settings import Settings
from bootstrap.views import open_views
from bootstrap.wiring import wire

KEEP_ALIVE_SECONDS = 30
GRACE_SECONDS = 10
BACKLOG = 2_048
SWITCH_SECONDS = 0.001
"""What a thread that decides may keep the interpreter from the event loop: 5 ms unless told.

Each answer takes it several times, so while seats were decided, others answered half as often.
"""
_USAGE_ERROR = 2


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then stop accepting, finish, and close everything.

    Args:
        settings: With the URLs of both databases.
    """
    with suppress(psycopg.OperationalError):  # the writer looks again before it writes
        look_outside(settings)
    with wire(settings) as parts, open_views(settings) as views:
        server = server_of(create_app(parts, views), settings.host, settings.port)
        garbage.settle()
        sys.setswitchinterval(SWITCH_SECONDS)
        server.run()


def server_of(app: FastAPI, host: str, port: int) -> uvicorn.Server:
    """The HTTP server of an app, with its limits."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,  # ours is configured already
            access_log=False,  # `api.measuring` says what may be said
            proxy_headers=False,  # a header must not decide who is on this machine
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def main() -> int:
    """Load the settings and serve.

    Returns:
        0 after an orderly stop, 2 for settings, or files they name, that cannot be used.
    """
    garbage.share_heap()
    try:
        settings = Settings.load()
        if settings.database_url is None:
            raise SettingsError(("VAXLEDGER_DATABASE_URL and VAXLEDGER_KEYS_URL say where",))
        refuse_unfit(settings)
        configure_logging(settings.log_level)
        log_unexpected_ends()
        # The server takes these signals while it serves, finishes, and raises them again for us.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        serve(settings)
    except BootstrapError as error:
        print(f"vaxledger: {error}", file=sys.stderr)  # noqa: T201 - a command
        return _USAGE_ERROR
    return 0


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """Leave through every `with` on the way out."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
