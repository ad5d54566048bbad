"""`vaxledger witness`: an independent party that cosigns only what extends what it has cosigned."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bootstrap.errors import BootstrapError
from bootstrap.witness import LOGS, WitnessFolder, read_logs
from cli.verify import give_up
from ledger.errors import LedgerError

DEFAULT_PORT = 8421

app = typer.Typer(
    name="witness",
    help="见证者。A witness (C2SP tlog-witness): cosigns checkpoints of logs that never fork.",
    no_args_is_help=True,
)

FolderArgument = Annotated[
    Path, typer.Argument(help="见证者目录。The folder of the witness.", metavar="FOLDER")
]


@app.command("init")
def init(
    folder: FolderArgument,
    *,
    name: Annotated[
        str,
        typer.Option(
            help="见证者名称，无协议的网址。Its name in notes: a URL without scheme, for ever.",
            metavar="NAME",
        ),
    ],
    logs: Annotated[
        list[Path] | None,
        typer.Option(
            "--log",
            help="日志的公钥文件或策略。Keys of a log to watch: its log.vkey, or `log` lines.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """新建见证者：生成密钥与空状态。Make a witness: new keys, and a state that has seen nothing.

    Prints the two lines that a policy needs. Never restore a witness from a backup: make a new one.
    """
    try:
        known = [log.key for path in logs or [] for log in read_logs(path.read_bytes())]
        WitnessFolder.create(folder, name)
        witness = WitnessFolder.open(folder)
        if known:
            witness.watch(known)
    except (BootstrapError, LedgerError, OSError, ValueError) as error:
        give_up(folder, error, as_json=False)
    for key in witness.cosigner.verifier_keys():
        print(key.text())
    console = Console(stderr=True)
    console.print(
        f"关注的日志在 The logs it watches are in {folder / LOGS}", markup=False, highlight=False
    )


@app.command("serve")
def serve(
    folder: FolderArgument,
    *,
    host: Annotated[str, typer.Option(help="监听地址。Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口。Port.")] = DEFAULT_PORT,
) -> None:
    """运行见证者服务。Serve add-checkpoint and monitors over HTTP until Ctrl-C.

    TLS belongs in front of it. A change of the list of logs takes effect at once.
    """
    words = [sys.executable, "-m", "workers.witness", str(folder), host, str(port)]
    os.execv(sys.executable, words)  # noqa: S606 - our own interpreter
