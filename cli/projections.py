"""`vaxledger projections`: what the read models stand at, and building them anew from the log."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from bootstrap.wiring import wire
from cli.joining import joined_settings
from cli.trusting import JsonOption
from projections.loop import Projector

app = typer.Typer(no_args_is_help=True, help="读模型：状态、摘要、重建。The read models.")


@app.command("list")
def list_projections(*, as_json: JsonOption = False) -> None:
    """各读模型所到位置与停放的事件流。Where each stands, and which streams are parked."""
    with _projector() as projector:
        positions = projector.positions()
        parked = [
            {"name": one.name, "stream": str(one.stream), "position": one.position}
            for one in projector.parked()
        ]
    if as_json:
        typer.echo(json.dumps({"positions": positions, "parked": parked}))
        return
    for name, position in positions.items():
        typer.echo(f"{name:<16}{position:>12,}")
    for one in parked:
        typer.echo(f"parked: {one['name']} {one['stream']} from position {one['position']}")


@app.command()
def digest(name: Annotated[str, typer.Argument(help="读模型 · its name")]) -> None:
    """内容摘要：在线、重建、导出重建三者应一致。The canonical digest of its content."""
    with _projector() as projector:
        _check_name(projector, name)
        position, content = projector.digest(name)
    typer.echo(json.dumps({"name": name, "position": position, "digest": content}))


@app.command()
def rebuild(
    names: Annotated[
        list[str] | None, typer.Argument(help="读模型，缺省为全部 · their names; all if none")
    ] = None,
) -> None:
    """在旁重建后切换。Build them anew beside the old ones, reading the log once, then swap."""
    with _projector() as projector, Progress(console=Console(stderr=True)) as progress:
        names = names or sorted(projector.positions())
        for name in names:
            _check_name(projector, name)
        task = progress.add_task(", ".join(names), total=None)

        def show(position: int, published: int) -> None:
            progress.update(task, completed=position, total=published)

        position = projector.rebuild(*names, progress=show)
    typer.echo(json.dumps({"names": names, "position": position}))


@app.command()
def retry(name: Annotated[str, typer.Argument(help="读模型 · its name")]) -> None:
    """重试停放的事件流。Follow parked streams again, after the cause was mended."""
    with _projector() as projector:
        _check_name(projector, name)
        typer.echo(json.dumps({"name": name, "followed_again": projector.retry(name)}))


@contextmanager
def _projector() -> Iterator[Projector]:
    settings = joined_settings()
    assert settings.database_url is not None
    assert settings.keys_url is not None
    with (
        wire(settings) as parts,
        closing(
            Projector(parts.reader, settings.database_url, settings.keys_url, parts.vault)
        ) as projector,
    ):
        yield projector


def _check_name(projector: Projector, name: str) -> None:
    names = sorted(projector.positions())
    if name not in names:
        raise typer.BadParameter(f"one of {', '.join(names)}")
