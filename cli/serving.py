"""`vaxledger serve`, and its parts one by one."""

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from bootstrap.addresses import Addresses
from bootstrap.installation import WORKERS
from bootstrap.installation import serve as serve_installation
from bootstrap.logs import configure_logging
from bootstrap.migrate import migrate_all
from bootstrap.recovery import refuse_rolled_back
from bootstrap.settings import Settings
from bootstrap.wiring import publish_verifier_keys, wire
from commands.genesis import open_log
from ledger.store.errors import LogHalted


def serve(
    port: Annotated[int | None, typer.Option(help="Port of the HTTP interface.")] = None,
) -> None:
    """Run the whole installation: servers, API and workers, until Ctrl-C."""
    settings = Settings.load(port=port)
    configure_logging(settings.log_level)

    def announce(addresses: Addresses) -> None:
        Console().print(f"vaxledger 已就绪 · ready: [link]{addresses.http_url}[/link]")

    serve_installation(settings, announce)


def migrate() -> None:
    """Bring both databases up to date and open the log on its very first start.

    Safe to run twice, and by two processes at once. Refuses a database that lies behind what was
    signed: an old backup goes through `vaxledger log recover` first.
    """
    settings = Settings.load()
    configure_logging(settings.log_level)
    if settings.database_url is None or settings.keys_url is None:
        raise typer.BadParameter("VAXLEDGER_DATABASE_URL and VAXLEDGER_KEYS_URL say where")
    for name in migrate_all(settings.database_url, settings.keys_url):
        print(f"applied {name}")
    try:
        refuse_rolled_back(settings)  # before anything is appended
    except LogHalted as halted:
        print(f"vaxledger: {halted}", file=sys.stderr)
        raise typer.Exit(1) from None
    with wire(settings) as parts:
        open_log(parts.services, parts.founder)
        publish_verifier_keys(parts)


def api() -> None:
    """Run the HTTP interface alone, against databases given by URL."""
    os.execv(sys.executable, [sys.executable, "-m", "api"])  # noqa: S606 - our own interpreter


def worker(name: Annotated[str, typer.Argument(help=" | ".join(WORKERS))]) -> None:
    """Run one worker alone, against servers given by URL."""
    os.execv(sys.executable, [sys.executable, "-m", "workers", name])  # noqa: S606 - likewise
