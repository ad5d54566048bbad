"""An embedded NATS server with JetStream on loopback.

Below its home, `<data_dir>/nats`: `nats.conf` (written by us) and the users' files that
`bootstrap.embedded.nats_users` describes, `ports.json` (made once), `jetstream` (the streams),
`log`, and the two locks that `bootstrap.embedded.postgres` describes. Every message is synced
before it is acknowledged (`sync_interval: always`): with the default a power cut loses up to two
minutes of them.
"""

import errno
import json
import random
import signal
import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from bootstrap.durable import write_whole
from bootstrap.embedded import directory
from bootstrap.embedded.binaries import nats_program
from bootstrap.embedded.nats_users import ADMIN, PROGRAM, PUBLISHER, NatsUsers
from bootstrap.errors import ServerStartError
from bootstrap.part import Child, Program

_LOOPBACK = "127.0.0.1"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_PROBE_SECONDS = 1.0
_FIRST_PORT = 12_000
_PORT_TRIES = 200

_SETTINGS = """\
# Written at every start.
server_name: {token}
listen: "127.0.0.1:{client}"
http: "127.0.0.1:{monitor}"
max_payload: 1MB
jetstream {{
  store_dir: {store}
  max_memory_store: 64MB
  sync_interval: always
}}
include "accounts.conf"
"""


class EmbeddedNats:
    """One server with the users `publisher` and `admin`, which `accounts.conf` holds.

    `prepare` makes it ready to run and `part()` describes the process for the supervisor;
    `start` does both and runs it as a child of this process, until `stop` or our end.

    Attributes:
        home: its directory.
        user, password: the publisher, who may publish below `vax.` and `vaxledger.` and use the
            JetStream API.
        admin_user, admin_password: may do everything.
    """

    user = PUBLISHER
    admin_user = ADMIN

    def __init__(self, data_dir: Path) -> None:
        self._program = nats_program()
        self.home = directory.make_server_home(directory.make_data_dir(data_dir) / "nats", None)
        self._token = directory.token_of(self.home)
        self._config = self.home / "nats.conf"
        self._lock = self.home / "server.lock"
        self._users = NatsUsers(self.home)
        self._ports: dict[str, int] = {}
        self._child = Child(self.part())
        self._owner = directory.lock_instance(self.home / "owner.lock")

    @classmethod
    def prepare(cls, data_dir: Path) -> Self:
        """Lock the directory, choose ports and passwords and write the settings.

        Raises:
            DirectoryInUseError: another process owns it.
            BootstrapError: the program or the directory is not usable.
        """
        server = cls(data_dir)
        try:
            server._clean()
            server._choose_ports()
            server._write_settings()
        except BaseException:
            server.stop()
            raise
        return server

    @classmethod
    def start(cls, data_dir: Path) -> Self:
        """Prepare, run as our child and wait until JetStream is up. Raises as `prepare`.

        Call from a thread that lives as long as the server should (see `bootstrap.leash`).

        Raises:
            ServerStartError: it ended or did not answer; its last words are in the error.
        """
        server = cls.prepare(data_dir)
        try:
            server.restart()
        except BaseException:
            server.stop()
            raise
        return server

    def restart(self) -> None:
        """Start again as our child, whatever was killed; returns when it answers.

        Raises:
            ServerStartError: as `start`.
        """
        self._child.start(_START_SECONDS)

    def stop(self) -> None:
        """End the server, if it is our child, and give the directory up."""
        self._child.stop(_STOP_SECONDS)
        self._owner.close()

    @property
    def pid(self) -> int | None:
        """The server's pid when it runs as our child."""
        return self._child.pid

    @property
    def url(self) -> str:
        """Where clients connect; user and password are apart."""
        return f"nats://{_LOOPBACK}:{self._ports['client']}"

    @property
    def monitor_url(self) -> str:
        """The HTTP monitoring endpoint (`/varz`, `/healthz`)."""
        return f"http://{_LOOPBACK}:{self._ports['monitor']}"

    @property
    def password(self) -> str:
        """The publisher's password."""
        return self._users.passwords()[self.user]

    @property
    def admin_password(self) -> str:
        """The admin's password."""
        return self._users.passwords()[self.admin_user]

    def is_ready(self) -> bool:
        """Whether it is our server that answers on the port, with JetStream running.

        Raises:
            OSError: nobody answers yet.
        """
        with socket.create_connection((_LOOPBACK, self._ports["client"]), _PROBE_SECONDS) as probe:
            greeting = probe.makefile("rb").readline()
        if not greeting.startswith(b"INFO ") or self._token.encode() not in greeting:
            return False
        monitor = HTTPConnection(_LOOPBACK, self._ports["monitor"], timeout=_PROBE_SECONDS)
        try:
            monitor.request("GET", "/healthz?js-enabled-only=true")
            return monitor.getresponse().status == 200  # noqa: PLR2004  OK
        except HTTPException:
            return False
        finally:
            monitor.close()

    def part(self) -> Program:
        """The server for a supervisor, who calls `prepare` of the part before every start."""
        return Program(
            name="nats",
            argv=(str(self._program), "-c", str(self._config)),
            ready=self.is_ready,
            prepare=self._clean,
            death_signal=signal.SIGKILL,  # safe: what it acknowledged is synced
            lock=self._lock,
            output=self.home / "log",
        )

    def _clean(self) -> None:
        """Make sure that nobody alive uses the store, which has no lock of its own."""
        directory.end_leftovers(PROGRAM, f"{self._config}\0", self.home, signal.SIGTERM)
        directory.wait_until_free(self._lock)

    def _choose_ports(self) -> None:
        """Keep the ports of the last run unless somebody else has them now."""
        path = self.home / "ports.json"
        remembered = json.loads(path.read_bytes()) if path.exists() else {}
        for name in ("client", "monitor"):
            port = remembered.get(name)
            taken = set(self._ports.values())
            self._ports[name] = port if port and _is_free(port) else _free_port(taken)
        write_whole(path, json.dumps(self._ports))

    def _write_settings(self) -> None:
        store = json.dumps(str(self.home / "jetstream"), ensure_ascii=False)
        settings = _SETTINGS.format(token=self._token, store=store, **self._ports)
        write_whole(self._config, settings)
        self._users.write()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server itself does: connections of a dead server in TIME_WAIT are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
        return True


def _free_port(taken: set[int]) -> int:
    """A free port below the range of outgoing connections.

    Inside that range a client that reconnects to a dead server's port can be given the very same
    port as its own, connects to itself and keeps the server from ever binding it again.
    """
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    last = max(int(limits.split()[0]), _FIRST_PORT + 1_000)
    choice = random.SystemRandom()
    for _ in range(_PORT_TRIES):
        port = choice.randrange(_FIRST_PORT, last)
        if port not in taken and _is_free(port):
            return port
    raise ServerStartError(PROGRAM, f"no free port between {_FIRST_PORT} and {last}")
