"""`vaxledger duplicates`: every pair of records that may be about one person."""

import json
from typing import Annotated, Any

import typer

from bootstrap.wiring import wire
from cli.joining import joined_settings
from cli.trusting import JsonOption
from commands.duplicates import Pair, sweep
from commands.reading import Reading
from domain.duplicates import described, ordered


def duplicates(
    division: Annotated[
        str, typer.Option(help="区划前缀 · first digits of a division", metavar="DIGITS")
    ] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """疑似重复档案。Pairs of records that may be about one person, with what is alike in them.

    Only records and their divisions are named: who may see whom they are about opens them over
    HTTP, merges them or tells them apart.
    """
    count = 0
    with wire(joined_settings()) as parts:
        reading = Reading(services=parts.services, recorded_at=parts.services.clock())
        for pair in sweep(reading, division):
            count += 1
            if as_json:
                typer.echo(json.dumps(_described(pair), ensure_ascii=False))
                continue
            alike = "；".join(one.text.zh for one in ordered(pair.alike))
            typer.echo(f"{pair.score:>3}%  {pair.one.id}  {pair.other.id}  {alike}")
    if not as_json:
        typer.echo(f"疑似重复 pairs: {count:,}")


def _described(pair: Pair) -> dict[str, Any]:
    return {
        "score": pair.score,
        "alike": described(ordered(pair.alike)),
        "records": [
            {"record": str(one.id), "version": one.version, "division": one.division}
            for one in (pair.one, pair.other)
        ],
    }
