"""A subscriber's credentials: one JSON file, which an administrator makes and hands over.

    {"url": "nats://feed.example.cn:4222", "user": "subscriber-zj", "password": "...",
     "stream": "VAX", "durable": "subscriber-zj", "inbox_prefix": "_INBOX_subscriber-zj",
     "origin": "ledger.example.cn/vax", "division": "33",
     "api_prefix": "FEED.API"}

The user may ask for, receive and acknowledge the messages of its one durable consumer, and
nothing else: not even the stream's state. Every reply must go below its own inbox prefix.
"""

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Self

from client import feed
from client.continuity import parse_division
from client.errors import CredentialsError
from client.feed import FeedServer

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?").fullmatch
_PREFIX = "subscriber-"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a subscriber needs to follow the feed.

    Attributes:
        url: NATS URL, several joined by commas for a cluster.
        user: Its user, the same word as its durable.
        password: Its password.
        durable: Its consumer.
        inbox_prefix: Below which all answers to it go.
        origin: Name of the log.
        division: Zero, two, four or six digits: whose entries it receives.
        stream: The stream of entries.
        api_prefix: Below which its client library must ask JetStream's API.
    """

    url: str
    user: str
    password: str = field(repr=False)
    durable: str
    inbox_prefix: str
    origin: str
    division: str
    stream: str = feed.ENTRIES
    api_prefix: str = feed.SUBSCRIBER_API

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            CredentialsError: If it is not such a file.
            OSError: If it cannot be read.
        """
        try:
            given = json.loads(path.read_bytes())
            kept = cls(**given)
            parse_division(kept.division)
        except (ValueError, TypeError, RecursionError) as error:
            raise CredentialsError(path=str(path)) from error
        if not all(type(getattr(kept, one.name)) is str for one in fields(cls)):
            raise CredentialsError(path=str(path))
        return kept

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all, readable by its owner only; raises OSError."""
        draft = path.with_name(f"{path.name}.new")
        draft.unlink(missing_ok=True)  # an old one may have another mode
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def server(self) -> FeedServer:
        """Return where to connect, and as whom."""
        return FeedServer(
            self.url,
            self.user,
            self.password,
            inbox_prefix=self.inbox_prefix,
            api_prefix=self.api_prefix,
        )


def durable_of(name: str) -> str:
    """Return the durable consumer, and user, of a subscriber's name.

    Raises:
        ValueError: If it is not one to thirty-two lower-case letters, digits and inner hyphens.
    """
    if _NAME(name) is None:
        raise ValueError("a subscriber's name is 1 to 32 lower-case letters, digits and hyphens")
    return f"{_PREFIX}{name}"


def name_of(durable: str) -> str | None:
    """Return the subscriber's name of a durable; None if it is not a subscriber's."""
    name = durable.removeprefix(_PREFIX)
    return name if name != durable and _NAME(name) else None


def inbox_prefix_of(durable: str) -> str:
    """Return the inbox prefix of a durable, a first token that nobody else has."""
    return f"_INBOX_{durable}"
