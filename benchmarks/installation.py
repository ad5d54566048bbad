"""A whole installation as a user starts it, and what the load needs of it."""

import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.ground import Ground
from benchmarks.site import Site
from bootstrap.addresses import Addresses
from bootstrap.embedded.postgres import KEYS_OWNER, LOG_OWNER
from bootstrap.leash import leashed
from bootstrap.settings import Settings
from bootstrap.supervisor import read_state
from bootstrap.tokens import DevelopmentIssuerWarning
from bootstrap.views import open_views
from bootstrap.wiring import wire
from commands.principal import Principal, Role

TOKEN_SECONDS = 3600
_REPOSITORY = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.05


@dataclass
class Served:
    """`vaxledger serve` with its HTTP port, and its log as a second process sees it.

    Attributes:
        site: The write side of the same log, for what must be there before a turn.
        port: Of loopback.
        superuser_url: Of its PostgreSQL.
    """

    site: Site
    port: int
    superuser_url: str

    def token(self, principal: Principal) -> str:
        """Return an access token of the development issuer."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DevelopmentIssuerWarning)
            issuer = self.site.parts.issuer
        return issuer.mint(principal, issued_at=int(time.time()), lifetime_seconds=TOKEN_SECONDS)

    def regulator(self) -> str:
        """Return the token of someone who may read the whole log."""
        operator = self.site.parts.secrets.operator
        return self.token(Principal("regulator", Role.REGULATOR, operator, ""))

    def bytes_an_entry(self) -> int:
        """How much disk each entry takes: log, read models, keys, persons, and the feed's copy."""
        query = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'
            AND relnamespace = ANY (ARRAY(SELECT oid FROM pg_namespace WHERE nspname = ANY (%s)))"""
        schemas = ["ledger", "views", "keys", "people", "access"]
        total = sum(
            path.stat().st_size
            for path in (self.site.parts.settings.data_dir / "nats").rglob("*")
            if path.is_file()
        )
        for name in (LOG_OWNER, KEYS_OWNER):
            with psycopg.connect(make_conninfo(self.superuser_url, dbname=name)) as connection:
                (size,) = connection.execute(query, [schemas]).fetchone() or (0,)
            total += int(size)
        return total // max(1, self.site.head)

    def await_views(self) -> None:
        """Wait until every projection shows all there is."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with open_views(self.site.parts.settings) as views:
            while views.positions.lowest() < self.site.head:
                if time.monotonic() > deadline:
                    raise TimeoutError("The projections do not follow.")
                time.sleep(_POLL_SECONDS)


@contextmanager
def served(ground: Ground) -> Iterator[Served]:
    """Start an installation with embedded servers, and stop it in the end."""
    folder = ground.new_folder("installation")
    folder.chmod(0o711)
    settings = Settings(data_dir=folder / "data", port=free_port(), log_level="WARNING")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            leashed([sys.executable, "-m", "cli", "serve"], death_signal=signal.SIGTERM),
            cwd=_REPOSITORY,
            env=settings.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _await_ready(process, settings.data_dir, folder / "log")
            addresses = Addresses.load(settings.data_dir)
            with wire(addresses.settings(settings)) as parts:
                yield Served(
                    Site(ground, parts, parts.writer),
                    settings.port,
                    addresses.superuser_url or "",
                )
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # its parts end with it
                process.wait()


def _await_ready(process: subprocess.Popen[bytes], data_dir: Path, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        state = read_state(data_dir)
        if state is not None and state.pid == process.pid and state.ready:
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"serve did not start: {log.read_text(errors='replace')[-500:]}")
        time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """Return a port of loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
