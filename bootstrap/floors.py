"""What subscribers have acknowledged, kept in a file outside NATS.

When the stream of entries is made anew, be it rebuilt or lost with its server, its consumers are
gone too; a torn store may lose one alone. Each is then made again where it was: what it had not
acknowledged comes again, and nothing else does. Only `vaxledger subscriber revoke` ends one.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import structlog
from nats.js import JetStreamContext

from bootstrap.durable import write_whole
from client import feed
from client.credentials import name_of
from client.durables import durable_config, durables

FEED = "feed"
FLOORS = "floors.json"

_log = structlog.get_logger("publisher")


class Floors:
    """The file: when the stream was made, and each subscriber's consumer with its floor.

    Two publishers may write it at once: both write what the server says.

    Args:
        path: The file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, data_dir: Path) -> Self:
        """Return those of an installation."""
        return cls(data_dir / FEED / FLOORS)

    def forget(self, name: str) -> None:
        """Give a consumer up that is revoked. Raises OSError."""
        kept = self._read()
        if kept is not None:
            kept["durables"] = [one for one in kept["durables"] if one["name"] != name]
            self._write(kept)

    async def follow(self, js: JetStreamContext) -> None:
        """Make again the consumers that are gone, and keep the floors of all.

        Call when the stream is filled as far as the log: a consumer cannot begin beyond the end.

        Crash points: until the last consumer is made the file names the former stream, and the
        next call makes what is missing; one that is there already is left alone.

        Raises:
            nats.errors.Error: If the server does not answer or refuses us.
            OSError: If the file cannot be written.
        """
        state = await js.stream_info(feed.ENTRIES)
        made = _text(state.created)
        kept = self._read()
        if kept is not None:
            await self._restore(js, kept["durables"], state.state.last_seq)
        await self._keep(js, made, kept["durables"] if kept is not None else [])

    async def note(self, js: JetStreamContext) -> None:
        """Keep the floors of this stream; do nothing for one that was made since. As `follow`."""
        made = _text((await js.stream_info(feed.ENTRIES)).created)
        kept = self._read()
        if kept is None or kept["stream_made"] == made:
            await self._keep(js, made, kept["durables"] if kept is not None else [])

    async def _restore(self, js: JetStreamContext, kept: list[dict[str, Any]], last: int) -> None:
        there = {one.name for one in await durables(js)}
        for one in kept:
            if one["name"] not in there:
                after = min(one["floor"], last)
                await js.add_consumer(
                    feed.ENTRIES, durable_config(one["name"], one["division"], after)
                )
                _log.warning("subscriber-restored", subscriber=one["name"], position=after)

    async def _keep(self, js: JetStreamContext, made: str, before: list[dict[str, Any]]) -> None:
        known = {one["name"]: one["division"] for one in before}
        found = [
            # A consumer that somebody edited keeps the division that it had.
            {
                "name": one.name,
                "division": known.get(one.name, one.division) if one.drift else one.division,
                "floor": one.floor,
            }
            for one in await durables(js)
            if name_of(one.name) is not None
        ]
        self._write({"stream_made": made, "durables": found})

    def _read(self) -> dict[str, Any] | None:
        try:
            return dict(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None

    def _write(self, kept: dict[str, Any]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._path, json.dumps(kept, indent=1))


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()
