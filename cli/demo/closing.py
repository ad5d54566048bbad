"""The last words: what to open and what to try while the installation still serves."""

import os
import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from cli.demo.actors import Place
from cli.demo.auditing import Audit
from cli.demo.stage import Stage
from ledger.policy import Judgement


def print_next(stage: Stage, place: Place, audit: Audit, data_dir: Path) -> None:
    """Print how long it took, addresses to open, and commands to try."""
    console = stage.console
    console.print(
        f"\n[bold green]全部步骤完成 All steps done[/bold green]: {stage.seconds:.1f} s",
        highlight=False,
    )
    console.print("\n[bold]打开 Open[/bold]")
    for path, said in _ADDRESSES.items():
        console.print(f"  {place.base_url}{path}  [dim]{said}[/dim]", highlight=False)
    program = _command()
    here = f"VAXLEDGER_DATA_DIR={_relative(data_dir)}"
    trust, token = _relative(audit.trust_file), _relative(audit.token_file)
    commands = {
        f"{here} {program} tail": "跟随消息流 follow the feed",
        f"{program} verify {place.base_url} --trust {trust} --token-file {token}": (
            "重算整个日志 recompute the whole log"
        ),
        f"{program} verify {_relative(audit.copy)} --trust {trust}": "离线 offline",
        f"{here} {program} token county-cdc --division 410299": (
            "县疾控的访问令牌，仅供开发 a county CDC's access token, for development only"
        ),
    }
    console.print("\n[bold]试一试 Try[/bold]")
    for command, said in commands.items():
        console.print(f"  {escape(command)}  [dim]{said}[/dim]", highlight=False, soft_wrap=True)
    if sys.stdin.isatty() and sys.stdout.isatty():
        console.print("\n服务器继续运行，按 Ctrl-C 停止。Still serving; Ctrl-C stops it.")


def print_witness(console: Console, judgement: Judgement, policy: Path) -> None:
    """Say in one line who besides the log has signed, and where that trust is written down."""
    if judgement.witnessed:
        said = "见证者已共同签署 [green]cosigned by a witness[/green]"
    else:
        said = "尚未见证 [yellow]not yet witnessed[/yellow]"
    size = judgement.checkpoint.size
    console.print(
        f"\n检查点 checkpoint {size}: {said}; 信任策略 policy: {escape(_relative(policy))}",
        highlight=False,
        soft_wrap=True,
    )


_ADDRESSES = {
    "/": "首页 the front page",
    "/book": "预约接种，步骤见 docs/booking.md; booking a dose, step by step in docs/booking.md",
    "/checkpoint": "签名检查点 the signed checkpoint",
    "/openapi.json": "接口说明 the interface",
    "/readyz": "各部分状态 how its parts are",
}


def _command() -> str:
    script = Path(sys.executable).parent / "vaxledger"
    return _relative(script) if script.exists() else f"{_relative(Path(sys.executable))} -m cli"


def _relative(path: Path) -> str:
    """Return the shorter of a path and the same path from here, as a shell reads it."""
    return shlex.quote(min(str(path), os.path.relpath(path), key=len))
