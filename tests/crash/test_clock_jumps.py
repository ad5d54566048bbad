"""The clocks of real processes jump while clinics write: the API's and every worker's."""

import mmap
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bootstrap.settings import Settings
from tests.crash.campaign import Strike, databases_of, plan
from tests.crash.serving import OWN_PROCESSES, Installation, free_port
from tests.crash.test_main_job import fight

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]

STRIKES = 2 * len(OWN_PROCESSES)
LONGEST_SECONDS = 6.0
DAY = 86_400
JUMPS = (DAY, -DAY)
OF_THE_API = (7_200, -45)
"""Tokens are good for six hours, and believed a minute before they were issued."""
_PIDS, _INT = 1 << 22, struct.Struct("=i")


class OnShiftedClocks(Installation):
    """An installation each of whose processes can be given another time."""

    def __init__(self, settings: Settings, table: mmap.mmap) -> None:
        super().__init__(settings)
        self._table = table
        self._jumped: dict[str, int] = {}

    def strike_surely(
        self, kind: str, give_up: threading.Event, *, frozen: float = 0.0
    ) -> int | None:
        """Set the clock of a part wrong for some seconds, forwards and backwards by turns."""
        pid = self.pid_of(kind)
        if pid is None:
            return None
        turn = self._jumped[kind] = self._jumped.get(kind, -1) + 1
        self._set(pid, (OF_THE_API if kind == "api" else JUMPS)[turn % 2])
        give_up.wait(frozen)
        self._set(pid, 0)
        return pid

    def _set(self, pid: int, seconds: int) -> None:
        _INT.pack_into(self._table, pid * _INT.size, seconds)


@pytest.fixture
def installation(
    servers_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OnShiftedClocks]:
    library, table = servers_dir / "shifted_clocks.so", servers_dir / "shifted_clocks"
    source = Path(__file__).with_name("shifted_clocks.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    with table.open("w+b") as file:
        file.truncate(_PIDS * _INT.size)
        shared = mmap.mmap(file.fileno(), 0)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("SHIFTED_CLOCKS", str(table))
    settings = Settings(data_dir=servers_dir / f"clocks-{time.monotonic_ns()}", port=free_port())
    installation = OnShiftedClocks(settings, shared)
    yield installation
    installation.stop()
    shared.close()


def test_parts_whose_clocks_jump_lose_and_double_nothing(
    installation: OnShiftedClocks, seed: int, record_property
):
    strikes: list[Strike] = plan(seed, 2_000, STRIKES, OWN_PROCESSES, frozen=LONGEST_SECONDS)
    fight(installation, strikes, seed, record_property)
    assert "ClockApart" in installation.log(), "nobody noticed"
    databases = databases_of(installation)
    known = [at for (at,) in databases.log("SELECT known_at FROM ledger.entries ORDER BY position")]
    assert known == sorted(known)
    assert known[-1] <= datetime.now(UTC)
