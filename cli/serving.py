"""`vaxledger serve`, and its parts one by one."""

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from bootstrap.addresses import Addresses
from bootstrap.installation import WORKERS
from bootstrap.installation import serve as serve_installation
from bootstrap.logs import configure_logging, log_unexpected_ends
from bootstrap.settings import Settings


def serve(
    port: Annotated[int | None, typer.Option(help="HTTP 端口。Port of the HTTP interface.")] = None,
) -> None:
    """运行整套系统，直到 Ctrl-C。Run all of it, servers, API and workers, until Ctrl-C."""
    settings = Settings.load(port=port)
    configure_logging(settings.log_level)
    log_unexpected_ends()

    def announce(addresses: Addresses) -> None:
        Console().print(f"vaxledger 已就绪 · ready: [link]{addresses.http_url}[/link]")

    serve_installation(settings, announce)


def api() -> None:
    """只运行 HTTP 接口。Run the HTTP interface alone, against databases given by URL."""
    os.execv(sys.executable, [sys.executable, "-m", "api"])  # noqa: S606 - our own interpreter


def worker(name: Annotated[str, typer.Argument(help=" | ".join(WORKERS))]) -> None:
    """只运行一个后台进程。Run one worker alone, against servers given by URL."""
    os.execv(sys.executable, [sys.executable, "-m", "workers", name])  # noqa: S606 - likewise
