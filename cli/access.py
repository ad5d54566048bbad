"""`vaxledger access`: whether the access journal is whole, and the yearly report on minors."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from bootstrap.views import Views, open_views
from bootstrap.wiring import Parts, wire
from cli.joining import joined_settings
from cli.trusting import JsonOption
from commands.access import check_journal
from domain.calendar import SHANGHAI
from ledger.entry import Entry

BROKEN = 1
ADULT_YEARS = 18
_PAGE = 1_000

app = typer.Typer(
    no_args_is_help=True, help="查阅日志：核验与年度报告。Who read what: verify, yearly report."
)


@dataclass
class Report:
    """Reads of minors' records in a year (条例 36, 37).

    Attributes:
        year: Calendar year in China.
        records: Minors whose record was read.
        reads: How often; a class list counts once for each child.
        by: Reads by organisation, role, purpose and view, most first.
    """

    year: int
    records: int = 0
    reads: int = 0
    by: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    def describe(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        names = ("organisation", "role", "purpose", "what")
        lines = [
            dict(zip(names, key, strict=True)) | {"reads": count}
            for key, count in self.by.most_common()
        ]
        return {"year": self.year, "records": self.records, "reads": self.reads, "by": lines}


@app.command()
def verify(*, as_json: JsonOption = False) -> None:
    """核验每分钟的行是否与账本所载根一致。Compare every minute with the root that the log has.

    Exit code 1 when a row was removed, altered or added, 2 when something could not be read.
    """
    settings = joined_settings()
    with wire(settings) as parts, open_views(settings) as views:
        sound, broken = check_journal(views.access, _closings(parts))
    if as_json:
        typer.echo(json.dumps({"sound": sound, "broken": [asdict(one) for one in broken]}))
    else:
        for one in broken:
            typer.echo(f"✗ {one.minute}: {one.reason}")
        typer.echo(f"一致 sound: {sound:,} 行 rows")
    if broken:
        raise typer.Exit(BROKEN)


@app.command()
def report(
    year: Annotated[int, typer.Option(min=2000, max=2200, help="年份 · calendar year")],
    *,
    as_json: JsonOption = False,
) -> None:
    """未成年人信息查阅年度报告。The yearly report of access to minors' data."""
    settings = joined_settings()
    with open_views(settings) as views:
        found = _report(views, year)
    if as_json:
        typer.echo(json.dumps(found.describe(), ensure_ascii=False))
        return
    typer.echo(f"{year}: {found.records:,} 名未成年人 minors, {found.reads:,} 次 reads")
    for (organisation, role, purpose, what), count in found.by.most_common():
        typer.echo(f"{count:>10,}  {organisation}  {role}  {purpose}  {what}")


def _closings(parts: Parts) -> Iterator[Entry]:
    position = 0
    while page := parts.reader.access_closings(position, _PAGE):
        yield from (Entry.decode(raw) for _, raw in page)
        position = page[-1][0]


def _report(views: Views, year: int) -> Report:
    since, until = (
        datetime(one, 1, 1, tzinfo=SHANGHAI).astimezone(UTC) for one in (year, year + 1)
    )
    report_, known = Report(year), dict[UUID, bool]()
    names: dict[UUID, str] = {}
    for record, organisation, role, purpose, what, count, _, _ in views.access.counts(since, until):
        if record not in known:
            known[record] = _is_minor(views, record, year)
            report_.records += known[record]
        if known[record]:
            report_.reads += count
            report_.by[_name(views, organisation, names), role, purpose, what] += count
    return report_


def _is_minor(views: Views, record: UUID, year: int) -> bool:
    """Whether the recipient was under 18 at some time of the year."""
    row = views.records.get(record)
    return row is not None and year - row.birth_year <= ADULT_YEARS


def _name(views: Views, organisation: UUID | None, names: dict[UUID, str]) -> str:
    if organisation is None:
        return "—"
    if organisation not in names:
        row = views.organisations.get(organisation)
        names[organisation] = row.name if row else str(organisation)
    return names[organisation]
