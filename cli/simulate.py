"""`vaxledger simulate`: a life-like province as files, for trials, benchmarks and load tests."""

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

from cli.case_file import give_up
from cli.progress import progress_bar
from cli.trusting import JsonOption
from domain.errors import DomainError
from domain.schedules.schedule import Schedule
from simulation.files import CLASS_LIST_HEADINGS, about, lines
from simulation.province import Province

_HELD_LINES = 20_000
_DOSES_A_CHILD = 15


def simulate(  # noqa: PLR0913  each is an option of the command line
    into: Annotated[
        Path, typer.Option(help="写入的新文件夹。The folder to write; it must not exist.")
    ],
    *,
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
    """生成虚构省份的接种历史与班级名册。Write the histories and classes of a made-up province.

    The same options write the same bytes. `vaxledger import` takes the histories and then the
    mistakes, `vaxledger class-list` the classes. Nobody in them exists.
    """
    chosen = Schedule.load(schedule)
    part = into.with_name(f"{into.name}.part")
    try:
        province = Province(seed, children, years, first_day.date())
        if into.exists():
            raise FileExistsError(EEXIST, strerror(EEXIST))
        # A crash leaves the folder under its other name; the next run begins it anew.
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(parents=True)
        counts = _write(part, province, chosen, quiet=as_json)
        (part / "province.json").write_text(about(province, chosen), encoding="utf-8")
        part.rename(into)
    except (DomainError, OSError) as error:
        give_up("simulate", into, error)
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        for name, count in counts.items():
            typer.echo(f"{name:10} {count:>12,}")


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
