"""`vaxledger feed`: the stream of entries, made anew from the log."""

import os
import sys

import typer

from cli.joining import joined_settings

app = typer.Typer(no_args_is_help=True, help="消息流。The feed.")


@app.callback()
def feed() -> None:
    """消息流：日志的副本。The feed, which is a copy of the log."""


@app.command()
def rebuild() -> None:
    """按日志重建消息流，订阅方进度不变。Make the stream anew; subscribers stay where they are.

    Safe while publishers run, and to run again after it was killed.
    """
    words = [sys.executable, "-m", "workers", "feed-rebuild"]
    environment = dict(joined_settings().environment())
    os.execve(sys.executable, words, environment)  # noqa: S606 - our own program
