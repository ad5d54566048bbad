"""Traps that the log itself shows: halted, behind what was signed, unwitnessed, old keys."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg

from bootstrap.diagnosis.trap import Trap
from bootstrap.folders import founding_mark, kek_folder, outside_path, secrets_folder
from bootstrap.log_keys import log_terms
from bootstrap.migrate import pending
from bootstrap.policy import PolicyFile
from bootstrap.settings import Settings
from ledger.entry import CLOCK_TOLERANCE
from ledger.errors import LedgerError
from ledger.store.connections import connect
from ledger.store.connections import open_pool as open_log_pool
from ledger.store.errors import LogHalted
from ledger.store.halting import standing_halt
from ledger.store.integration import ROLE
from ledger.store.pace import newest_recorded_at
from ledger.store.reading import LogReader
from ledger.store.recovery import refuse_behind
from projections.connection import READ, READ_PEOPLE, open_pool
from projections.positions import Positions

_FIRST = "log/0001_ledger.sql"
_KEY_DAYS = 365
_SILENCE = timedelta(hours=1)


def of_log(settings: Settings, now: datetime) -> Iterator[Trap]:
    """Yield what is wrong with an installation's log, if it has been founded.

    Args:
        settings: With the URLs of both databases, else there is nothing to look at.
        now: The time.
    """
    if settings.database_url is None or settings.keys_url is None:
        return
    if unfounded := list(of_founding(settings)):
        yield from unfounded
        return
    try:
        if _is_lost(settings):
            yield _behind(settings, "EmptyDatabase")
            return
        yield from _migrations(settings)
        yield from _standing(settings, now)
        yield from _keks(settings, now)
        yield from _parked(settings)
        yield from _asked(settings, now)
    except (psycopg.Error, LedgerError) as error:
        yield Trap(
            "log-unread",
            "账本数据库读不出来。",
            "The log's database cannot be read.",
            "运行 vaxledger migrate；再看 vaxledger fsck。",
            "Run vaxledger migrate; then see what vaxledger fsck says.",
            facts={"error": type(error).__name__},
        )
    yield from _witnesses(settings)


def of_founding(settings: Settings) -> Iterator[Trap]:
    """Yield what is wrong before there is a log; makes and asks nothing."""
    if founding_mark(settings).exists():
        yield Trap(
            "half-founded",
            "vaxledger init 中途中断，建账没有完成。",
            "vaxledger init was interrupted, and has not founded everything.",
            "用同一方案和同一根密钥文件再运行一次 vaxledger init。",
            "Run vaxledger init again, with the same plan and the same root key's file.",
            is_refused=True,
            facts={"mark": str(founding_mark(settings))},
        )
    elif not (secrets_folder(settings) / "kek").exists():
        yield Trap(
            "no-secrets",
            "数据目录里没有密钥。",
            "There are no secrets in the data directory.",
            "新装：运行 vaxledger init（试用：首次 serve）。旧装：先从备份恢复密钥，切勿重新生成。",
            "New: run vaxledger init; for a trial, serve. Old: restore the keys first.",
            is_refused=True,
            facts={"folder": str(secrets_folder(settings))},
        )


def _is_lost(settings: Settings) -> bool:
    """Whether there is nothing in databases of a log that was signed: migrating does not help."""
    assert settings.database_url is not None
    assert settings.keys_url is not None
    missing = pending(settings.database_url, settings.keys_url)
    return _FIRST in missing and outside_path(settings).exists()


def _migrations(settings: Settings) -> Iterator[Trap]:
    assert settings.database_url is not None
    assert settings.keys_url is not None
    missing = pending(settings.database_url, settings.keys_url)
    if missing:
        yield Trap(
            "not-migrated",
            "数据库结构落后于程序。",
            "The databases' schema is behind the program.",
            "运行 vaxledger migrate。",
            "Run vaxledger migrate.",
            facts={"files": missing},
        )


def _behind(settings: Settings, found: str) -> Trap:
    return Trap(
        "behind-the-signed",
        "数据库与库外检查点不符：旧备份、空数据库、另一份账本，或检查点文件丢失。",
        "Database and outside checkpoint disagree: an old backup, an empty database, another log "
        "or a lost file.",
        "空数据库先运行 vaxledger restore；然后 vaxledger log recover，见 docs/recovery.md。",
        "If the databases are empty, run vaxledger restore first; then vaxledger log recover, see "
        "docs/recovery.md.",
        is_refused=True,
        facts={"found": found, "outside": str(outside_path(settings))},
    )


def _standing(settings: Settings, now: datetime) -> Iterator[Trap]:
    assert settings.database_url is not None
    try:
        refuse_behind(settings.database_url, log_terms(settings))
    except LogHalted as found:
        yield _behind(settings, type(found).__name__)
    with connect(settings.database_url, ROLE) as connection:
        halt = standing_halt(connection)
        newest = newest_recorded_at(connection)
    if newest - now > CLOCK_TOLERANCE:
        yield Trap(
            "clock-behind-log",
            "本机时钟落后于最新条目；在此之前的写入都会被拒绝。",
            "Our clock is behind the newest entry; whatever is written before that is refused.",
            "校准各机时钟；若某机曾超前写入，只能等到那一刻。",
            "Set the clocks by one source; if one wrote ahead of time, wait until then.",
            facts={
                "newest": newest.isoformat(),
                "seconds": round((newest - now).total_seconds(), 1),
            },
        )
    if halt is not None:
        yield Trap(
            "halted",
            "账本已停止写入。",
            "The log is halted.",
            "按 docs/recovery.md 查明原因，然后 vaxledger log resume 或 log recover。",
            "Find out why (docs/recovery.md), then vaxledger log resume or log recover.",
            facts={"kind": halt.kind, "since": halt.halted_at.isoformat()},
        )


def _parked(settings: Settings) -> Iterator[Trap]:
    assert settings.database_url is not None
    assert settings.keys_url is not None
    with (
        open_pool(settings.database_url, READ, 1) as log,
        open_pool(settings.keys_url, READ_PEOPLE, 1) as keys,
    ):
        for name, streams in Positions(log, keys).parked().items():
            yield Trap(
                "parked-streams",
                "有读模型处理不了某些事件，已停放其事件流。",
                "A read model could not apply some event, and does not follow its stream.",
                "升级程序后 vaxledger projections retry。",
                "Update the program, then run vaxledger projections retry.",
                facts={"projection": name, "streams": streams},
            )


def _asked(settings: Settings, now: datetime) -> Iterator[Trap]:
    """What the witnesses that are asked have answered."""
    assert settings.database_url is not None
    with open_log_pool(settings.database_url, READ, size=1) as pool:
        standings = LogReader(pool).witnesses()
    for one in standings:
        if one.alarm is not None:
            yield Trap(
                "witness-disagrees",
                "见证人持有另一份历史。",
                "A witness holds another history than ours.",
                "停止写入，按 docs/runbooks.md“A witness disagrees”处理。",
                "Stop writing; follow docs/runbooks.md, A witness disagrees.",
                facts={"witness": one.name, "alarm": one.alarm},
            )
        elif one.failing_since is not None and now - one.failing_since > _SILENCE:
            yield Trap(
                "witness-silent",
                "见证人一小时以上没有共签。",
                "A witness has not cosigned for more than an hour.",
                "联系其运行者；核对信任策略中的网址。",
                "Ask whoever runs it; check its address in the policy.",
                facts={"witness": one.name, "problem": one.problem},
            )


def _keks(settings: Settings, now: datetime) -> Iterator[Trap]:
    assert settings.keys_url is not None
    folder = kek_folder(settings)
    age = (now - folder.newest_since(settings.keys_url)).days
    if age > _KEY_DAYS:
        yield Trap(
            "old-key-encryption-key",
            "密钥加密密钥已用一年以上。",
            "The key-encryption key has been in use for more than a year.",
            "vaxledger kek rotate，然后 vaxledger kek retire。",
            "Run vaxledger kek rotate, then vaxledger kek retire.",
            facts={"days": age},
        )
    if len(folder.load()) > 1:
        yield Trap(
            "old-key-encryption-keys-kept",
            "旧版密钥加密密钥尚未销毁：旧备份仍可解开。",
            "Older key-encryption keys are kept: old backups still open.",
            "vaxledger kek retire。",
            "Run vaxledger kek retire.",
            facts={"versions": len(folder.load())},
        )


def _witnesses(settings: Settings) -> Iterator[Trap]:
    if settings.policy is None:
        yield Trap(
            "own-witness-only",
            "没有外部见证人：没有人能发现账本对不同的人说不同的话。",
            "There is no witness elsewhere: nobody would notice a log that tells two stories.",
            "请监管方运行 vaxledger witness，把它写入信任策略，用 VAXLEDGER_POLICY 指明。",
            "Let a regulator run vaxledger witness, name it in a policy, and that with "
            "VAXLEDGER_POLICY.",
        )
    elif not PolicyFile(settings).current().witnesses:
        yield Trap(
            "no-witness",
            "信任策略里没有见证人。",
            "The trust policy names no witness.",
            "把监管方的见证人写入信任策略（docs/witness.md）。",
            "Name a regulator's witness in it (docs/witness.md).",
            facts={"policy": str(settings.policy)},
        )
