"""`vaxledger quality`: how soon, how completely and how plausibly clinics write doses."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from bootstrap.views import open_views
from cli.joining import joined_settings
from cli.trusting import JsonOption

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="登记日 · day of recording")]


def quality(
    since: Day,
    until: Day,
    division: Annotated[
        str, typer.Option(help="区划前缀 · first digits of a division", metavar="DIGITS")
    ] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """接种单位数据质量：及时率、完整率、有效率。Timeliness, completeness, validity by clinic."""
    with open_views(joined_settings()) as views:
        scores = views.data_quality.scores(since.date(), until.date(), division=division)
    for score in scores:
        shares = (score.timeliness, score.completeness, score.validity)
        if as_json:
            names = ("timeliness", "completeness", "validity")
            told = asdict(score) | dict(zip(names, shares, strict=True))
            typer.echo(json.dumps(told, ensure_ascii=False, default=str))
        else:
            columns = "  ".join("     —" if one is None else f"{one:6.1%}" for one in shares)
            doses = score.given + score.transcribed
            typer.echo(f"{columns}  {doses:>8,}  {score.division}  {score.name}")
    if not as_json:
        typer.echo("及时 timely  完整 complete  有效 valid  剂次 doses")
