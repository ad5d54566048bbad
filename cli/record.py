"""`vaxledger record`: one record as it was known at a moment, and what proves it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from bootstrap.addresses import NotServingError
from cli.trusting import JsonOption, OriginOption, TokenOption, TrustOption, load_trust, reader_of
from cli.verify import REFUTED, give_up
from client.dossier import Dossier, prove_entry, read_dossier
from client.errors import DossierError, RefutedError
from client.http import Client
from client.trust import Trust
from ledger.errors import LedgerError

_NO_FORM = (KeyError, TypeError, ValueError)

app = typer.Typer(
    no_args_is_help=True, help="单个档案：回看与核验。One record: as it was known, and its proof."
)

UrlOption = Annotated[
    str, typer.Option("--url", help="服务网址。Where the server is.", metavar="URL")
]


@app.command("as-of")
def as_of(  # noqa: PLR0913  each is an option of the command line
    record: Annotated[UUID, typer.Argument(help="档案编号 · the record")],
    *,
    url: UrlOption,
    known_at: Annotated[
        str,
        typer.Option(
            help="截至何时所知：账本位置、RFC 3339 时间或日期（指当日结束）。"
            "What was known then: a position, a time, or a day, which means its end."
        ),
    ] = "",
    effective_on: Annotated[
        str, typer.Option(help="生效日。The day as of which it reads.", metavar="YYYY-MM-DD")
    ] = "",
    institution: Annotated[
        UUID | None, typer.Option(help="只看该学校当时所见。Only what this school saw.")
    ] = None,
    dossier: Annotated[
        Path | None,
        typer.Option(help="证据包存为文件。Keep the dossier in a file.", metavar="FILE"),
    ] = None,
    trust: TrustOption = None,
    origin: OriginOption = "",
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """截至某时所知、某日生效的档案，附证明。A record as known then, with what proves it.

    Exit code 1 when a proof does not hold, 2 when it could not be read.
    """
    asked = {"known_at": known_at, "effective_on": effective_on}
    query = urlencode({name: value for name, value in asked.items() if value})
    with refusing(record, as_json=as_json):
        trusted = load_trust(trust, origin)
        with Client(reader_of(url, token_file, trusted)) as client:
            if institution is None:
                body, proven = _record(client, trusted, record, query, dossier)
            else:
                body, proven = _as_seen(
                    client, trusted, record, f"institution={institution}&{query}"
                )
    if as_json:
        typer.echo(json.dumps({**body, "proven": proven}, ensure_ascii=False))
    else:
        _print(body, proven)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="证据包 · a dossier", metavar="FILE")],
    *,
    trust: TrustOption = None,
    origin: OriginOption = "",
    as_json: JsonOption = False,
) -> None:
    """离线核验证据包：每个条目的证明、签名与密钥链。Verify a dossier offline.

    Exit code 1 when it does not hold, 2 when it could not be read.
    """
    with refusing(file, as_json=as_json):
        found = read_dossier(file.read_bytes(), load_trust(trust, origin))
    if as_json:
        typer.echo(json.dumps({"holds": True, "record": str(found.record), **_proven(found)}))
        return
    typer.echo(f"档案 record: {found.record}")
    for name, value in _proven(found).items():
        typer.echo(f"{name:>10}  {value}")
    typer.echo("证据包成立。It holds.")


@contextmanager
def refusing(what: object, *, as_json: bool) -> Iterator[None]:
    """Say in one line what does not hold, or cannot be read."""
    try:
        yield
    except RefutedError as refuted:
        if as_json:
            verdict = {"holds": False, "position": refuted.position, "reason": refuted.reason}
            typer.echo(json.dumps(verdict))
        else:
            Console(stderr=True).print(f"[red]{refuted}[/red]")
        raise typer.Exit(REFUTED) from None
    except (LedgerError, OSError, NotServingError, *_NO_FORM) as error:
        give_up(what, error, as_json=as_json)


def _record(
    client: Client, trust: Trust, record: UUID, query: str, keep: Path | None
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The record then, and what its dossier proves."""
    body = json.loads(client.request("GET", f"/v1/records/{record}?{query}").content)
    raw = client.request("GET", f"/v1/records/{record}/dossier?known_at={body['position']}").content
    if keep is not None:
        keep.write_bytes(raw)
    found = read_dossier(raw, trust)
    if found.record != record:
        raise DossierError(record=str(found.record))
    return body, _proven(found)


def _as_seen(
    client: Client, trust: Trust, record: UUID, query: str
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The school's line then, and how far its entries are proven."""
    body = json.loads(client.request("GET", f"/v1/records/{record}/as-seen?{query}").content)
    entries = [prove_entry(line, trust) for line in body["entries"]]
    return body, {
        "entries": len(entries),
        "size": max((one.checkpoint.size for one in entries), default=0),
        "witnessed": all(one.witnessed for one in entries),
    }


def _proven(found: Dossier) -> dict[str, Any]:
    return {
        "entries": len(found.entries),
        "streams": len(found.streams),
        "authors": found.authors,
        "size": found.size,
        "witnessed": found.witnessed,
    }


def _print(body: Mapping[str, Any], proven: Mapping[str, Any]) -> None:
    console = Console()
    at = f"位置 position {body['position']} · 生效日 effective on {body['effective_on']}"
    if "row" in body:
        table = Table(title=f"{body['institution_name']} {body['class_name']}\n{at}")
        table.add_column("项目 column")
        table.add_column("当时所见 as seen")
        for column, cell in zip(body["columns"], body["row"], strict=True):
            table.add_row(str(column), cell)
    else:
        table = Table(title=f"{body['recipient'].get('name') or '—'} {body['record']}\n{at}")
        for heading in ("接种日期 on", "疫苗 vaccine", "批号 lot", "接种单位 clinic"):
            table.add_column(heading)
        for dose in body["doses"]:
            table.add_row(
                dose["occurred_on"], dose["vaccine"], dose["lot"] or "—", dose["clinic_name"] or "—"
            )
    console.print(table)
    facts = ", ".join(f"{name} {value}" for name, value in proven.items())
    console.print(f"[green]已核验 proven[/green]: {facts}", highlight=False)
