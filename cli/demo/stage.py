"""The stage: what the demo shows while it runs, and what it remembers of each step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class StepFailed(Exception):
    """A step of the demo failed.

    Attributes:
        step: Which one, as its slug.
        reason: Why, in one sentence.
    """

    def __init__(self, step: str, reason: str) -> None:
        self.step = step
        self.reason = reason
        super().__init__(f"{step}: {reason}")


class Mismatch(Exception):
    """What came out is not what must come out."""


@dataclass(slots=True)
class Outcome:
    """What a step did.

    Attributes:
        slug: Name of the step.
        seconds: How long it took.
        count: How many things it did, 0 where nothing is counted.
        facts: What else is worth keeping for programs.
    """

    slug: str
    seconds: float = 0.0
    count: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Things a second."""
        return self.count / self.seconds if self.seconds else 0.0

    def describe(self) -> dict[str, Any]:
        """Return the outcome as a JSON object."""
        counted = {"count": self.count, "per_second": round(self.rate, 1)} if self.count else {}
        return {"step": self.slug, "seconds": round(self.seconds, 3), **counted, **self.facts}


class Step:
    """One step while it runs.

    Args:
        outcome: Where counts and facts go.
        bar: What shows them meanwhile; None outside a terminal.
        task: The bar's own name for this step.
    """

    def __init__(self, outcome: Outcome, bar: Progress | None, task: TaskID | None) -> None:
        self.outcome = outcome
        self.notes: list[str] = []
        self._bar = bar
        self._task = task

    def advance(self, count: int = 1) -> None:
        """Count things that are done."""
        self.outcome.count += count
        if self._bar is not None and self._task is not None:
            rate = self._bar.tasks[0].speed
            shown = f"{rate:,.0f}/s" if rate else ""
            self._bar.update(self._task, advance=count, rate=shown)

    def fact(self, **facts: Any) -> None:
        """Keep facts for the summary."""
        self.outcome.facts |= facts

    def note(self, text: str) -> None:
        """Say something below the step's line, once it is done."""
        self.notes.append(text)


class Stage:
    """Shows the steps one after the other.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.outcomes: list[Outcome] = []
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, slug: str, zh: str, en: str, total: int | None = None) -> Iterator[Step]:
        """Run one step.

        Args:
            slug: Its name for programs and in failures.
            zh: What it does, in Chinese.
            en: Likewise in English.
            total: How many things it will do, where that is known.

        Raises:
            StepFailed: Whatever went wrong inside.
        """
        outcome = Outcome(slug)
        self.outcomes.append(outcome)
        started = time.monotonic()
        title = f"{zh} · {en}"
        try:
            with self._progress(title, total) as (bar, task):
                step = Step(outcome, bar, task)
                yield step
        except Exception as error:
            outcome.seconds = time.monotonic() - started
            reason = "; ".join((str(error), *getattr(error, "__notes__", ())))
            self.console.print(f"[red]✗[/red] {escape(title)}  {outcome.seconds:.1f} s")
            raise StepFailed(slug, f"{type(error).__name__}: {reason}") from error
        outcome.seconds = time.monotonic() - started
        self._tell(title, step)

    @contextmanager
    def _progress(
        self, title: str, total: int | None
    ) -> Iterator[tuple[Progress | None, TaskID | None]]:
        if not self.console.is_terminal:
            yield None, None
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            *((BarColumn(), MofNCompleteColumn()) if total else ()),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bar:
            yield bar, bar.add_task(escape(title), total=total, rate="")

    def _tell(self, title: str, step: Step) -> None:
        outcome = step.outcome
        parts = [f"[green]✓[/green] {escape(title)}"]
        if outcome.count:
            parts.append(f"[bold]{outcome.count:,}[/bold]")
        parts.append(f"{outcome.seconds:.1f} s")
        if outcome.count and outcome.seconds:
            parts.append(f"[dim]{outcome.rate:,.0f}/s[/dim]")
        self.console.print("  ".join(parts), highlight=False)
        for note in step.notes:
            self.console.print(f"    [dim]{escape(note)}[/dim]", highlight=False)
