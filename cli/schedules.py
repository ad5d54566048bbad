"""`vaxledger schedules`: the shipped schedules and requirements, and what another one changes."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.case_file import BAD_CASE, UNREADABLE, case_id, give_up
from cli.trusting import JsonOption
from domain.errors import DomainError
from domain.schedules.comparison import Difference, Edition, differences
from domain.schedules.entry_requirements import NEWEST as NEWEST_REQUIREMENTS
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.json_document import Node, parse_document
from domain.schedules.schedule import SHIPPED, Schedule
from domain.schedules.schedule_series import Step

app = typer.Typer(no_args_is_help=True, help="免疫程序与入学要求。Schedules and requirements.")

Which = Annotated[str, typer.Argument(help="编号或文件。An id of the list, or a file.")]

_FILES = {
    **{name: f"{name}.schedule.json" for name in SHIPPED},
    NEWEST_REQUIREMENTS: f"{NEWEST_REQUIREMENTS}.entry.json",
}
_LINE_LIMIT = 1_000_000
_MOST_SHOWN = 20


@app.command("list")
def list_editions(*, as_json: JsonOption = False) -> None:
    """列出已收录的版本。The editions that are shipped."""
    for name in _FILES:
        edition = _read(name).edition
        line = {
            "id": name,
            "version": edition.version,
            "effective_from": edition.effective_from.isoformat(),
            "effective_to": edition.effective_to and edition.effective_to.isoformat(),
            "zh": edition.title.zh,
            "en": edition.title.en,
        }
        text = f"{name:<14}v{edition.version}  {line['effective_from']}  {edition.title.zh}"
        typer.echo(_json(line) if as_json else text.encode())


@app.command()
def show(which: Which, *, as_json: JsonOption = False) -> None:
    """显示一个版本的各剂次和未载明之处。The doses of an edition, and what it does not know."""
    found = _read(which)
    if as_json or isinstance(found, EntryRequirements):
        typer.echo(_raw(which))
        return
    console = Console()
    edition = found.edition
    table = Table(title=f"{edition.title.zh}\n{edition.title.en}", caption=str(edition.source))
    for heading in ("系列\nseries", "剂次\ndose", "疫苗\nvaccines", "年龄\nage", "间隔\ninterval"):
        table.add_column(heading, overflow="fold")
    for series in found.series:
        steps = {step.name: step for pathway in series.pathways for step in pathway}
        for step in steps.values():
            table.add_row(f"{series.code} {_cohort(series.born)}", *_cells(step))
    console.print(table)
    for gap in found.gaps.values():
        console.print(escape(f"? {gap.text.zh}\n  {gap.text.en}"), soft_wrap=True)


@app.command()
def diff(
    before: Which,
    after: Which,
    *,
    population: Annotated[
        Path | None,
        typer.Option(help="每行一个儿童的 NDJSON。A child a line, as in case files."),
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="代替各行的日期。Instead of each line's own day."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """比较两个版本：条文，或人群中哪些儿童结论改变。What changes, in words or for whom.

    Exit code 1 when a child could not be judged, 2 when a file could not be read.
    """
    one, other = _read(before), _read(after)
    if type(one) is not type(other):
        typer.echo("vaxledger: 两个文件种类不同。The two are not of the same kind.", err=True)
        raise typer.Exit(UNREADABLE)
    if population is None:
        _print_changes(_raw(before), _raw(after), as_json=as_json)
        return
    try:
        with population.open("rb") as lines:
            failed = _print_children(_judged(one, other, lines, on), as_json=as_json)
    except OSError as error:
        give_up("人群 population", population, error)
    if failed:
        raise typer.Exit(BAD_CASE)


def _read(which: str) -> Edition:
    """Read an edition by id or from a file, or end with code 2."""
    try:
        document = parse_document(_raw(which))
        if isinstance(document.value, dict) and "required_doses" in document.value:
            return EntryRequirements.read(document)
        return Schedule.read(document)
    except DomainError as error:
        give_up("规则 rules", Path(which), error)


def _raw(which: str) -> bytes:
    if which in _FILES:
        return (files("domain.schedules") / "data" / _FILES[which]).read_bytes()
    try:
        return Path(which).read_bytes()
    except OSError as error:
        give_up("规则 rules", Path(which), error)


def _print_children(results: Iterable[dict[str, Any]], *, as_json: bool) -> int:
    """Judge child after child, print whose verdict changes, then the sums; return the failures."""
    reasons: Counter[str] = Counter()
    seen = changed = failed = 0
    for number, result in enumerate(results, 1):
        seen = number
        if isinstance(result["found"], DomainError):
            failed += 1
            fault = {"line": number, "id": result["id"], "error": result["found"].describe()}
            typer.echo(_json(fault), err=not as_json)
        elif result["found"]:
            changed += 1
            reasons.update({difference.reason for difference in result["found"]})
            _print_child(result["id"], result["found"], changed, as_json=as_json)
    total = {"children": seen, "changed": changed, "failed": failed}
    if as_json:
        typer.echo(_json(total | {"reasons": dict(reasons.most_common())}))
    else:
        for reason, count in reasons.most_common():
            typer.echo(f"{count:>10,}  {reason}".encode())
        typer.echo(f"儿童 {seen:,}，结论改变 {changed:,}，无法判定 {failed:,}".encode())
        typer.echo(f"{seen:,} children, {changed:,} change verdict, {failed:,} failed".encode())
    return failed


def _judged(
    one: Edition, other: Edition, lines: BinaryIO, on: datetime | None
) -> Iterator[dict[str, Any]]:
    """Yield for each line the child's id and the differences, or what is wrong with it."""
    day = "asked_on" if isinstance(one, Schedule) else "check_date"
    while line := lines.readline(_LINE_LIMIT):
        name: str | None = None
        found: list[Difference] | DomainError
        try:
            child = parse_document(line)
            name = case_id(child)
            if on is not None:
                child = Node(child.value | {day: on.date().isoformat()})
            found = differences(one, other, child)
        except DomainError as error:
            found = error
        yield {"id": name, "found": found}


def _print_child(name: str, found: list[Difference], number: int, *, as_json: bool) -> None:
    if as_json:
        changes = [{"about": d.about, "from": d.before, "to": d.after} for d in found]
        typer.echo(_json({"id": name, "changes": changes}))
    elif number <= _MOST_SHOWN:
        told = "; ".join(f"{d.about}: {d.before} -> {d.after}" for d in found)
        typer.echo(f"{name}: {told}".encode())


def _print_changes(one: bytes, other: bytes, *, as_json: bool) -> None:
    """Print the members that two files of one kind give differently."""
    before, after = _members(parse_document(one)), _members(parse_document(other))
    for place in sorted(before.keys() | after.keys()):
        was, now = before.get(place), after.get(place)
        if was != now:
            line = {"member": place, "from": was, "to": now}
            typer.echo(
                _json(line) if as_json else f"{place}: {_text(was)} -> {_text(now)}".encode()
            )


def _members(document: Node) -> dict[str, Any]:
    """Flatten what decides in a file: every member but its head, its sentences and examples."""
    told = ("id", "version", "title", "source", "rules", "gaps", "examples")
    deciding = {name: node.value for name, node in document.entries().items() if name not in told}
    return {
        place: value
        for place, value in _flat("", deciding)
        if place.rpartition("/")[2] not in ("code", "zh", "en", "source")
    }


def _flat(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the leaves; of a list those with a code go by it, so that order does not matter."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(f"{place}/{name}", item)
    elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _flat(f"{place}/{_name(item, index)}", item)
    else:
        yield place, value


def _name(item: dict[str, Any], index: int) -> str:
    periods = ("born", "asked")
    held = [".".join(("", of, *map("=".join, item[of].items()))) for of in periods if of in item]
    return "".join((str(item.get("code", index)), *held))


def _cohort(born: tuple[Any, Any]) -> str:
    return "" if born == (None, None) else f"{born[0] or ''}..{born[1] or ''}"


def _cells(step: Step) -> Iterator[str]:
    yield f"{step.name} ({step.group})"
    yield " ".join(step.vaccines)
    until = f" < {step.complete_before}" if step.complete_before else ""
    ended = f" [< {step.not_from}]" if step.not_from else ""
    yield f"{step.min_age}{until}{ended}"
    yield " ".join(f">= {span}" for span in (step.after_given, step.after_counted) if span)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _text(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
