"""How a subscriber reaches one log: its feed, its server, and whose signatures count.

    {"credentials": "credentials.json", "log": "https://ledger.example.cn",
     "token": "token", "trust": "log.vkey"}

The other three are files beside this one: what ``vaxledger subscriber add`` wrote, the bearer
token on one line, and a policy or verifier keys. What is trusted comes from the operator by a way
of its own, never from the server that it is to judge.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from client.credentials import Credentials
from client.errors import CredentialsError
from client.feed import FeedServer
from client.http import Caller
from client.remembering import Memory
from client.trust import Trust

_MEMBERS = {"credentials", "log", "token", "trust"}


@dataclass(frozen=True, slots=True)
class Access:
    """What a subscriber needs.

    Attributes:
        server: Where the feed is, and as whom.
        caller: Where the log's server is, with a token and the trust in the log.
        division: Zero, two, four or six digits: what is subscribed to.
        durable: A consumer that an administrator made; None for one of our own.
    """

    server: FeedServer
    caller: Caller
    division: str = ""
    durable: str | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file and those that it names.

        Raises:
            CredentialsError: It is not such a file, or its credentials are not.
            TrustError: The trust does not cover the log of the credentials.
            OSError: A file cannot be read.
        """
        try:
            given = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise CredentialsError(path=str(path)) from error
        if (
            type(given) is not dict
            or given.keys() != _MEMBERS
            or not all(type(value) is str for value in given.values())
        ):
            raise CredentialsError(path=str(path))
        beside = path.parent
        credentials = Credentials.load(beside / given["credentials"])
        token = (beside / given["token"]).read_text(encoding="utf-8").strip()
        trust = Trust.load(beside / given["trust"], credentials.origin)
        caller = Caller(given["log"], token, trust)
        return cls(credentials.server(), caller, credentials.division, credentials.durable)

    def new_memory(self) -> Memory:
        """Return the memory of one who has seen nothing."""
        return Memory(self.caller.trust.origin, self.division)
