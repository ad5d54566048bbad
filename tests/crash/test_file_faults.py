"""Each file call of ours fails, or is the last one: EIO, ENOSPC, SIGKILL, one after the other.

`strace` lists the calls of a program between two marks, and then injects a fault into each.
"""

import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace"),
]

ROOT = Path(__file__).parents[2]
CALLS = "openat,write,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,flock"
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
BEGIN, END = "/begin-of-the-writing", "/end-of-the-writing"
OLD, NEW = "the old one, which is longer", "the new one"
DONE = "done"

PROGRAMS = {
    "a file of settings": """
        from bootstrap.durable import write_whole
        def write(path): write_whole(path, NEW)
    """,
    "the checkpoint outside": """
        from ledger.store.guarded_file import GuardedFile
        def write(path):
            guarded = GuardedFile(path, 0o600)
            with guarded.locked():
                guarded.replace(NEW.encode())
                guarded.settle()
    """,
    "a secret": """
        from bootstrap.secrets import keep
        def write(path): path.exists() or keep(path, NEW)
    """,
}
RUN = """
import contextlib, os, sys
from pathlib import Path
NEW = {new!r}
{program}
for mark in ({begin!r}, {end!r}):
    with contextlib.suppress(OSError):
        os.close(os.open(mark, os.O_RDONLY))
    if mark == {begin!r}:
        write(Path(sys.argv[1]))
print({done!r})
"""


def run(program: str, path: Path, log: Path, *inject: str) -> subprocess.CompletedProcess[str]:
    source = RUN.format(
        new=NEW, program=textwrap.dedent(PROGRAMS[program]), begin=BEGIN, end=END, done=DONE
    )
    return subprocess.run(
        ["strace", "-qq", "-o", str(log), "-e", f"trace={CALLS}", *inject,
         sys.executable, "-c", source, str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def calls_of(log: Path) -> Iterator[tuple[str, int]]:
    """Name and number of each call between the marks; numbers count calls of a name."""
    counted: Counter[str] = Counter()
    is_ours = False
    for line in log.read_text().splitlines():
        found = re.match(r"(\w+)\(", line)
        if found is None:
            continue
        counted[found[1]] += 1
        if BEGIN in line or END in line:
            is_ours = BEGIN in line
        elif is_ours:
            yield found[1], counted[found[1]]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_file_is_the_old_one_or_the_new_one_whatever_fails(program: str, tmp_path: Path):
    log = tmp_path / "log"
    existed = program != "a secret"

    def fresh(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        if existed:
            (folder / "file").write_text(OLD)
        return folder / "file"

    clean = run(program, fresh("clean"), log)
    assert clean.stdout.split() == [DONE], clean.stderr
    calls = list(calls_of(log))
    assert {"openat", "write", "fsync"} <= {name for name, _ in calls}
    for number, (name, at) in enumerate(calls):
        for fault in FAULTS:
            path = fresh(f"{number} {fault}")
            struck = run(program, path, log, "-e", f"inject={name}:{fault}:when={at}")
            what = (program, name, at, fault, struck.stderr[-300:])
            text = path.read_text() if path.exists() else None
            assert text in {NEW, OLD if existed else None}, what
            if DONE in struck.stdout:
                assert text == NEW, what
            is_killed = fault.startswith("signal")
            left = {one.name for one in path.parent.iterdir()} - {"file", "file.lock", "file.new"}
            assert is_killed or name.startswith("unlink") or left == set(), what
            again = run(program, path, log)
            assert again.stdout.split() == [DONE], (what, again.stderr)
            assert path.read_text() == NEW, what
