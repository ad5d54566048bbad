"""The command line of the demo; what it runs is loaded only when it is asked for."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

_UNUSABLE = 2


def demo(
    *,
    data_dir: Annotated[
        Path,
        typer.Option(help="演示专用目录，每次清空。A directory of its own, emptied each time."),
    ] = Path(".vaxledger/demo"),
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="HTTP 端口，被占用时另选。Another one if it is taken."),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="沿用上次演示的数据。Go on with the last demo's data."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="最后输出 JSON 摘要。A JSON summary at the end.")
    ] = False,
) -> None:
    """演示：一个县一学年的全过程。A county's school year, from registration to audit.

    Exit code 1 when a step failed; it says which and why.
    """
    if find_spec("examples") is None or find_spec("examples.kaifeng") is None:
        typer.echo("vaxledger: the demo needs the folder examples/ of a checkout", err=True)
        raise typer.Exit(_UNUSABLE)
    running = import_module("cli.demo.run")
    status = running.run(running.Options(data_dir, port, keep, as_json))
    raise typer.Exit(status)
