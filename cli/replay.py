"""`vaxledger replay`: any read model rebuilt from an export alone, as it was known at a moment."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from bootstrap.embedded.postgres import KEYS_OWNER, EmbeddedPostgres
from bootstrap.errors import BootstrapError
from bootstrap.migrate import MIGRATIONS, migrate, migrate_all
from cli.progress import progress_bar
from cli.record import refusing
from cli.trusting import JsonOption, OriginOption, TrustOption, load_trust
from cli.verify import give_up
from client.errors import RefutedError
from client.exported import ExportedEntries
from client.sources import FolderSource
from client.verify import Extent, verify_log
from domain.moment import moment_of
from projections.errors import ProjectionError
from projections.replaying import NAMES, Replayed
from projections.replaying import replay as replay_into

_PASSABLE = 0o711
"""The server's own account must reach its directory, which it alone may enter."""


def replay(  # noqa: PLR0913  each is an option of the command line
    folder: Annotated[
        Path, typer.Argument(help="日志导出目录。The folder of an export.", metavar="FOLDER")
    ],
    *,
    as_of: Annotated[
        str,
        typer.Option(
            help="截至何时所知：账本位置、RFC 3339 时间或日期；默认到末尾。"
            "What was known then: a position, a time or a day; else to its end."
        ),
    ] = "",
    into: Annotated[
        str,
        typer.Option(
            help="目标数据库；不填则用临时的内置 PostgreSQL。"
            "An empty database; else a scratch embedded PostgreSQL.",
            metavar="URL",
        ),
    ] = "",
    name: Annotated[
        list[str] | None, typer.Option(help="只重建这些读模型。Only these projections.")
    ] = None,
    trust: TrustOption = None,
    origin: OriginOption = "",
    as_json: JsonOption = False,
) -> None:
    """仅凭导出重建读模型并给出摘要。Rebuild read models from an export alone; state digests.

    The export is verified first: leaves, tiles, root and checkpoint. Names of people are sealed,
    and in no export. Exit code 1 when the export does not hold, 2 when it could not be read.
    """
    names = name or list(NAMES)
    with refusing(folder, as_json=as_json):
        source = FolderSource(folder)
        trusted = load_trust(trust, origin, folder)
        hashes = Extent(envelopes=False, entries=False)
        with progress_bar("核验 verifying", quiet=as_json) as show:
            checkpoint = verify_log(source, trusted, hashes, show).checkpoint
        exported = ExportedEntries(source, checkpoint)
        position = _position(exported, as_of)
        try:
            with _database(into) as url, progress_bar("重建 replaying", quiet=as_json) as show:
                found = replay_into(exported, position, url, names, show)
        except (ProjectionError, BootstrapError, psycopg.Error) as error:
            give_up(into or "postgres", error, as_json=as_json)
    _print(found, as_json=as_json)


def _position(exported: ExportedEntries, as_of: str) -> int:
    """The position to end at; raises ValueError or RefutedError."""
    if not as_of:
        return exported.published()
    if as_of.isdecimal():
        if int(as_of) > exported.published():
            raise RefutedError(2, None, "export-too-short", size=exported.published())
        return int(as_of)
    return exported.known_at(moment_of(as_of, datetime.now(UTC)))


@contextmanager
def _database(url: str) -> Iterator[str]:
    """A database with empty tables: the one given, or one that goes away again."""
    if url:
        migrate(url, MIGRATIONS / "log")
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="vaxledger-replay-") as folder:
        Path(folder).chmod(_PASSABLE)
        server = EmbeddedPostgres.start(Path(folder))
        try:
            migrate_all(server.url(), server.url(KEYS_OWNER))
            yield server.url()
        finally:
            server.stop()
            shutil.rmtree(server.home)


def _print(found: Replayed, *, as_json: bool) -> None:
    parked = [
        {"name": one.name, "stream": str(one.stream), "position": one.position}
        for one in found.parked
    ]
    if as_json:
        said = {"position": found.position, "digests": dict(found.digests), "parked": parked}
        typer.echo(json.dumps(said))
        return
    typer.echo(f"位置 position {found.position}")
    for name, digest in found.digests.items():
        typer.echo(f"{name:<16}{digest}")
    for one in parked:
        typer.echo(f"parked: {one['name']} {one['stream']} from position {one['position']}")
