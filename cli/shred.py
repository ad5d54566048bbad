"""`vaxledger shred`: what was shredded, carrying it out by hand, and what is kept still."""

import json
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer

from bootstrap.erasure import Eraser
from bootstrap.shred_list import shred_list
from bootstrap.views import open_views
from bootstrap.wiring import wire
from cli.answering import AsJson
from cli.joining import joined_settings
from commands.errors import NotFound
from commands.papers import papers_of
from commands.reading import Reading
from commands.services import Services
from domain.errors import DomainError
from domain.protection import AlreadyShredded, State
from domain.shredding import Retention
from domain.vaccination_record import VaccinationRecord
from ledger.store.shred_list import Shred

app = typer.Typer(
    no_args_is_help=True,
    help="销毁：清单、执行与保存期。Shredding: the list, carrying it out, what is kept still.",
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


@app.command("check")
def check_record(
    record: Annotated[UUID, typer.Argument(help="档案 · the record")], *, as_json: AsJson = False
) -> None:
    """今天能否按一般理由销毁。Whether a record could be shredded today on ordinary grounds.

    Exit code 1 where something has to be kept still, with the day.
    """
    with wire(joined_settings()) as parts:
        kept, refusal = _kept(parts.services, record)
    if as_json:
        said = {"record": record, **asdict(kept), "refused": refusal and refusal.describe()}
        typer.echo(json.dumps(said, ensure_ascii=False, default=str))
    else:
        for line in _lines(kept, refusal):
            typer.echo(line)
    if refusal is not None:
        raise typer.Exit(1)


def _kept(services: Services, record: UUID) -> tuple[Retention, DomainError | None]:
    reading = Reading(services=services, recorded_at=services.clock())
    try:
        found = reading.stored(VaccinationRecord, record)
    except NotFound as error:
        raise typer.BadParameter("没有这份档案。No such record.") from error
    kept = Retention.of(found, papers_of(reading, found))
    if found.protection.state is State.SHREDDED:
        return kept, AlreadyShredded()
    try:
        kept.check_ended(reading.today)
    except DomainError as refusal:
        return kept, refusal
    return kept, None


def _lines(kept: Retention, refusal: DomainError | None) -> list[str]:
    terms: list[tuple[str, Any]] = [
        ("接种档案 record", kept.retention_until),
        ("查验登记表 register", kept.register_until),
        ("查验证明 statement", "长期 for good" if kept.has_statement else None),
    ]
    lines = [f"{what}: {until or '无 none'}" for what, until in terms]
    return [*lines, f"{refusal.zh} {refusal.sentence()}" if refusal else "可销毁 may be shredded"]


def _show(shreds: tuple[Shred, ...], *, as_json: bool) -> None:
    for shred in shreds:
        typer.echo(
            shred.line()
            if as_json
            else f"{shred.record}  {shred.position:>12,}  {len(shred.persons)} persons"
        )
    if not (shreds or as_json):
        typer.echo("没有 none")
