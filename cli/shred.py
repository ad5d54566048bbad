"""`vaxledger shred`: what was shredded, and carrying it out by hand."""

import typer

from bootstrap.erasure import Eraser
from bootstrap.shred_list import shred_list
from bootstrap.views import open_views
from bootstrap.wiring import wire
from cli.answering import AsJson
from cli.joining import joined_settings
from ledger.store.shred_list import Shred

app = typer.Typer(
    no_args_is_help=True, help="销毁：清单与执行。Shredding: the list, and carrying it out."
)


@app.command("list")
def list_shreds(*, as_json: AsJson = False) -> None:
    """已销毁的档案。What was shredded, by record."""
    _show(shred_list(joined_settings()).read(), as_json=as_json)


@app.command("run")
def run_shreds(*, as_json: AsJson = False) -> None:
    """执行账本中已确认的销毁；可重复运行。Carry out what the log has confirmed; safe to repeat."""
    settings = joined_settings()
    with wire(settings) as parts, open_views(settings) as views:
        done = Eraser(settings, parts.services, views.records, views.positions).round()
    _show(done, as_json=as_json)


def _show(shreds: tuple[Shred, ...], *, as_json: bool) -> None:
    for shred in shreds:
        typer.echo(
            shred.line()
            if as_json
            else f"{shred.record}  {shred.position:>12,}  {len(shred.persons)} persons"
        )
    if not (shreds or as_json):
        typer.echo("没有 none")
