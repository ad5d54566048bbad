"""The users of the embedded NATS server: our own two, and the subscribers.

`passwords.json` holds ours, made once; `subscribers.json` those that `vaxledger subscriber` adds.
`accounts.conf` is written from both, and a running server reads it again when it is told to: it
keeps its connections, but for those of users that are gone or have another password.
"""

import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bootstrap.durable import write_whole
from bootstrap.embedded import directory
from bootstrap.errors import UsersNotReadError
from client.durables import ACCOUNT, account_of, exports

PUBLISHER = "publisher"
ADMIN = "admin"
PROGRAM = "nats-server"

_READ_SECONDS = 30.0
_ASK_SECONDS = 0.02

OWN_PERMISSIONS: Mapping[str, Mapping[str, list[str]]] = {
    PUBLISHER: {
        "publish": ["vax.>", "vaxledger.>", "$JS.API.>", "$JS.ACK.>", "$JS.FC.>"],
        "subscribe": ["_INBOX.>", "vax.>", "vaxledger.>"],
    },
    ADMIN: {"publish": [">"], "subscribe": [">"]},
}
"""What our own users may say and hear within the account of the feed."""


class NatsUsers:
    """The files of users below the server's home, which must exist.

    Two commands may change them at once: each holds a lock while it does.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._subscribers = home / "subscribers.json"

    def passwords(self) -> dict[str, str]:
        """Return the passwords of our own users, made on the first call."""
        path = self._home / "passwords.json"
        if not path.exists():
            made = {name: secrets.token_hex(16) for name in OWN_PERMISSIONS}
            write_whole(path, json.dumps(made))
        return dict(json.loads(path.read_bytes()))

    def write(self) -> None:
        """Write what the server reads."""
        with self._locked():
            self._write(self._read())

    def set(self, durable: str, password: str) -> None:
        """Add a subscriber, or give it another password, which the server then knows.

        Raises:
            UsersNotReadError: If a running server does not read its users.
            OSError: If it does not answer.
        """
        with self._locked():
            self._change(self._read() | {durable: password})

    def remove(self, durable: str) -> None:
        """Remove a subscriber, whose connections end. Raises as `set`."""
        with self._locked():
            self._change({k: v for k, v in self._read().items() if k != durable})

    def _change(self, subscribers: dict[str, str]) -> None:
        # Crash points: the list is what counts; an accounts.conf that is behind is written again at
        # the next change or start, and a server that was not told reads it then.
        write_whole(self._subscribers, json.dumps(subscribers, indent=1))
        self._write(subscribers)
        self._reload()

    def _reload(self) -> None:
        """Let the server, if it runs, read its users again, twice.

        nats-server 2.15 lets a new account's imports work from the second time on. Each is waited
        for: whoever connects while it happens is turned away.
        """
        for pid in directory.processes_of(PROGRAM, f"{self._home / 'nats.conf'}\0"):
            for _ in range(2):
                before = self._loaded_at()
                os.kill(pid, signal.SIGHUP)
                self._wait_for_another(before)

    def _wait_for_another(self, before: str) -> None:
        deadline = time.monotonic() + _READ_SECONDS
        while self._loaded_at() == before:
            if time.monotonic() > deadline:
                raise UsersNotReadError(self._home)
            time.sleep(_ASK_SECONDS)

    def _loaded_at(self) -> str:
        port = json.loads((self._home / "ports.json").read_bytes())["monitor"]
        monitor = HTTPConnection("127.0.0.1", port, timeout=_READ_SECONDS)
        try:
            monitor.request("GET", "/varz")
            return str(json.loads(monitor.getresponse().read())["config_load_time"])
        finally:
            monitor.close()

    def _read(self) -> dict[str, str]:
        if not self._subscribers.exists():
            return {}
        return dict(json.loads(self._subscribers.read_bytes()))

    def _write(self, subscribers: dict[str, str]) -> None:
        own = [
            {"user": name, "password": password, "permissions": OWN_PERMISSIONS[name]}
            for name, password in self.passwords().items()
        ]
        accounts: dict[str, Any] = {
            ACCOUNT: {"jetstream": "enabled", "users": own, "exports": exports()}
        }
        accounts |= {name: account_of(name, password) for name, password in subscribers.items()}
        write_whole(self._home / "accounts.conf", f"accounts: {json.dumps(accounts, indent=1)}\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._home / "users.lock").open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
