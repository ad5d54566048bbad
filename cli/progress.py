"""Showing how far long work is, with its rate and the remaining time."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

Show = Callable[[int, int], None]
"""Is told how much of how much is done."""

_LINE_SECONDS = 1.0


@contextmanager
def progress_lines() -> Iterator[Show]:
    """Give a function that writes a line of JSON a second to standard error."""
    started: tuple[float, int] | None = None
    shown = 0.0

    def show(done: int, size: int) -> None:
        nonlocal started, shown
        now = time.monotonic()
        if started is None:  # what an earlier run did took none of this one's time
            started, shown = (now, done), now
        elif now - shown >= _LINE_SECONDS and done > started[1]:
            shown, rate = now, (done - started[1]) / (now - started[0])
            line = {"done": done, "size": size, "rate": round(rate, 1)}
            line["remaining_seconds"] = round((size - done) / rate, 1)
            typer.echo(json.dumps(line), err=True)

    yield show


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how much is done, with rate and remaining time."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _done, _size: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=None, rate="")

        def show(done: int, size: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            bar.update(task, completed=done, total=size, rate=rate)

        yield show
