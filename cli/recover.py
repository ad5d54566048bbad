"""`vaxledger log recover`: an old backup was restored, and the log must go on."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NoReturn

import psycopg
import typer
from rich.console import Console
from rich.markup import escape

from bootstrap.recovery import LossesNotAccepted, Plan, Recovered, recover
from bootstrap.settings import Settings
from cli.progress import progress_bar
from cli.trusting import JsonOption, TokenOption, load_trust, reader_of
from cli.verify import give_up
from client.sources import FolderSource, HttpSource, Source
from ledger.errors import LedgerError

REFUSED = 1
_SHOWN = 20
_NEXT = (
    "此后请设置 Now set VAXLEDGER_ORIGIN={origin}，"
    "启动后重建 then start, and rebuild what may be ahead: "
    "vaxledger projections rebuild people; vaxledger feed rebuild"
)

_LACKS = {
    "without_envelope": "缺作者封装：签名无法出示，完整验证止于该处；只有导出（--from）能补。"
    "Without envelopes signatures cannot be shown and verification stops there: only an export "
    "that reaches so far has them (--from). The feed carries none.",
    "without_answer": "重复提交将被拒绝而非得到原回答。"
    "A repeated write is refused instead of answered.",
    "without_sealed_value": "缺密封值：个人信息不可读，如同已删除；"
    "只有带 --sealed 的导出能补，消息流和较早的备份都没有。"
    "Without sealed values personal data stay unreadable, as if erased: "
    "only an operator's export with --sealed has them, neither the feed nor an older backup.",
    "without_claims": "唯一性未恢复：其中密封的号码或追溯码可能被再次占用。"
    "Numbers and codes that were sealed there may be taken a second time.",
}
"""What each lack means, and what would still bring it."""


def recover_log(  # noqa: PLR0913  each is an option of the command line
    *,
    copies: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="导出目录或网址，可多次给出。An export or its URL; may be repeated.",
            metavar="FOLDER|URL",
        ),
    ] = None,
    feed: Annotated[
        bool, typer.Option(help="导出不足处从 NATS 读取。Read the feed where exports end.")
    ] = True,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint",
            help="已签署的检查点（见证人、回执）。A checkpoint that was signed.",
            metavar="FILE",
        ),
    ] = None,
    token_file: TokenOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不写入。Look only; write nothing.")
    ] = False,
    accept_losses: Annotated[
        bool,
        typer.Option(
            "--accept-losses",
            help="接受无处可寻的封装与密封值。Give up envelopes and sealed values no copy has.",
        ),
    ] = False,
    new_origin: Annotated[
        str,
        typer.Option(
            help="副本不足以补全时，以新名称继续：现存条目由新来源接管。"
            "Go on under this name where copies do not reach: it adopts the entries that survive.",
            metavar="NAME",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """恢复日志：补回丢失的条目，同一来源继续。Put lost entries back; the log goes on.

    Stop everything first. Run it again after an interruption. Exit code 1 when it must not be
    done, 2 when something could not be read.
    """
    settings = Settings.load()
    try:
        with ExitStack() as stack:
            plan = Plan(
                exports=[_open(one, token_file, settings, stack) for one in copies or ()],
                has_feed=feed,
                notes=[path.read_bytes() for path in checkpoints or ()],
                is_dry=dry_run,
                accepts_losses=accept_losses,
                new_origin=new_origin,
            )
            show = stack.enter_context(progress_bar("恢复 recovering", quiet=as_json))
            found = recover(settings, plan, show)
    except LossesNotAccepted as refused:
        _report(Recovered(refused.survey), "refused", as_json=as_json, error=str(refused))
        raise typer.Exit(REFUSED) from None
    except LedgerError as error:
        refuse(error, as_json=as_json)
    except (OSError, psycopg.Error) as error:
        give_up(settings.data_dir, error, as_json=as_json)
    _report(found, "surveyed" if dry_run else "recovered", as_json=as_json)
    if new_origin and not dry_run and not as_json:
        typer.echo(_NEXT.format(origin=new_origin))


def _open(place: str, token_file: Path | None, settings: Settings, stack: ExitStack) -> Source:
    if not place.startswith(("http://", "https://")):
        return FolderSource(Path(place))
    trust = load_trust(None, settings.origin)
    return stack.enter_context(HttpSource(reader_of(place, token_file, trust)))


def refuse(error: LedgerError, *, as_json: bool) -> NoReturn:
    """Say in one line why something was not done, and leave with exit code 1."""
    if as_json:
        facts = {"outcome": "refused", "reason": type(error).__name__, "error": str(error)}
        typer.echo(json.dumps(facts | error.fields, ensure_ascii=False, default=str))
    else:
        Console(stderr=True).print(f"[red]{escape(str(error))}[/red]")
    raise typer.Exit(REFUSED) from None


def _report(found: Recovered, outcome: str, *, as_json: bool, error: str = "") -> None:
    survey = found.survey
    facts: dict[str, Any] = {
        "outcome": outcome,
        "entries": survey.entries,
        "integrated": survey.integrated,
        "signed": survey.signed,
        "lost": survey.lost,
        "without_envelope": list(survey.no_envelope),
        "without_answer": list(survey.no_answer),
        "without_sealed_value": [[position, digest] for position, digest in survey.no_blob],
        "without_claims": list(found.untold),
    }
    if found.given_up is not None:
        facts |= {
            "new_origin": found.given_up.origin,
            "adopted": found.given_up.adopted,
            "given_up": found.given_up.lost,
            "to_shred_again": [str(record) for record in found.given_up.undecided],
        }
    if as_json:
        typer.echo(json.dumps(facts | ({"error": error} if error else {})))
        return
    console = Console()
    for name, value in facts.items():
        text = str(value)
        if isinstance(value, list):
            shown = ", ".join(map(str, value[:_SHOWN])) + (" …" if len(value) > _SHOWN else "")
            text = f"{len(value)}{': ' if value else ''}{shown}"
        console.print(f"{name:>22}  {escape(text)}", highlight=False)
    for name, text in _LACKS.items():
        if facts[name]:
            console.print(f"[yellow]{text}[/yellow]", soft_wrap=True)
    if error:
        console.print(f"[red]{escape(error)}[/red]")
