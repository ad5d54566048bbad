"""The directories of the embedded servers, and who is alive in them."""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import IO

import structlog

from bootstrap.errors import (
    AccountMissingError,
    DirectoryInUseError,
    ForeignDirectoryError,
    LeftoverProcessError,
)

SYSTEM_STATE = Path("/var/lib/vaxledger")
_ACCOUNT = "vaxledger"
_ASKED_SECONDS = 20.0
_PATIENCE_SECONDS = 60.0

_log = structlog.get_logger("embedded")


def lock_instance(path: Path) -> IO[bytes]:
    """Lock a file for as long as the returned object stays open in this process.

    Raises:
        DirectoryInUseError: another process holds it.
    """
    handle = path.open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise DirectoryInUseError(path.parent) from None
    return handle


def server_account() -> tuple[int, int] | None:
    """Uid and gid for PostgreSQL, which refuses to be root; None when we are not root.

    Raises:
        AccountMissingError: there is no such account and none could be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        entry = _create_account()
    return entry.pw_uid, entry.pw_gid


def _create_account() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise AccountMissingError(_ACCOUNT, "no useradd on this machine")
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    done = subprocess.run(  # noqa: S603  the words are constants
        [useradd, *options, _ACCOUNT], capture_output=True, text=True, check=False
    )
    try:  # whatever useradd says: another process may have made it in this moment
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise AccountMissingError(_ACCOUNT, done.stderr.strip()) from None


def is_reachable(path: Path) -> bool:
    """Whether any account may enter this directory and all directories above it."""
    resolved = path.resolve()
    return all(p.stat().st_mode & stat.S_IXOTH for p in (resolved, *resolved.parents))


def make_data_dir(data_dir: Path) -> Path:
    """Make the directory of everything and return its absolute path.

    It is closed to others; under root they may pass through (mode 0711), because PostgreSQL's
    account must reach its own directory below.
    """
    absolute = data_dir.expanduser().absolute()
    absolute.parent.mkdir(parents=True, exist_ok=True)
    if not absolute.exists():
        absolute.mkdir(exist_ok=True)
        absolute.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return absolute


def make_private(directory: Path, account: tuple[int, int] | None) -> Path:
    """Make a directory that only `account` may enter.

    Raises:
        ForeignDirectoryError: it exists and is another account's, or is not a directory.
    """
    uid, gid = account or (os.geteuid(), os.getegid())
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        os.chown(directory, uid, gid)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
        raise ForeignDirectoryError(directory, found.st_uid)
    os.chown(directory, uid, gid)
    directory.chmod(0o700)
    return directory


def make_system_state() -> Path:
    """Make root's directory that every account may pass through, whatever the umask."""
    SYSTEM_STATE.mkdir(parents=True, exist_ok=True)
    SYSTEM_STATE.chmod(0o755)
    return SYSTEM_STATE


def make_server_home(link: Path, account: tuple[int, int] | None) -> Path:
    """Make the directory of a server that runs as `account` and return its real path.

    Below a private home the account could not reach it, and opening the home is not ours to do:
    then the directory lies in the system's state directory (for data below the temporary
    directory: there) and `link` becomes a symbolic link to it.
    """
    if link.is_symlink() and not link.exists():
        link.unlink()  # its target is gone: this installation starts anew
    if not link.exists() and account and not is_reachable(link.parent):
        temporary = Path(tempfile.gettempdir()).resolve()
        if link.parent.resolve().is_relative_to(temporary) and is_reachable(temporary):
            place = temporary / f"vaxledger-{secrets.token_hex(8)}"
        else:
            place = make_system_state() / f"{link.name}-{secrets.token_hex(8)}"
        make_private(place, account)
        link.symlink_to(place)
        _log.info("data-moved-out-of-private-home", path=place, part=link.name)
    return make_private(link.resolve(), account)


def token_of(home: Path) -> str:
    """A name for the server of this directory, which its processes show in the process table."""
    return f"vaxledger-{sha256(bytes(home)).hexdigest()[:12]}"


def processes_of(program: str, token: str) -> list[int]:
    """Pids of living processes of `program` with `token` in their command line.

    Both are readable for everyone, unlike a process's directory or executable, which even root
    may not see in a container. A zombie has no command line and is not alive.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().strip() != program:
                    continue
                if token.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # it ended while we looked
                continue
    return found


def end_leftovers(program: str, token: str, directory: Path, ask: signal.Signals) -> None:
    """End what an earlier owner left running on a directory whose lock we hold.

    Raises:
        LeftoverProcessError: something survived SIGKILL for most of a minute.
    """
    started = time.monotonic()
    asked: set[int] = set()
    while pids := processes_of(program, token):
        waited = time.monotonic() - started
        if waited > _PATIENCE_SECONDS:
            raise LeftoverProcessError(directory, pids)
        for pid in pids:
            if pid not in asked:
                _signal(pid, ask)
                asked.add(pid)
            elif waited > _ASKED_SECONDS:
                _signal(pid, signal.SIGKILL)
        time.sleep(0.01)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def wait_until_free(lock: Path) -> None:
    """Wait until no process holds the lock that a server and all its children inherit.

    Raises:
        LeftoverProcessError: somebody held it for a minute.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            lock_instance(lock).close()
        except DirectoryInUseError:
            if time.monotonic() > deadline:
                raise LeftoverProcessError(lock.parent, []) from None
            time.sleep(0.01)
        else:
            return
