"""`vaxledger log export`: a copy of the log as files that any web server can serve."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bootstrap.addresses import Addresses
from bootstrap.settings import Settings
from cli.progress import progress_bar
from cli.trusting import JsonOption, OriginOption, TokenOption, TrustOption, load_trust, reader_of
from cli.verify import REFUTED, give_up
from client.copying import Copied, LogCopy
from client.errors import RefutedError
from client.sources import HttpSource, Source, StoreSource
from ledger.errors import LedgerError
from ledger.store.connections import open_pool
from ledger.store.reading import ROLE, LogReader

_CONNECTIONS = 2


def export(  # noqa: PLR0913  each is an option of the command line
    folder: Annotated[
        Path, typer.Argument(help="目标目录。Where the copy goes.", metavar="FOLDER")
    ],
    *,
    url: Annotated[
        str,
        typer.Option(
            "--from",
            help="日志网址；不填则读本机数据库。"
            "The URL of the log; else this installation's database.",
            metavar="URL",
        ),
    ] = "",
    public: Annotated[
        bool,
        typer.Option(
            "--public",
            help="只导出公开部分：检查点与瓦片；网址无令牌时亦然。Checkpoint and tiles alone; "
            "so it is too from a URL without a token.",
        ),
    ] = False,
    sealed: Annotated[
        bool,
        typer.Option(
            "--sealed",
            help="连同密封值（仅限本机数据库，用于恢复）。With sealed values, for a recovery; "
            "from this installation's database only.",
        ),
    ] = False,
    trust: TrustOption = None,
    origin: OriginOption = "",
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """导出日志（增量）。Copy the log into a folder; run again to bring the copy up to date.

    Exit code 1 when the log does not extend the copy, 2 when something could not be read.
    """
    if sealed and (public or url):
        raise typer.BadParameter("--sealed goes with neither --public nor --from.")
    is_public = public or bool(url and token_file is None)
    try:
        trusted = load_trust(trust, origin, folder)
        copy = LogCopy(folder, trusted, entries=not is_public, sealed=sealed)
        if url:
            with HttpSource(reader_of(url, token_file, trusted)) as source:
                copied = _copy(source, copy, quiet=as_json)
        else:
            copied = _copy_store(copy, quiet=as_json)
    except RefutedError as refuted:
        if as_json:
            typer.echo(json.dumps({"error": str(refuted), "reason": refuted.reason}))
        else:
            Console(stderr=True).print(f"[red]{refuted}[/red]")
        raise typer.Exit(REFUTED) from None
    except (LedgerError, OSError) as error:
        give_up(folder, error, as_json=as_json)
    if as_json:
        facts = {"before": copied.before, "size": copied.size, "files": copied.files}
        typer.echo(json.dumps(facts | {"entries": not is_public}))
    else:
        Console().print(
            f"已导出 exported: {copied.before} → {copied.size} ({copied.files} files) {folder}",
            markup=False,
        )
        if is_public:
            Console().print("只有公开部分，没有条目。The public part alone: no entries.")


def _copy(source: Source, copy: LogCopy, *, quiet: bool) -> Copied:
    with progress_bar("导出 exporting", quiet=quiet) as show:
        return copy.extend(source, show)


def _copy_store(copy: LogCopy, *, quiet: bool) -> Copied:
    settings = Settings.load()
    database = settings.database_url or Addresses.load(settings.data_dir).database_url
    with open_pool(database, ROLE, size=_CONNECTIONS) as pool:
        return _copy(StoreSource(LogReader(pool)), copy, quiet=quiet)
