"""`vaxledger migrate`: databases up to date, and the log opened on its very first start."""

import sys

import typer

from bootstrap.fitness import refuse_unfit
from bootstrap.founding import refuse_unfinished
from bootstrap.halting import refuse_halted
from bootstrap.logs import configure_logging
from bootstrap.migrate import migrate_all
from bootstrap.settings import Settings
from bootstrap.wiring import publish_verifier_keys, wire
from commands.genesis import is_open, open_log
from ledger.store.errors import LogHalted, WritesHalted


def migrate() -> None:
    """升级两个数据库；首次启动时开账。Bring both databases up to date; open a new log.

    Safe to run twice, and by two processes at once. Refuses a database that lies behind what was
    signed: an old backup goes through `vaxledger log recover` first. Refuses a halted log until
    `vaxledger log resume`.
    """
    settings = Settings.load()
    configure_logging(settings.log_level)
    if settings.database_url is None or settings.keys_url is None:
        raise typer.BadParameter("VAXLEDGER_DATABASE_URL and VAXLEDGER_KEYS_URL say where")
    refuse_unfit(settings)
    refuse_unfinished(settings)
    for name in migrate_all(settings.database_url, settings.keys_url):
        print(f"applied {name}")
    try:
        refuse_halted(settings)  # before anything is appended
    except (LogHalted, WritesHalted) as halted:
        print(f"vaxledger: {halted}", file=sys.stderr)
        raise typer.Exit(1) from None
    with wire(settings) as parts:
        if not is_open(parts.services):  # the root key may have been taken away since
            open_log(parts.services, parts.founder)
        publish_verifier_keys(parts)
