"""A log in files: written once by a campaign, read by publishers that are killed.

    python -m tests.crash.feed_log FOLDER    runs a publisher until it is killed

`server.json` in the folder says where NATS is, `published` how far the log may be seen.
"""

import asyncio
import json
import sys
from array import array
from pathlib import Path

from bootstrap.floors import Floors
from client.feed import FeedServer
from ledger.hashing import leaf_hash
from tests.unit.client.written_log import WrittenLog, write_entry
from workers.publisher import Publisher


class LogFile:
    """The log's reader for the publisher, over three files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = (folder / "entries").read_bytes()
        self._ends = array("Q", (folder / "ends").read_bytes())
        self._previous = array("Q", (folder / "previous").read_bytes())

    @classmethod
    def write(cls, folder: Path, count: int) -> "LogFile":
        log = WrittenLog([write_entry(number) for number in range(count)])
        previous = log.previous_many(1, count)
        ends, end = array("Q", [0]), 0
        for raw in log.raws:
            end += len(raw)
            ends.append(end)
        (folder / "entries").write_bytes(b"".join(log.raws))
        (folder / "ends").write_bytes(ends.tobytes())
        numbers = array("Q", [one for p in range(1, count + 1) for one in previous[p]])
        (folder / "previous").write_bytes(numbers.tobytes())
        made = cls(folder)
        made.publish(0)
        return made

    @property
    def size(self) -> int:
        return len(self._ends) - 1

    def raw(self, position: int) -> bytes:
        return self._entries[self._ends[position - 1] : self._ends[position]]

    def publish(self, size: int) -> None:
        draft = self._folder / "published.new"
        draft.write_text(str(size))
        draft.replace(self._folder / "published")

    def published(self) -> int:
        return int((self._folder / "published").read_text())

    def entries(self, first: int, limit: int) -> list[tuple[int, bytes, bytes]]:
        last = min(first + limit - 1, self.published())
        raws = ((position, self.raw(position)) for position in range(first, last + 1))
        return [(position, raw, leaf_hash(raw)) for position, raw in raws]

    def previous_many(self, first: int, last: int) -> dict[int, tuple[int, int, int]]:
        numbers = self._previous
        return {
            p: (numbers[3 * p - 3], numbers[3 * p - 2], numbers[3 * p - 1])
            for p in range(first, last + 1)
        }

    def checkpoint(self) -> tuple[int, bytes]:
        return 0, b""


def save_server(folder: Path, server: FeedServer) -> None:
    facts = {
        "url": server.url,
        "user": server.user,
        "password": server.password,
        "monitor_urls": server.monitor_urls,
        "replicas": server.replicas,
    }
    (folder / "server.json").write_text(json.dumps(facts))


def load_server(folder: Path) -> FeedServer:
    facts = json.loads((folder / "server.json").read_text())
    return FeedServer(**facts | {"monitor_urls": tuple(facts["monitor_urls"])})


if __name__ == "__main__":
    place = Path(sys.argv[1])
    running = Publisher(LogFile(place), load_server(place), floors=Floors(place / "floors.json"))
    asyncio.run(running.run(asyncio.Event()))
