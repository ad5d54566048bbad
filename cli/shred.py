"""`vaxledger shred`: what was shredded, and carrying it out by hand."""

from typing import Annotated

import psycopg
import typer

from bootstrap.erasure import Eraser, shred_list
from bootstrap.views import open_views
from bootstrap.wiring import wire
from cli.joining import joined_settings
from ledger.errors import LedgerError
from ledger.store.shred_list import Shred

REFUSED = 1

app = typer.Typer(
    no_args_is_help=True, help="销毁：清单与执行。Shredding: the list, and carrying it out."
)

AsJson = Annotated[bool, typer.Option("--json", help="每行一个 JSON。One JSON object a line.")]


@app.command("list")
def list_shreds(*, as_json: AsJson = False) -> None:
    """已销毁的档案。What was shredded, by record."""
    try:
        shreds = shred_list(joined_settings()).read()
    except (LedgerError, psycopg.OperationalError) as error:
        typer.echo(f"vaxledger: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    _show(shreds, as_json=as_json)


@app.command("run")
def run_shreds(*, as_json: AsJson = False) -> None:
    """执行账本中已确认的销毁；可重复运行。Carry out what the log has confirmed; safe to repeat."""
    settings = joined_settings()
    try:
        with wire(settings) as parts, open_views(settings) as views:
            done = Eraser(settings, parts.services, views.records, views.positions).round()
    except (LedgerError, psycopg.OperationalError) as error:
        typer.echo(f"vaxledger: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    _show(done, as_json=as_json)


def _show(shreds: tuple[Shred, ...], *, as_json: bool) -> None:
    for shred in shreds:
        typer.echo(
            shred.line()
            if as_json
            else f"{shred.record}  {shred.position:>12,}  {len(shred.persons)} persons"
        )
