"""Traps that the two databases show."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import psycopg

from bootstrap.diagnosis.trap import Trap
from bootstrap.settings import Settings
from ledger.store.server import ServerFacts, lets_anybody_in, look_at_server

_OLDEST = 160_000
_CONNECTIONS = 100
_CHECKPOINT_SECONDS = 900
_CLOCK_SECONDS = 1.0
"""An append more than two seconds behind the newest entry is refused."""


def of_postgres(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Trap]:
    """Yield what is wrong with the servers of log and keys.

    Args:
        settings: With the URLs of both, else there is nothing to look at.
        clock: This machine's, asked before and after each server's.
    """
    found: dict[str, ServerFacts] = {}
    for name, url in (("log", settings.database_url), ("keys", settings.keys_url)):
        if url is None:
            continue
        asked_at = clock()
        try:
            found[name] = look_at_server(url)
        except psycopg.Error as error:
            yield Trap(
                "database-away",
                "数据库不回答或拒绝。",
                "A database does not answer, or refuses us.",
                "启动它，核对网址、用户和口令。",
                "Start it; check address, user and password.",
                is_refused=True,
                facts={"database": name, "error": type(error).__name__},
            )
            continue
        yield from of_server(name, found[name], (asked_at, clock()))
        if lets_anybody_in(url):
            yield Trap(
                "trust-authentication",
                "数据库不核对口令（trust）。",
                "The database checks no password (trust).",
                "在 pg_hba.conf 改为 scram-sha-256，然后 SELECT pg_reload_conf()。",
                "Write scram-sha-256 in pg_hba.conf, then SELECT pg_reload_conf().",
                is_refused=True,
                facts={"database": name},
            )
    if len(found) == 2 and found["log"].identity == found["keys"].identity:  # noqa: PLR2004  both
        yield Trap(
            "keys-beside-log",
            "密钥数据库与账本在同一台服务器上：一份备份就能解开一切。",
            "The key database is on the log's server: one backup opens everything.",
            "把密钥数据库放到另一台服务器，用 VAXLEDGER_KEYS_URL 指明。",
            "Put the key database on another server, and name it with VAXLEDGER_KEYS_URL.",
            is_refused=True,
        )


def of_server(name: str, facts: ServerFacts, between: tuple[datetime, datetime]) -> Iterator[Trap]:
    """Yield what is wrong with one server.

    Args:
        name: `log` or `keys`.
        facts: What it says of itself.
        between: Our clock before and after it was asked.
    """
    who = {"database": name}
    if facts.is_superuser:
        yield Trap(
            "superuser",
            "以超级用户连接：没有任何权限能约束它。",
            "We connect as a superuser, whom no permission binds.",
            "建一个 LOGIN CREATEROLE 的普通角色，作为数据库的属主。",
            "Make a role with LOGIN CREATEROLE that is no superuser and owns the database.",
            is_refused=True,
            facts={**who, "role": facts.user},
        )
    if not (facts.is_tls or facts.is_local):
        yield Trap(
            "database-without-tls",
            "与数据库的连接没有加密。",
            "The connection to the database is not encrypted.",
            "在网址后加 sslmode=verify-full 和 sslrootcert。",
            "Add sslmode=verify-full and sslrootcert to its URL.",
            is_refused=True,
            facts=who,
        )
    yield from _durability(facts, who)
    yield from _pace(facts, who)
    yield from _kind(facts, who)
    nearest = min(max(facts.clock, between[0]), between[1])
    skew = (facts.clock - nearest).total_seconds()
    if abs(skew) > _CLOCK_SECONDS:
        yield Trap(
            "clock-skew",
            "本机与数据库服务器的时钟不一致；落后两秒以上的写入会被拒绝。",
            "Our clock and the database server's differ; writes two seconds behind are refused.",
            "在两台机器上运行 chrony 或 systemd-timesyncd。",
            "Run chrony or systemd-timesyncd on both machines.",
            facts={**who, "seconds": round(skew, 1)},
        )


def _durability(facts: ServerFacts, who: Mapping[str, str]) -> Iterator[Trap]:
    for setting, is_on in (
        ("fsync", facts.has_fsync),
        ("full_page_writes", facts.has_full_page_writes),
    ):
        if not is_on:
            yield Trap(
                "lazy-database",
                "断电会丢失或损坏已提交的数据。",
                "A power cut loses or breaks what was committed.",
                f"ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();",
                f"ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();",
                is_refused=True,
                facts={**who, "setting": setting},
            )
    if not facts.has_checksums:
        yield Trap(
            "no-checksums",
            "数据页没有校验和，磁盘错误不会被发现。",
            "Pages have no checksums: what a disk alters is not noticed.",
            "停机后运行 pg_checksums --enable。",
            "Stop the server and run pg_checksums --enable.",
            facts=who,
        )

    if facts.retries_sync:
        yield Trap(
            "retries-sync",
            "写盘失败后会再试，而内核已丢弃那些页：可能悄悄丢失数据。",
            "A failed flush is tried again, when its pages are gone: data is lost in silence.",
            "ALTER SYSTEM SET data_sync_retry = off，然后重启 PostgreSQL。",
            "ALTER SYSTEM SET data_sync_retry = off; then restart PostgreSQL.",
            is_refused=True,
            facts=who,
        )


def _pace(facts: ServerFacts, who: Mapping[str, str]) -> Iterator[Trap]:
    """After each checkpoint a write pays for whole pages of every index that it touches."""
    if facts.checkpoint_seconds < _CHECKPOINT_SECONDS:
        yield Trap(
            "frequent-checkpoints",
            "检查点过于频繁：每次之后，写入都要重写整页。",
            "Checkpoints are frequent, and after each of them writes log whole pages.",
            "设 checkpoint_timeout = '15min'、max_wal_size = '4GB'，然后 SELECT pg_reload_conf()。",
            "Set checkpoint_timeout = '15min' and max_wal_size = '4GB', then SELECT "
            "pg_reload_conf().",
            facts={**who, "seconds": facts.checkpoint_seconds},
        )
    if facts.has_pglz:
        yield Trap(
            "slow-compression",
            "预写日志用 pglz 压缩整页：几乎不省空间，却使写入变慢。",
            "Whole pages are compressed with pglz: hardly smaller, and several times dearer.",
            "ALTER SYSTEM SET wal_compression = lz4（或 off）；SELECT pg_reload_conf()。",
            "ALTER SYSTEM SET wal_compression = lz4, or off; SELECT pg_reload_conf();",
            facts=who,
        )


def _kind(facts: ServerFacts, who: Mapping[str, str]) -> Iterator[Trap]:
    if not facts.is_utf8:
        yield Trap(
            "not-utf8",
            "数据库编码不是 UTF8：姓名可能存不进或读不出。",
            "The database's encoding is not UTF8: names may not be stored, or not be read.",
            "新建数据库：CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0，再迁入备份。",
            "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and restore into that one.",
            is_refused=True,
            facts=who,
        )
    if facts.connections < _CONNECTIONS:
        yield Trap(
            "few-connections",
            "数据库允许的连接太少：各进程的连接池会抢不到。",
            "The server takes too few connections for the pools of all processes.",
            f"ALTER SYSTEM SET max_connections = {_CONNECTIONS}，然后重启；每多一个 API 再加 50。",
            f"ALTER SYSTEM SET max_connections = {_CONNECTIONS}; restart; 50 more for each further "
            "API.",
            facts={**who, "connections": facts.connections},
        )
    if facts.version < _OLDEST:
        yield Trap(
            "old-database",
            "PostgreSQL 低于 16。",
            "PostgreSQL is older than 16.",
            "升级到 PostgreSQL 16 或更新。",
            "Upgrade to PostgreSQL 16 or newer.",
            is_refused=True,
            facts={**who, "version": facts.version},
        )
    if facts.is_replica:
        yield Trap(
            "replica",
            "这是只读副本；决定只能在主库上作出。",
            "This is a standby; decisions are made on the primary only.",
            "把网址改为主库，或先提升该副本。",
            "Name the primary, or promote this one first.",
            is_refused=True,
            facts=who,
        )
