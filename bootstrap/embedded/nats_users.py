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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bootstrap.embedded import directory
from client.durables import ACCOUNT, account_of, exports

PUBLISHER = "publisher"
ADMIN = "admin"
PROGRAM = "nats-server"

_OWN_PERMISSIONS = {
    PUBLISHER: {
        "publish": ["vax.>", "vaxledger.>", "$JS.API.>", "$JS.ACK.>", "$JS.FC.>"],
        "subscribe": ["_INBOX.>", "vax.>", "vaxledger.>"],
    },
    ADMIN: {"publish": ">", "subscribe": ">"},
}


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
            made = {name: secrets.token_hex(16) for name in _OWN_PERMISSIONS}
            write_private(path, json.dumps(made))
        return dict(json.loads(path.read_bytes()))

    def write(self) -> None:
        """Write what the server reads."""
        with self._locked():
            self._write(self._read())

    def set(self, durable: str, password: str) -> None:
        """Add a subscriber, or give it another password; the server is told."""
        with self._locked():
            self._change(self._read() | {durable: password})

    def remove(self, durable: str) -> None:
        """Remove a subscriber, whose connections end; the server is told."""
        with self._locked():
            self._change({k: v for k, v in self._read().items() if k != durable})

    def _change(self, subscribers: dict[str, str]) -> None:
        # Crash points: the list is what counts; an accounts.conf that is behind is written again at
        # the next change or start, and a server that was not told reads it then.
        write_private(self._subscribers, json.dumps(subscribers, indent=1))
        self._write(subscribers)
        for pid in directory.processes_of(PROGRAM, f"{self._home / 'nats.conf'}\0"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)

    def _read(self) -> dict[str, str]:
        if not self._subscribers.exists():
            return {}
        return dict(json.loads(self._subscribers.read_bytes()))

    def _write(self, subscribers: dict[str, str]) -> None:
        own = [
            {"user": name, "password": password, "permissions": _OWN_PERMISSIONS[name]}
            for name, password in self.passwords().items()
        ]
        accounts: dict[str, Any] = {
            ACCOUNT: {"jetstream": "enabled", "users": own, "exports": exports()}
        }
        accounts |= {name: account_of(name, password) for name, password in subscribers.items()}
        write_private(self._home / "accounts.conf", f"accounts: {json.dumps(accounts, indent=1)}\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._home / "users.lock").open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner may read; readers see the old one or the new one."""
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
