"""An embedded PostgreSQL 18 on a private unix socket.

Below its home, `<data_dir>/postgres`: `data` (the cluster), `owner.lock` (held by the process
that runs it), `server.lock` (held by the server and every child of it, by inheritance), `log`.
We start `postgres` ourselves, as our child: the library that brings the binaries believes a
stale pid file and opens parent directories to others.

Authentication is `peer`: only the operating-system account that owns the directory (and root's
own processes, when root started it) gets in, without a password and without trust.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg

from bootstrap.embedded import directory
from bootstrap.embedded.binaries import postgres_programs
from bootstrap.errors import ServerStartError
from bootstrap.leash import leashed
from bootstrap.part import Child, Forked, Program

SUPERUSER = "postgres"
LOG_OWNER = "vaxledger"
KEYS_OWNER = "vaxledger_keys"

_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT_BYTES = 107  # sun_path without its final zero, unix(7)
_START_SECONDS = 60.0  # crash recovery of a large write-ahead log included
_STOP_SECONDS = 20.0
_LEAST_BUFFERS, _MOST_BUFFERS = 128, 1024
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}

# Values are personal data in DETAIL and STATEMENT lines, so the server's log has neither.
_SETTINGS = """\
# Written at every start. Put changes of your own into postgresql.auto.conf (ALTER SYSTEM).
listen_addresses = ''
port = 5432
unix_socket_directories = '{socket_directories}'
unix_socket_permissions = 0700
max_connections = 120
superuser_reserved_connections = 5
shared_buffers = '{buffers}MB'
fsync = on
full_page_writes = on
synchronous_commit = on
wal_compression = off
max_wal_size = '4GB'
checkpoint_timeout = '15min'
transaction_timeout = '60s'
idle_in_transaction_session_timeout = '10s'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_checkpoints = off
log_error_verbosity = terse
log_min_error_statement = panic
"""

_FIRST_SQL = f"""\
CREATE ROLE {LOG_OWNER} LOGIN CREATEROLE
CREATE ROLE {KEYS_OWNER} LOGIN CREATEROLE
CREATE DATABASE {LOG_OWNER} OWNER {LOG_OWNER}
CREATE DATABASE {KEYS_OWNER} OWNER {KEYS_OWNER}
REVOKE ALL ON DATABASE {LOG_OWNER} FROM PUBLIC
REVOKE ALL ON DATABASE {KEYS_OWNER} FROM PUBLIC
"""


class EmbeddedPostgres:
    """One cluster with the databases `vaxledger` and `vaxledger_keys`, each with its owner.

    It holds the directory until `stop`. `parts()` describes it for a supervisor; `start`
    runs it as a child of this process, until `stop` or our end.

    Raises:
        DirectoryInUseError: another process owns the directory.
        BootstrapError: the account, the programs or the directory are not usable.
    """

    def __init__(self, data_dir: Path) -> None:
        account = directory.server_account()
        self._account = account
        self._programs = postgres_programs(account)
        self.home = directory.make_server_home(
            directory.make_data_dir(data_dir) / "postgres", account
        )
        self._token = directory.token_of(self.home)
        self._data = self.home / "data"
        self._lock = self.home / "server.lock"
        self.socket_dir = self._choose_socket_dir()
        self._child = Child(self._describe())
        self._owner = directory.lock_instance(self.home / "owner.lock")

    def prepare(self) -> None:
        """Clear away what is stale, create the cluster if there is none, write its settings.

        Called before every start.

        Raises:
            BootstrapError: somebody alive still uses the directory, or a program failed.
        """
        self._clean()
        if not self._data.exists():
            self._create_cluster()
        self._write_settings()

    @classmethod
    def start(cls, data_dir: Path) -> Self:
        """Prepare, run as our child and wait until it answers.

        Call from a thread that lives as long as the server should (see `bootstrap.leash`).

        Raises:
            DirectoryInUseError: another process owns the directory.
            BootstrapError: the account, the programs or the directory are not usable.
            ServerStartError: it ended or did not answer; its last words are in the error.
        """
        server = cls(data_dir)
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
        if self.socket_dir != self.home:
            with suppress(OSError):  # gone already, or a supervised server still lives in it
                self.socket_dir.rmdir()
        self._owner.close()

    @property
    def pid(self) -> int | None:
        """The postmaster's pid when it runs as our child."""
        return self._child.pid

    def url(self, database: str = LOG_OWNER, user: str | None = None) -> str:
        """A libpq URL; the user is the database's own role unless given."""
        role = user or (database if database in (LOG_OWNER, KEYS_OWNER) else LOG_OWNER)
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{role}@/{database}?host={host}&port=5432"

    def superuser_url(self, database: str = LOG_OWNER) -> str:
        """The same with all powers: for administration, and for attacks in demo and tests."""
        return self.url(database, SUPERUSER)

    def is_ready(self) -> bool:
        """Whether it answers a query."""
        try:
            with psycopg.connect(self.superuser_url("postgres"), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def parts(self) -> tuple[Forked, Program]:
        """For a supervisor: what makes the cluster, if there is none, and then the server.

        The server ends when a process of it was killed, and is started again as a whole:
        PostgreSQL 18's own way back waits for ever when its startup process is killed as well.
        """
        cluster = Forked(name="cluster", work=self.prepare, once=True)
        server = self._describe()
        argv = (*server.argv, "-c", "restart_after_crash=off")
        return cluster, replace(server, argv=argv, after=(cluster.name,))

    def _describe(self) -> Program:
        return Program(
            name="postgres",
            argv=(
                *(str(self._programs / "postgres"), "-D", str(self._data)),
                *("-c", f"cluster_name={self._token}"),
            ),
            ready=self.is_ready,
            prepare=self.prepare,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            death_signal=signal.SIGQUIT,  # "immediate": recovery does the rest at the next start
            env=_ENVIRONMENT,
            account=self._account,
            lock=self._lock,
            output=self.home / "log",
        )

    def _clean(self) -> None:
        """Remove stale files once nobody alive uses the directory.

        The proof: we hold the owner's lock, no postgres of this cluster is in the process table,
        and nobody holds the lock that a server and its children inherit. Only then may the pid
        file go, which names a pid that may be a zombie's or a stranger's by now.
        """
        directory.end_leftovers("postgres", self._token, self.home, signal.SIGQUIT)
        directory.end_leftovers("postgres", f"{self._data}\0", self.home, signal.SIGQUIT)
        directory.wait_until_free(self._lock)
        directory.make_private(self.socket_dir, self._account)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for name in (_SOCKET_NAME, f"{_SOCKET_NAME}.lock"):
            (self.socket_dir / name).unlink(missing_ok=True)

    def _choose_socket_dir(self) -> Path:
        """The home itself, or a short private directory when its path cannot be a socket's."""
        if _fits(self.home):
            return self.home
        temporary = Path(tempfile.gettempdir()) / self._token
        return temporary if _fits(temporary) else Path("/tmp") / self._token  # noqa: S108  closed

    def _create_cluster(self) -> None:
        """Make the cluster under another name and rename it: no crash leaves half a cluster."""
        draft = self.home / "data.new"
        if draft.exists():
            shutil.rmtree(draft)
        self._run(
            "initdb",
            *("--no-sync", "--no-instructions", "--auth=peer", f"--username={SUPERUSER}"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--locale=C", "-D", str(draft)),
        )
        words = ("--single", "-F", "-D", str(draft), "postgres")
        said = self._run("postgres", *words, feed=_FIRST_SQL)
        if re.search(r"\b(ERROR|FATAL|PANIC):", said):  # its exit status does not tell
            raise ServerStartError("postgres --single", said)
        self._run("initdb", "--sync-only", "-D", str(draft))
        # Durable from here: everything in the draft, but not yet its name.
        draft.rename(self._data)
        descriptor = os.open(self.home, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def _write_settings(self) -> None:
        """Write settings and authentication anew, so that they are always this version's."""
        owner = pwd.getpwuid(os.geteuid()).pw_name
        socket_list = '"{}"'.format(str(self.socket_dir).replace('"', '""')).replace("'", "''")
        roles = (SUPERUSER, LOG_OWNER, KEYS_OWNER)
        files = {
            "postgresql.conf": _SETTINGS.format(socket_directories=socket_list, buffers=_buffers()),
            "pg_hba.conf": "local all all peer map=owner\n",
            "pg_ident.conf": "".join(f'owner "{owner}" {role}\n' for role in roles),
        }
        for name, text in files.items():
            path = self._data / name
            path.write_text(text)
            path.chmod(0o644)  # inside a 0700 directory; root's files must be readable inside

    def _run(self, program: str, *words: str, feed: str = "") -> str:
        """Run one of the programs to its end and return what it said."""
        argv = leashed(
            [str(self._programs / program), *words],
            death_signal=signal.SIGKILL,
            account=self._account,
            lock=self._lock,
        )
        done = subprocess.run(  # noqa: S603  the words are ours
            argv,
            input=feed,
            env=_ENVIRONMENT,
            cwd="/",
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            raise ServerStartError(program, done.stdout)
        return done.stdout


def _fits(place: Path) -> bool:
    """Whether libpq can name the socket: a comma would separate two hosts."""
    path = bytes(place / _SOCKET_NAME)
    return len(path) <= _SOCKET_PATH_LIMIT_BYTES and b"," not in path


def _buffers() -> int:
    """MB for pages in PostgreSQL's own memory: an eighth of the machine's, at most 1 GB.

    New keys fall on any page of five indexes. An append beside 120,000 entries read 1.1 pages with
    32 MB for them and none with 128 MB; beside a million it read 1.2 to 2.2 with 256 MB. Memory is
    taken as pages come in, not at the start.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return max(_LEAST_BUFFERS, min(_MOST_BUFFERS, machine // 8))
