"""`vaxledger kek`: the key-encryption key's versions, which make old backups worthless."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import typer
from rich.console import Console
from rich.progress import Progress

from bootstrap import keks
from bootstrap.folders import kek_folder
from cli.joining import joined_settings
from cli.trusting import JsonOption
from ledger.errors import LedgerError
from ledger.store.rewrapping import Rewrapping, wraps_since

REFUSED = 1

app = typer.Typer(
    no_args_is_help=True, help="密钥加密密钥：轮换与销毁。The key-encryption key: rotate, retire."
)


@app.command("list")
def list_versions(*, as_json: JsonOption = False) -> None:
    """各版本、启用时间、所加密的密钥数。The versions, since when, how many keys each wraps."""
    settings = joined_settings()
    with _refusing(), Rewrapping(settings.keys_url or "") as work:
        versions = [
            {
                "number": kek.number,
                "name": kek.name,
                "since": _told(wraps_since(settings.keys_url or "", kek)),
                "keys": work.count(kek),
            }
            for kek in kek_folder(settings).load()
        ]
    if as_json:
        typer.echo(json.dumps({"versions": versions}))
        return
    for version in versions:
        number, name, since, keys = version.values()
        typer.echo(f"{number:>4}  {name}  {since or '-':25}  {keys:>12,}")


@app.command()
def rotate(*, as_json: JsonOption = False) -> None:
    """换用新版本；中断后再运行即继续。Bring every key under a new version; resumes when killed.

    Running processes need not stop. Afterwards take a new backup, then retire the old versions.
    """
    settings = joined_settings()
    with _refusing(), Progress(console=Console(stderr=True), disable=as_json) as progress:
        task = progress.add_task("轮换 rotating", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        newest, done = keks.rotate(kek_folder(settings), settings.keys_url or "", show)
    facts = {"number": newest.number, "name": newest.name, "rewrapped": done}
    typer.echo(json.dumps(facts) if as_json else f"版本 version {newest.number}: {done:,} keys")


@app.command()
def retire(*, as_json: JsonOption = False) -> None:
    """销毁旧版本：旧备份从此打不开。Destroy the older versions: old backups then open nothing.

    Refused while a version still wraps a key.
    """
    settings = joined_settings()
    with _refusing():
        gone = keks.retire(kek_folder(settings), settings.keys_url or "")
    numbers = [kek.number for kek in gone]
    typer.echo(json.dumps({"retired": numbers}) if as_json else f"已销毁 retired: {numbers}")


def _told(since: datetime | None) -> str | None:
    return since.isoformat(timespec="seconds") if since else None


@contextmanager
def _refusing() -> Iterator[None]:
    """Tell in one line why nothing, or no more, was done."""
    try:
        yield
    except LedgerError as error:
        typer.echo(f"vaxledger: {error}", err=True)
        raise typer.Exit(REFUSED) from None
