"""`vaxledger feed`: the stream of entries, made anew from the log."""

import os
import sys

import typer

from bootstrap.addresses import Addresses
from bootstrap.settings import Settings

app = typer.Typer(no_args_is_help=True, help="消息流。The feed.")


@app.callback()
def feed() -> None:
    """消息流：日志的副本。The feed, which is a copy of the log."""


@app.command()
def rebuild() -> None:
    """按日志重建消息流，订阅方进度不变。Make the stream anew; subscribers stay where they are.

    Safe while publishers run, and to run again after it was killed.
    """
    settings = Settings.load()
    if settings.database_url is None:
        settings = Addresses.load(settings.data_dir).settings(settings)
    words = [sys.executable, "-m", "workers", "feed-rebuild"]
    os.execve(sys.executable, words, dict(settings.environment()))  # noqa: S606 - our own program
