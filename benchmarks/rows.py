"""The rows of the table: what was measured, in which rounds, beside what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        group: Part of the run that measured it.
        name: What was measured; unique in a run.
        unit: Of the values, such as ``events/s``.
        values: One value for each round, None where the round failed.
        beside: Name of the row that it is compared with; empty for a floor or a ceiling.
        note: What a reader must know to judge it.
        latency: Milliseconds by percentile, over all rounds.
        callers: How many callers worked at once, where rows differ by that; else 0.
        spent: Microseconds of CPU that one of the unit took, by process, in the last round.
        most: How many a second the cores would carry at that.
    """

    group: str
    name: str
    unit: str
    values: tuple[float | None, ...]
    beside: str = ""
    note: str = ""
    latency: Mapping[float, float] = field(default_factory=dict)
    callers: int = 0
    spent: Mapping[str, float] = field(default_factory=dict)
    most: float | None = None

    @property
    def middle(self) -> float | None:
        """The median of the rounds that succeeded; None without any."""
        return middle(self.values)


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that could not be measured; the others stand.

    Attributes:
        group: Part of the run.
        name: What was to be measured.
        reason: The error, in one line.
    """

    group: str
    name: str
    reason: str


@dataclass(slots=True)
class Book:
    """Everything that a run has measured.

    Attributes:
        rows: In the order in which they were measured.
        failures: Likewise.
        facts: Sizes and circumstances by name, such as the payload.
        turns: How many turns were taken.
        quiet_turns: How many of them began on a machine that did nothing else.
    """

    rows: list[Row] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    turns: int = 0
    quiet_turns: int = 0

    def find(self, name: str) -> Row | None:
        """Return the row of a name."""
        return next((row for row in self.rows if row.name == name), None)

    def ratio(self, row: Row) -> float | None:
        """Return a row's value over that of the row beside it; None where there is none."""
        other = self.find(row.beside) if row.beside else None
        return None if other is None else paired_ratio(row.values, other.values)


def middle(values: Sequence[float | None]) -> float | None:
    """Return the median of the values that are there."""
    present = [value for value in values if value is not None]
    return median(present) if present else None


def paired_ratio(values: Sequence[float | None], others: Sequence[float | None]) -> float | None:
    """Return the median of the ratios of rounds that stood side by side.

    What disturbed the machine in a round disturbed both. Rows of different numbers of rounds were
    not interleaved: of those the medians are divided.
    """
    if len(values) == len(others):
        pairs = [
            value / other
            for value, other in zip(values, others, strict=True)
            if value is not None and other
        ]
        return median(pairs) if pairs else None
    upper, lower = middle(values), middle(others)
    return upper / lower if upper is not None and lower else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` per cent of all do not exceed.

    Args:
        ordered: At least one value, ascending.
        share: From 0 to 100.
    """
    rank = -(-len(ordered) * share // 100)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def percentiles(seconds: Sequence[float]) -> dict[float, float]:
    """Return milliseconds by percentile; empty for nothing measured."""
    ordered = sorted(seconds)
    return {share: percentile(ordered, share) * 1000 for share in PERCENTILES} if ordered else {}


def number_text(value: float | None) -> str:
    """Return a number with three significant digits, thousands apart."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 100:
        digits = max(0, len(str(int(size))) - 3)
        return f"{round(value, -digits):,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.2g}"


def ratio_text(value: float | None) -> str:
    """Return a ratio as a factor, below one half as a percentage."""
    if value is None:
        return ""
    return f"{value * 100:.2g} %" if value < 0.5 else f"× {number_text(value)}"
