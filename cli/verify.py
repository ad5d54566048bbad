"""`vaxledger verify`: a log, a copy of it, or one receipt, checked without trusting anybody."""

import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from errno import ENOENT
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from cli.progress import progress_bar, progress_lines
from cli.trusting import JsonOption, OriginOption, TokenOption, TrustOption, load_trust, reader_of
from client.beside import Checkers
from client.errors import RefutedError
from client.notes import Notes
from client.proving import ENTRY_SUFFIX, PROOF_SUFFIX, verify_file
from client.sources import CHECKPOINT, FolderSource, HttpSource, Source
from client.verify import Extent, verify_log
from ledger.errors import LedgerError

REFUTED, UNREADABLE = 1, 2

STEPS = {
    1: "检查点签名 The checkpoint is signed as the policy asks",
    2: "条目、叶、树根 Entries are complete; leaves make tiles and the signed root",
    3: "条目格式 Entries are canonical and have the shape of their topic",
    4: "流版本连续、时间不倒退 Versions of each stream are dense, times do not go back",
    5: "作者封装 Envelopes sign exactly what the entries say",
    6: "密钥链 Keys were valid at their position, up to the root key",
    7: "幂等键 No idempotency key stands for two writes",
    8: "派生事件 What the server made has a cause and the platform's signature",
    9: "密封内容 Sealed values at hand have their digests",
    10: "一致性 The log extends the checkpoints seen before",
    11: "日志密钥 The log's keys change by the rules; those in force sign",
}
_HASHED = {1, 2, 10}
_OF_ENVELOPES = {5, 6, 7, 8}
_OF_BLOBS = {9}
_OF_FORMER = {10}


def verify(  # noqa: PLR0913  each is an option of the command line
    target: Annotated[
        str,
        typer.Argument(
            help="日志网址、导出目录、.tlog-proof 或回执 JSON。"
            "The URL of a log, the folder of a copy, a .tlog-proof, or a receipt.",
            metavar="URL|FOLDER|FILE",
        ),
    ],
    *,
    trust: TrustOption = None,
    origin: OriginOption = "",
    token_file: TokenOption = None,
    known: Annotated[
        list[Path] | None,
        typer.Option(help="以前见过的检查点。A checkpoint that you have seen before."),
    ] = None,
    entry: Annotated[
        Path | None, typer.Option(help="证明所指的条目。The entry that a .tlog-proof is about.")
    ] = None,
    envelopes: Annotated[
        bool, typer.Option(help="核对作者签名。Check the authors' signatures.")
    ] = True,
    blobs: Annotated[
        bool, typer.Option(help="核对所附的密封内容。Check sealed values that are at hand.")
    ] = False,
    hashes_only: Annotated[
        bool,
        typer.Option(
            "--hashes-only",
            help="只核对条目、叶、瓦片、树根与检查点。"
            "Entries, leaves, tiles, root and checkpoint only: what the entries say is not judged.",
        ),
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            help="进度文件：中断后从此继续，日志增长后只验新增部分；请像自己的笔记一样保管。"
            "Goes on from here after a kill, and later only with what is new; keep it as your own "
            "notes.",
            metavar="FILE",
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="进程数，默认每核一个。Processes; one a core.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """离线验证：重算整个日志。Recompute the whole log and compare it with what was signed.

    Exit code 1 when it does not hold, 2 when it could not be read.
    """
    if hashes_only and blobs:
        raise typer.BadParameter("--blobs reads what --hashes-only leaves out.")
    place = Path(target)
    is_url = target.startswith(("http://", "https://"))
    checked = set(STEPS)
    try:
        if not is_url:
            _want(place, entry)
        trusted = load_trust(trust, origin, None if is_url else place)
        if not is_url and place.is_file():
            found = verify_file(place, trusted, entry)
        else:
            opened: AbstractContextManager[Source] = nullcontext(FolderSource(place))
            if is_url:
                opened = HttpSource(reader_of(target, token_file, trusted))
            seen = [trusted.judge_known(path.read_bytes()).checkpoint for path in known or []]
            extent = Extent(envelopes, blobs, seen)
            if hashes_only:
                extent = Extent(envelopes=False, known=seen, entries=False)
            checked = _steps_of(extent, is_continued=state is not None and state.exists())
            with (
                opened as source,
                Checkers(jobs or len(os.sched_getaffinity(0))) as checkers,
                progress_lines()
                if as_json
                else progress_bar("验证 verifying", quiet=False) as show,
            ):
                notes = None if state is None else Notes(state)
                found = verify_log(source, trusted, extent, show, checkers, notes).describe()
    except RefutedError as refuted:
        _report_refuted(refuted, as_json=as_json)
        raise typer.Exit(REFUTED) from None
    except (LedgerError, OSError) as error:
        give_up(target, error, as_json=as_json)
    _report(found, checked, as_json=as_json)


def _want(place: Path, entry: Path | None) -> None:
    """Say what is missing, before its absence is taken for what is wrong with the log."""
    if not place.exists():
        raise FileNotFoundError(ENOENT, "没有这个文件或文件夹。No such file or folder.", str(place))
    bundles = place / "tile" / "entries"
    if (place / CHECKPOINT).exists() and not bundles.exists():
        told = "此副本只有公开的瓦片，没有条目。A public copy: tiles, and no entries to verify."
        raise FileNotFoundError(ENOENT, told, str(bundles))
    entry = entry or place.with_suffix(ENTRY_SUFFIX)
    if place.suffix == PROOF_SUFFIX and not entry.exists():
        told = "缺少证明所指的条目，可用 --entry 指定。No entry for the proof; name it by --entry."
        raise FileNotFoundError(ENOENT, told, str(entry))


def _steps_of(extent: Extent, *, is_continued: bool) -> set[int]:
    """Return the steps that are taken; the others are said to be left out."""
    steps = set(STEPS) if extent.entries else set(_HASHED)
    if not extent.envelopes:
        steps -= _OF_ENVELOPES
    if not extent.blobs:
        steps -= _OF_BLOBS
    if not (extent.known or is_continued):
        steps -= _OF_FORMER
    return steps


def give_up(what: object, error: Exception, *, as_json: bool) -> NoReturn:
    """Say in one line why something could not be done, and leave with exit code 2."""
    if isinstance(error, OSError) and error.filename is not None:
        what, text = error.filename, str(error.strerror)
    else:
        text = " ".join(str(error).split())
    if as_json:
        typer.echo(json.dumps({"error": f"{what}: {text}"}, ensure_ascii=False))
    else:
        Console(stderr=True).print(
            f"[red]{escape(str(what))}[/red]: {escape(text)}", soft_wrap=True
        )
    raise typer.Exit(UNREADABLE) from error


def _report(found: dict[str, Any], checked: set[int], *, as_json: bool) -> None:
    is_log = "root" in found
    if as_json:
        steps = {"steps": sorted(checked)} if is_log else {}
        typer.echo(json.dumps({"holds": True, **steps, **found}, ensure_ascii=False))
        return
    console = Console(file=sys.stdout)
    for number, name in STEPS.items() if is_log else ():
        if number in checked:
            console.print(f"[green]✓[/green] {number:>2} {name}")
        else:
            console.print(f"[yellow]–[/yellow] {number:>2} 未核对 not checked: {name}")
    for name, value in found.items():
        console.print(f"{name:>16}  {escape(str(value))}", highlight=False)
    if not found["witnessed"]:
        console.print("[yellow]已收录，尚未见证。Included, not yet witnessed.[/yellow]")
    elif not found.get("witnesses", True):
        console.print("[yellow]策略不要求见证。The policy asks for no witness.[/yellow]")
    console.print("[bold green]日志成立。It holds.[/bold green]")


def _report_refuted(refuted: RefutedError, *, as_json: bool) -> None:
    if as_json:
        verdict = {
            "holds": False,
            "step": refuted.step,
            "position": refuted.position,
            "reason": refuted.reason,
            "facts": refuted.fields,
        }
        typer.echo(json.dumps(verdict, ensure_ascii=False, default=str))
        return
    console = Console(file=sys.stdout)
    for number, name in STEPS.items():
        if number == refuted.step:
            console.print(f"[red]✗ {number:>2} {name}[/red]")
    where = "整个日志 the log as a whole"
    if refuted.position is not None:
        where = f"位置 position {refuted.position}"
    facts = ", ".join(f"{name}={value}" for name, value in refuted.fields.items())
    console.print(f"[bold red]日志不成立。It does not hold.[/bold red] {where}: {refuted.reason}")
    if facts:
        console.print(escape(facts), highlight=False)
