"""What a run leaves behind: a table to read, the same as JSON, and plots."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import appending, peers
from benchmarks.aims import Aim, judge
from benchmarks.rows import Book, Row, number_text, ratio_text
from benchmarks.spending import shares
from benchmarks.svg import Series, bars, percentile_lines

TITLES: Mapping[str, str] = {
    "floors": "Floors and ceilings",
    "appends": "Append: the peers and ours, in the same rounds",
    "prices": "What each safeguard costs",
    "http": "HTTP: single doses into a whole installation",
    "log": "The log: integrating and verifying",
    "views": "What follows the log",
    "feed": "The feed: a backlog, and from the commit to the subscribers",
    "growth": "Growth: the same appends beside more and more entries",
    "tenmillion": "Growth: the same appends beside ten million entries",
    "reads": "Reads over HTTP, open loop",
    "population": "Reads over HTTP, open loop, among a million children",
    "bookings": "Bookings: a rush for seats",
    "opening": "Bookings: the minute at which seats open",
    "schools": "The school check: a county of 100,000 children",
    "rules": "Rules: one child at a time",
    "credentials": "Credentials: what is carried, beside a bare signature",
}
SPENDING_GROUPS = ("appends", "http")
ASKED_FOR = frozenset({"opening", "population", "tenmillion"})
"""Groups that have no place in the ten minutes; they run when they are named."""

RESULTS = Path(__file__).with_name("results")
_APART = RESULTS / "apart"
_QUIET_SHARE = 0.95
_EMPTY = "–"


def place(book: Book, only: Sequence[str], *, is_quick: bool) -> Path:
    """Return where the results of a run belong, from which README and the pages are told.

    A run of some groups, one that failed in part, one with tiny amounts and one beside other work
    never stand where the whole run of a quiet machine stands.
    """
    is_apart = bool(only) and ASKED_FOR.issuperset(only)
    is_quiet = book.quiet_turns >= _QUIET_SHARE * book.turns
    if is_quick or book.failures or not is_quiet or (only and not is_apart):
        return _APART
    return RESULTS / "-".join(sorted(set(only)))


def write(book: Book, folder: Path) -> None:
    """Write `latest.md`, `latest.json` and the plots."""
    folder.mkdir(exist_ok=True)
    drawn = _plots(book)
    for name, content in drawn.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "latest.md").write_text(markdown(book, drawn), encoding="utf-8")
    text = json.dumps(document(book), indent=1, ensure_ascii=False)
    (folder / "latest.json").write_text(f"{text}\n", encoding="utf-8")


def markdown(book: Book, plots: Iterable[str] = ()) -> str:
    """Return the tables of a run."""
    lines = ["# Measured", ""]
    lines += [f"- {name}: {fact}" for name, fact in book.facts.items()]
    lines += ["", *_aims(judge(book))]
    for group, title in TITLES.items():
        rows = [row for row in book.rows if row.group == group]
        if rows:
            lines += [f"## {title}", "", *_table(book, rows), ""]
    lines += _spending(book)
    if book.failures:
        lines += ["## Not measured", ""]
        lines += [f"- {one.name}: {one.reason}" for one in book.failures]
        lines += [""]
    lines += [f"![{name.removesuffix('.svg')}]({name})" for name in plots]
    return "\n".join(lines).rstrip() + "\n"


def document(book: Book) -> dict[str, object]:
    """Return a run as a JSON object."""
    rows = []
    for row in book.rows:
        members = asdict(row)
        members["latency"] = {f"p{share:g}": value for share, value in row.latency.items()}
        rows.append({**members, "median": row.middle, "ratio": book.ratio(row)})
    return {
        "facts": book.facts,
        "aims": [asdict(aim) for aim in judge(book)],
        "rows": rows,
        "failures": [asdict(one) for one in book.failures],
    }


def _aims(aims: list[Aim]) -> list[str]:
    if not aims:
        return []
    lines = ["## To reach", "", "| what | to reach | measured | reached |", "|---|---|---|---|"]
    for aim in aims:
        verdict = "yes" if aim.is_reached else "**no**"
        lines.append(f"| {aim.what} | {aim.wanted} | {aim.measured} | {verdict} |")
    return [*lines, ""]


def _table(book: Book, rows: list[Row]) -> list[str]:
    lines = [
        "| what | median | lowest to highest | beside | p50 / p99 ms | note |",
        "|---|---:|---:|---|---:|---|",
    ]
    for row in rows:
        present = [value for value in row.values if value is not None]
        span = f"{number_text(min(present))} to {number_text(max(present))}"
        ratio = ratio_text(book.ratio(row))
        beside = f"{ratio} {row.beside}" if ratio else _EMPTY
        latency = _EMPTY
        if row.latency:
            latency = f"{number_text(row.latency[50.0])} / {number_text(row.latency[99.0])}"
        value = f"{number_text(row.middle)} {row.unit}"
        lines.append(f"| {row.name} | {value} | {span} | {beside} | {latency} | {row.note} |")
    return lines


def _spending(book: Book) -> list[str]:
    """Whose processor time those writes take of which something is wanted."""
    wanted = {aim.what for aim in judge(book)}
    rows = [
        row
        for row in book.rows
        if row.name in wanted and row.spent and row.group in SPENDING_GROUPS
    ]
    if not rows:
        return []
    return [
        "## Whose processor time a write takes",
        "",
        "| what | µs of CPU each | all cores carry at most | of it |",
        "|---|---:|---:|---|",
        *(spending_line(row.name, row.spent, row.most) for row in rows),
        "",
    ]


def spending_line(name: str, spent: Mapping[str, float], most: float | None) -> str:
    """A line of that table."""
    whole = number_text(sum(spent.values()))
    return f"| {name} | {whole} | {number_text(most)} | {shares(spent)} |"


def _plots(book: Book) -> dict[str, str]:
    plots = {}
    appends = _by_callers(book)
    if appends:
        plots["appends.svg"] = bars("Durable appends by callers", peers.EVENTS, appends)
    for group, title in (
        ("prices", "What each safeguard costs"),
        ("growth", "Appends beside more and more entries"),
    ):
        rates = {row.name: row.middle for row in book.rows if row.group == group and row.middle}
        if rates:
            plots[f"{group}.svg"] = bars(title, peers.EVENTS, [Series("", rates)])
    for group, title in (
        ("http", "A dose over HTTP"),
        ("reads", "Reads over HTTP"),
        ("feed", "From the commit to the subscribers"),
    ):
        found = [(row.name, row.latency) for row in book.rows if row.group == group and row.latency]
        if found:
            plots[f"{group}.svg"] = percentile_lines(title, found)
    return plots


def _by_callers(book: Book) -> list[Series]:
    series = []
    for callers in peers.CALLERS:
        values = {
            row.name.rpartition(", ")[0]: row.middle
            for row in book.rows
            if row.group == "appends" and row.callers == callers and row.middle
        }
        if values:
            series.append(Series(peers.callers_text(callers), values))
    return series


def headline(book: Book) -> str:
    """Return one line that says how far it is from the peers."""
    ours = book.find(peers.name_of(appending.FOLLOWED, peers.CALLERS[-1]))
    ratio = book.ratio(ours) if ours else None
    reached = judge(book)
    count = sum(aim.is_reached for aim in reached)
    beside = f"append beside the library: {ratio_text(ratio)}; " if ratio else ""
    return f"{beside}{count} of {len(reached)} aims reached"
