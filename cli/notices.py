"""`vaxledger notices`: what waits or failed, and clearing the folder they lie in."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from bootstrap.folders import spool_folder
from bootstrap.reading import open_log
from cli.joining import joined_settings
from cli.trusting import JsonOption
from ledger.store.outbox import standing

app = typer.Typer(no_args_is_help=True, help="预约通知：现状与清理。Notices: standing, clearing.")


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """待发、失败与无法送达的通知，以及目录中的文件数。What waits, failed or lies in the folder."""
    settings = joined_settings()
    with open_log(settings) as pool:
        found = standing(pool)
    folder = spool_folder(settings)
    files = len(list(folder.glob("*.json")))
    late = round(found.late(datetime.now(UTC)).total_seconds())
    if as_json:
        told = {**asdict(found), "late_seconds": late, "files": files}
        typer.echo(json.dumps(told, default=str))
        return
    typer.echo(f"待发 waiting: {found.waiting:,}，逾期 late: {late:,} s")
    typer.echo(f"失败 failed: {found.failed:,}，无号码 unreachable: {found.unreachable:,}")
    typer.echo(f"文件 files: {files:,}  {folder}")


@app.command()
def clear(
    days: Annotated[int, typer.Option(min=0, help="早于多少天 · older than so many days")],
    *,
    as_json: JsonOption = False,
) -> None:
    """清除目录中的旧通知文件。Remove old notices from the folder; each holds a telephone number.

    Whoever delivers them fetches them before; nothing removes a file by itself.
    """
    until = datetime.now(UTC) - timedelta(days=days)
    removed = 0
    for file in spool_folder(joined_settings()).glob("*.json"):
        if datetime.fromtimestamp(file.stat().st_mtime, UTC) <= until:
            file.unlink(missing_ok=True)
            removed += 1
    typer.echo(json.dumps({"removed": removed}) if as_json else f"已清除 removed: {removed:,}")
