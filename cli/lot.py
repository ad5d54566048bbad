"""`vaxledger lot`: who got a lot, by handle."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from bootstrap.views import Views, open_views
from cli.joining import joined_settings
from cli.trusting import JsonOption
from domain.calendar import civil_day
from projections.lots import Lot, LotRow

_PAGE = 1_000


def lot(
    maker: Annotated[str, typer.Argument(help="上市许可持有人 · maker, as on the package")],
    lot: Annotated[str, typer.Argument(help="批号 · lot number")],
    division: Annotated[
        str, typer.Option(help="区划前缀 · first digits of a division", metavar="DIGITS")
    ] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """批次召回：谁接种了该批疫苗。Who got a lot, and which clinic keeps the record.

    Only handles are named; who may see whom to call asks `GET /v1/lots/MAKER/LOT/doses`.
    """
    count, people = 0, set()
    with open_views(joined_settings()) as views:
        for row in _rows(views, Lot(maker, lot), division):
            count += 1
            people.add(row.merged_into or row.record)
            if as_json:
                typer.echo(json.dumps(asdict(row), default=str))
            else:
                name = views.organisations.names([row.managing_organisation])
                kept = name.get(row.managing_organisation, row.managing_organisation)
                typer.echo(f"{row.occurred_on}  {row.dose}  {row.record}  {row.division}  {kept}")
    if not as_json:
        typer.echo(f"{maker} {lot}: {count:,} 剂 doses, {len(people):,} 人 people")


def _rows(views: Views, wanted: Lot, division: str) -> Iterator[LotRow]:
    today, after = civil_day(datetime.now(UTC)), None
    while page := views.lots.doses(wanted, today, division=division, after=after, limit=_PAGE):
        yield from page
        after = page[-1].dose
