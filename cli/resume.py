"""`vaxledger log resume`: an operator has looked, and a halted log may be written again."""

import json

import psycopg
import typer

from bootstrap.recovery import resume
from bootstrap.settings import Settings
from cli.recover import refuse
from cli.trusting import JsonOption
from cli.verify import give_up
from ledger.errors import LedgerError


def resume_log(*, as_json: JsonOption = False) -> None:
    """解除停写：查明原因后恢复写入。Let a halted log be written again, once you know why it halted.

    Stop everything first. Whatever still is wrong halts it again at the next start. Exit code 1
    when the database lies behind what was signed, where only `log recover` helps.
    """
    settings = Settings.load()
    try:
        found = resume(settings)
    except LedgerError as error:
        refuse(error, as_json=as_json)
    except (OSError, psycopg.Error) as error:
        give_up(settings.data_dir, error, as_json=as_json)
    if as_json:
        halt = {"kind": found.kind, "halted_at": found.halted_at.isoformat()} if found else None
        typer.echo(json.dumps({"outcome": "resumed", "halt": halt}))
    elif found is None:
        typer.echo("未曾停写。Nothing halted it.")
    else:
        typer.echo(f"已恢复写入 resumed: {found.kind}, {found.halted_at.isoformat()}")
