"""Traps of notices: late, given up, or lying in a folder from which nobody fetches them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from bootstrap.diagnosis.trap import Trap
from bootstrap.folders import spool_folder
from bootstrap.settings import Settings
from ledger.store.connections import connect
from ledger.store.outbox import standing_by
from ledger.store.reading import ROLE

_LATE = timedelta(minutes=30)
_LATELY = timedelta(days=7)


def of_notices(settings: Settings, now: datetime) -> Iterator[Trap]:
    """Yield what is wrong with what people are to be told.

    Args:
        settings: With the URL of the log's database, else only the folder is looked at.
        now: The time.
    """
    if settings.database_url is not None:
        yield from _standing(settings, now)
    if settings.notices_url is None:
        yield from _spooled(settings, now)


def _standing(settings: Settings, now: datetime) -> Iterator[Trap]:
    assert settings.database_url is not None
    try:
        with connect(settings.database_url, ROLE) as connection:
            found = standing_by(connection)
    except psycopg.Error:
        return  # that it does not answer, or is not migrated, is a trap of the log
    late = found.late(now)
    if late > _LATE:
        yield Trap(
            "notices-late",
            "有通知逾期未发。",
            "Notices are late.",
            "查看 calendar 是否在运行，以及 VAXLEDGER_NOTICES_URL 的服务是否可用。",
            "See whether calendar runs, and whether the service at VAXLEDGER_NOTICES_URL answers.",
            facts={"minutes": int(late.total_seconds() // 60), "waiting": found.waiting},
        )
    if found.failed_at is not None and found.failed_at > now - _LATELY:
        yield Trap(
            "notices-failed",
            "近七天内有通知未能送出。",
            "Notices of the last seven days could not be sent.",
            "vaxledger notices status；原因见 outbox.messages 的 problem。",
            "Run vaxledger notices status; why stands in outbox.messages, problem.",
            facts={"failed": found.failed, "last": found.failed_at.isoformat()},
        )


def _spooled(settings: Settings, now: datetime) -> Iterator[Trap]:
    folder = spool_folder(settings)
    made = [file.stat().st_mtime for file in folder.glob("*.json")] if folder.exists() else []
    old = [one for one in made if datetime.fromtimestamp(one, UTC) < now - _LATELY]
    if old:
        yield Trap(
            "notices-not-fetched",
            "通知文件无人取走。",
            "Notices lie in their folder, and nobody fetches them.",
            "用 VAXLEDGER_NOTICES_URL 指明短信服务；旧文件用 vaxledger notices clear 清除。",
            "Name a service with VAXLEDGER_NOTICES_URL; remove old files with vaxledger notices "
            "clear.",
            facts={"folder": str(folder), "files": len(made), "older": len(old)},
        )
