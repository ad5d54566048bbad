"""`vaxledger backup` and `vaxledger restore`: log and keys apart, put back without going back."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bootstrap.backup import Folders, Manifest, back_up, restore, verify
from bootstrap.recovery import servers_at_rest
from bootstrap.settings import Settings
from cli.joining import joined_settings
from cli.trusting import JsonOption

app = typer.Typer(
    no_args_is_help=True, help="备份：账本与密钥分开存放。Backups, the log and the keys apart."
)

Log = Annotated[Path, typer.Argument(help="账本部分。The log's part.", metavar="LOG")]
Keys = Annotated[Path, typer.Argument(help="密钥部分。The keys' part.", metavar="KEYS")]
Secrets = Annotated[
    Path | None,
    typer.Option(
        "--secrets",
        help="秘密部分，与前两者分开保管。The secrets' part; keep it apart from both.",
        metavar="FOLDER",
    ),
]


@app.command("make")
def make(log: Log, keys: Keys, *, secrets: Secrets = None, as_json: JsonOption = False) -> None:
    """备份运行中的系统到空目录。Back a running installation up, into empty folders."""
    folders = Folders(log, keys, secrets)
    made = back_up(joined_settings(), folders, datetime.now(UTC))
    _say("已备份 backed up", made, as_json=as_json)


@app.command("verify")
def check(log: Log, keys: Keys, *, secrets: Secrets = None, as_json: JsonOption = False) -> None:
    """核对每个文件并通读转储。Compare every file with its digest; read the dumps."""
    found = verify(Folders(log, keys, secrets))
    _say("备份完好 the backup holds", found["log"], as_json=as_json)


def put_back(log: Log, keys: Keys, *, secrets: Secrets = None, as_json: JsonOption = False) -> None:
    """恢复到两个空数据库；先停止一切。Put a backup into two empty databases; stop everything first.

    The checkpoint and the shred list that this machine remembers stay. Where the log had grown
    since, the next start refuses, and `vaxledger log recover` puts the rest back.
    """
    with servers_at_rest(Settings.load(), has_feed=False) as settings:
        size = restore(settings, Folders(log, keys, secrets))
    if as_json:
        typer.echo(json.dumps({"size": size}))
        return
    typer.echo(f"已恢复 restored: {size:,} 条 entries")


def _say(sentence: str, manifest: Manifest, *, as_json: bool) -> None:
    if as_json:
        facts = {"origin": manifest.origin, "at": manifest.at, "size": manifest.size}
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"{sentence}: {manifest.origin}, {manifest.size:,} 条 entries, {manifest.at}")
