"""Rounds in which everyone takes a turn, so that what disturbs the machine disturbs all alike."""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks import machine, spending
from benchmarks.measuring import Measured
from benchmarks.rows import Book, Failure, Row, percentiles


@dataclass(slots=True)
class Contestant:
    """Something that is measured in each round.

    Attributes:
        name: Name of its row.
        unit: Of its rate.
        run: Does a turn of about so many seconds.
        prepare: Makes ready what a turn needs; not measured.
        beside: Name of the row it is compared with.
        note: For the reader.
        callers: How many call at once, where rows differ by that.
        has_latency: Whether the time of each call is worth showing.
        turns: How many it takes at most; one that measures thousands of calls needs no second.
    """

    name: str
    unit: str
    run: Callable[[float], Measured]
    prepare: Callable[[], None] = lambda: None
    beside: str = ""
    note: str = ""
    callers: int = 0
    has_latency: bool = False
    turns: int = sys.maxsize
    values: list[float | None] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run takes.

    Attributes:
        rounds: How often everyone takes a turn.
        seconds: Of one turn.
        scale: Factor on amounts that are made before they are measured.
        until: Monotonic time after which no further round begins.
        patience: Seconds that a turn waits for a quiet machine at most.
    """

    rounds: int = 3
    seconds: float = 0.8
    scale: float = 1.0
    until: float = float("inf")
    patience: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the time of the run is used up."""
        return time.monotonic() > self.until

    def amount(self, full: int) -> int:
        """Return an amount of the full form, scaled, at least ten."""
        return max(10, int(full * self.scale))


def hold(book: Book, group: str, pace: Pace, contestants: Sequence[Contestant]) -> None:
    """Let everyone take turns; who fails is out, the others go on."""
    failed: set[str] = set()
    for number in range(pace.rounds):
        if number and pace.is_over:
            say(f"  the time is over after {number} of {pace.rounds} rounds")
            break
        # Forth and back, so that nobody always comes after the same one.
        order = contestants if number % 2 == 0 else contestants[::-1]
        for contestant in order:
            if contestant.name in failed or number >= contestant.turns:
                continue
            if not _turn(book, group, pace, contestant):
                failed.add(contestant.name)
    for one in contestants:
        if any(value is not None for value in one.values):
            book.rows.append(_row(group, one))


def _turn(book: Book, group: str, pace: Pace, contestant: Contestant) -> bool:
    try:
        contestant.prepare()
        gc.collect()
        book.turns += 1
        book.quiet_turns += machine.await_quiet(pace.patience)
        before = spending.spent()
        measured = contestant.run(pace.seconds)
        contestant.spent = spending.each(before, spending.spent(), measured.count)
    except Exception as error:  # noqa: BLE001  one row must not cost the others
        contestant.values.append(None)
        book.failures.append(Failure(group, contestant.name, reason_of(error)))
        say(f"  {contestant.name}: failed, {reason_of(error)}")
        return False
    contestant.values.append(measured.rate)
    contestant.latencies += measured.latencies
    say(f"  {contestant.name}: {measured.rate:,.0f} {contestant.unit}")
    return True


def _row(group: str, one: Contestant) -> Row:
    return Row(
        group=group,
        name=one.name,
        unit=one.unit,
        values=tuple(one.values),
        beside=one.beside,
        note=one.note,
        latency=percentiles(one.latencies) if one.has_latency else {},
        callers=one.callers,
        spent=one.spent,
        most=spending.limit(one.spent) if one.spent else None,
    )


def reason_of(error: BaseException) -> str:
    """Return an error as one line; of a group its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0]}" if words else type(error).__name__


_STARTED = time.monotonic()


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(f"{time.monotonic() - _STARTED:6.1f} s  {text}", flush=True)
