"""`vaxledger simulate`: a life-like province as files or over HTTP, for trials and load tests."""

import asyncio
import json
import shutil
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from errno import EEXIST
from os import strerror
from pathlib import Path
from typing import Annotated, Literal

import typer

from bootstrap.settings import Settings
from cli.case_file import give_up
from cli.key import one_line
from cli.progress import progress_bar
from cli.province.live import here, live
from cli.trusting import JsonOption
from domain.errors import DomainError
from domain.schedules.schedule import Schedule
from simulation.files import CLASS_LIST_HEADINGS, about, lines
from simulation.province import Province

_HELD_LINES = 20_000
_DOSES_A_CHILD = 15
_WRITES_A_CHILD = 18


def simulate(  # noqa: PLR0913  each is an option of the command line
    into: Annotated[
        Path | None, typer.Option(help="写入的新文件夹。The folder to write; it must not exist.")
    ] = None,
    *,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="每秒事件数：向本机正在运行的系统逐条写入。"
            "Events a second, over HTTP into the installation that is being served here.",
        ),
    ] = None,
    children: Annotated[int, typer.Option(min=1, help="出生人数。Children born.")] = 1_000,
    years: Annotated[int, typer.Option(min=1, max=10, help="年数。Years.")] = 6,
    first_day: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="第一天。The first day.")
    ] = datetime(2018, 9, 1),  # noqa: DTZ001  typer turns it into a day
    seed: Annotated[str, typer.Option(help="种子：同一种子，同样的文件。Names it.")] = "1",
    schedule: Annotated[
        Literal["cn-nip-2021", "cn-nip-2026"], typer.Option(help="免疫程序。The schedule.")
    ] = "cn-nip-2021",
    as_json: JsonOption = False,
) -> None:
    """生成虚构省份：写成文件，或按选定速度写入系统。A made-up province, as files or over HTTP.

    The same options write the same bytes. `vaxledger import` takes the histories and then the
    mistakes, `vaxledger class-list` the classes. With --rate its clinics and schools write event by
    event instead; ended and run again, it goes on. Nobody in it exists.
    """
    if (into is None) == (rate is None):
        raise typer.BadParameter("--into FOLDER | --rate EVENTS")
    chosen = Schedule.load(schedule)
    try:
        province = Province(seed, children, years, first_day.date())
    except DomainError as error:
        give_up("simulate", into or Path(), error)
    if into is None:
        assert rate is not None, "one of the two is given"
        _live(province, chosen, rate, as_json=as_json)
        return
    counts = _make(into, province, chosen, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        for name, count in counts.items():
            typer.echo(f"{name:10} {count:>12,}")


def _live(province: Province, schedule: Schedule, rate: float, *, as_json: bool) -> None:
    """Let it live here, and tell how that went."""
    with one_line(), progress_bar("写入 written", quiet=as_json) as bar:
        size = province.children * _WRITES_A_CHILD
        told = asyncio.run(
            live(here(Settings.load()), province, schedule, rate, lambda n: bar(n, max(n, size)))
        )
    slowest = sorted(told.latencies)
    facts: dict[str, float] = {
        "writes": told.writes,
        "seconds": round(told.seconds, 3),
        "writes_a_second": round(told.rate, 1),
    }
    for share in (50, 99):
        if slowest:
            facts[f"p{share}_ms"] = round(1000 * slowest[(len(slowest) - 1) * share // 100], 1)
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            typer.echo(f"{name:16} {value:>12,}")


def _make(into: Path, province: Province, schedule: Schedule, *, quiet: bool) -> dict[str, int]:
    part = into.with_name(f"{into.name}.part")
    try:
        if into.exists():
            raise FileExistsError(EEXIST, strerror(EEXIST))
        # A crash leaves the folder under its other name; the next run begins it anew.
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(parents=True)
        counts = _write(part, province, schedule, quiet=quiet)
        (part / "province.json").write_text(about(province, schedule), encoding="utf-8")
        part.rename(into)
    except OSError as error:
        give_up("simulate", into, error)
    return counts


def _write(folder: Path, province: Province, schedule: Schedule, *, quiet: bool) -> dict[str, int]:
    """Write all lines, and return how many of each kind there are."""
    counts = {"histories": 0, "mistakes": 0, "classes": 0}
    held: defaultdict[str, list[str]] = defaultdict(list)
    size = province.children * _DOSES_A_CHILD  # about
    with progress_bar("生成 simulated", quiet=quiet) as show:
        for number, (path, line) in enumerate(lines(province, schedule), 1):
            counts[path.partition("/")[0]] += 1
            held[path].append(line)
            if number % _HELD_LINES == 0:
                _append(folder, held.items())
                held.clear()
                show(number, max(number, size))
    _append(folder, held.items())
    return counts


def _append(folder: Path, held: Iterable[tuple[str, list[str]]]) -> None:
    for name, some in held:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        is_new_list = path.suffix == ".csv" and not path.exists()
        with path.open("a", encoding="utf-8") as file:
            if is_new_list:
                file.write(f"{CLASS_LIST_HEADINGS}\n")
            file.writelines(some)
