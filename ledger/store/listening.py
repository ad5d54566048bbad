"""Waking up when the log moves: NOTIFY as a hint, a look each second as the rule.

A notification can be lost with its connection, so it only ever shortens a wait.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg

LOOK_SECONDS = 1.0
APPENDED = "vaxledger_appended"
PUBLISHED = "vaxledger_published"
PROJECTED = "vaxledger_projected"
LISTEN = {
    APPENDED: "LISTEN vaxledger_appended",
    PUBLISHED: "LISTEN vaxledger_published",
    PROJECTED: "LISTEN vaxledger_projected",
}
"""The statement by which a connection hears of a channel."""


def await_notice(connection: psycopg.Connection[Any], seconds: float = LOOK_SECONDS) -> None:
    """Wait until a listening connection is notified, at most so long.

    Whatever came while it did other things counts, and is taken with it: left behind, each would
    end a later wait at once and stay in memory until then.
    """
    for _ in connection.notifies(timeout=seconds, stop_after=1):
        pass


async def wakeups(url: str, *channels: str) -> AsyncIterator[None]:
    """Yield whenever one of the channels was notified, and at least once a second, for ever.

    Args:
        url: libpq URL.
        channels: Names from this module.
    """
    while True:
        yield
        try:
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        except psycopg.OperationalError:
            await asyncio.sleep(LOOK_SECONDS)
            continue
        async with connection:
            try:
                for channel in channels:
                    await connection.execute(LISTEN[channel])
                yield  # whatever was notified before LISTEN took hold
                while True:
                    async for _ in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                        pass
                    yield
            except psycopg.OperationalError:
                continue
