"""The supervisor with real servers and real kills, as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import psutil
import psycopg
import pytest

from bootstrap.embedded.postgres import EmbeddedPostgres
from bootstrap.supervisor import Supervisor, read_state
from tests.waiting import eventually

REPOSITORY = Path(__file__).resolve().parents[2]

# Both servers and a worker that counts in the database; the worker's child outlives it.
SERVE = dedent("""
    import sys
    from pathlib import Path
    from bootstrap.embedded.nats import EmbeddedNats
    from bootstrap.embedded.postgres import EmbeddedPostgres
    from bootstrap.errors import BootstrapError
    from bootstrap.logs import configure_logging
    from bootstrap.part import Program
    from bootstrap.supervisor import Supervisor

    configure_logging("INFO")
    data_dir = Path(sys.argv[1])
    try:
        supervisor = Supervisor(data_dir)
    except BootstrapError as error:
        sys.exit(str(error))
    postgres = EmbeddedPostgres(data_dir)
    nats = EmbeddedNats.prepare(data_dir)
    migrate = Program(
        name="migrate",
        argv=(sys.executable, "-c", sys.argv[2], postgres.url()),
        once=True,
        after=("postgres",),
    )
    worker = Program(
        name="worker",
        argv=(sys.executable, "-c", sys.argv[3], postgres.url(), f"{data_dir}/acked"),
        after=("migrate", "nats"),
    )
    supervisor.run(
        [*postgres.parts(), nats.part(), migrate, worker], lambda: print("ready", flush=True)
    )
""")
MIGRATE = dedent("""
    import sys, psycopg
    with psycopg.connect(sys.argv[1]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS beats (n bigserial PRIMARY KEY)")
""")
WORKER = dedent("""
    import signal, subprocess, sys, time, psycopg
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    subprocess.Popen(["sleep", "0.2"])
    acked = open(sys.argv[2], "a")
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        while True:
            cursor = connection.execute("INSERT INTO beats DEFAULT VALUES RETURNING n")
            print(cursor.fetchone()[0], file=acked, flush=True)
            time.sleep(0.01)
""")


@pytest.fixture
def place(servers_dir):
    place = servers_dir / str(time.monotonic_ns())
    place.mkdir()
    place.chmod(0o711)
    return place


class Serving:
    """One supervisor process."""

    def __init__(self, place):
        self.place = place
        self.log_path = place.with_suffix(".log")
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(place), MIGRATE, WORKER],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def until_ready(self):
        line = self.process.stdout.readline()
        assert line == "ready\n", self.log_path.read_text()

    def state(self):
        return read_state(self.place)

    def kill(self, name):
        """Kills the part once it runs: it may be between two starts with what it leans on."""

        def is_killed():
            part = self.state().parts[name]
            if not part.ready or part.pid is None:
                return False
            try:
                os.kill(part.pid, signal.SIGKILL)
            except ProcessLookupError:  # buried since it was written down
                return False
            killed.append(part.pid)
            return True

        killed = []
        eventually(is_killed)
        # What it tells is of before, until it has buried the part.
        eventually(lambda: self.state().parts[name].pid != killed[0])

    def log(self):
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(60)
        self.process.stdout.close()
        return self.process.returncode


@pytest.fixture
def serving(place):
    serving = Serving(place)
    yield serving
    if serving.process.poll() is None:
        serving.end()


def is_running(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def beats(place):
    server = EmbeddedPostgres.start(place)
    try:
        with psycopg.connect(server.url()) as connection:
            return {n for (n,) in connection.execute("SELECT n FROM beats")}
    finally:
        server.stop()


def test_a_cold_start_keeps_the_order(serving):
    serving.until_ready()
    events = [(line["event"], line.get("part")) for line in serving.log()]
    assert events.index(("part-ready", "postgres")) < events.index(("part-started", "migrate"))
    assert events.index(("part-ready", "migrate")) < events.index(("part-started", "worker"))


def test_a_signal_stops_the_parts_in_reverse_order_and_leaves_no_process(serving):
    serving.until_ready()
    pids = [part.pid for part in serving.state().parts.values() if part.pid]
    assert serving.end(signal.SIGINT) == 0
    stopped = [line["part"] for line in serving.log() if line["event"] == "part-stopped"]
    assert stopped == ["worker", "nats", "postgres"]
    eventually(lambda: not any(is_running(pid) for pid in pids))
    assert serving.state() is None


@pytest.mark.parametrize("name", ["postgres", "nats", "worker"])
def test_a_killed_part_is_back_and_the_others_stay(serving, name):
    serving.until_ready()
    before = serving.state().parts
    serving.kill(name)

    def is_back():
        part = serving.state().parts[name]
        return part.starts > before[name].starts and part.ready

    eventually(is_back)
    eventually(lambda: serving.state().ready)
    after = serving.state().parts
    assert after["migrate"].starts == 1
    if name != "postgres":  # the worker may end with its database
        untouched = {"postgres", "nats", "worker"} - {name}
        assert all(after[other].pid == before[other].pid for other in untouched)


def test_kills_of_anything_end_with_everything_running_and_every_acknowledged_row(place, serving):
    serving.until_ready()
    for n in range(12):
        seen = len(acked(place))
        eventually(lambda seen=seen: len(acked(place)) > seen)
        time.sleep(0.1 * (n % 4))
        serving.kill(("postgres", "nats", "worker")[n % 3])
    eventually(lambda: serving.state().ready)
    assert sum(part.starts for part in serving.state().parts.values()) >= 16
    assert serving.end() == 0
    assert len(acked(place)) >= 12
    assert acked(place) <= beats(place)


def acked(place):
    """What the worker wrote down as committed, whole lines only."""
    found = place / "acked"
    lines = found.read_text().splitlines(keepends=True) if found.exists() else []
    return {int(line) for line in lines if line.endswith("\n")}


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen parts"])
def test_kill_of_the_supervisor_ends_every_part_and_the_next_one_starts(place, serving, frozen):
    serving.until_ready()
    pids = [part.pid for part in serving.state().parts.values() if part.pid]
    if frozen:
        eventually((place / "acked").exists)  # the worker is past its first milliseconds
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    serving.end(signal.SIGKILL)
    if not frozen:
        eventually(lambda: not any(is_running(pid) for pid in pids))
    assert serving.state() is None
    again = Serving(place)
    again.until_ready()
    eventually(lambda: not any(is_running(pid) for pid in pids))
    assert again.end() == 0


def test_a_second_supervisor_says_in_one_line_that_one_is_running(place, serving):
    serving.until_ready()
    second = Serving(place)
    assert second.process.wait(60) == 1
    second.process.stdout.close()
    said = second.log_path.read_text()
    assert said.startswith("Another process already runs on this data directory")
    assert said.count("\n") == 1
    assert serving.state().ready


def test_orphans_of_a_dead_part_are_buried(serving):
    serving.until_ready()
    for _ in range(4):
        serving.kill("worker")

    def has_its_parts_alone():
        parts = serving.state().parts.values()
        children = psutil.Process(serving.process.pid).children()
        return {child.pid for child in children} == {part.pid for part in parts if part.pid}

    eventually(has_its_parts_alone)


SMALL = dedent("""
    import sys, time
    from pathlib import Path
    from bootstrap import supervisor
    from bootstrap.errors import BootstrapError
    from bootstrap.logs import configure_logging
    from bootstrap.part import Forked, Program
    from bootstrap.supervisor import Supervisor

    supervisor._STEADY_SECONDS = 60.0  # on a slow machine the start alone takes a second
    configure_logging()

    def part(name, *argv, **options):
        return Program(name=name, argv=argv, **options)

    steady = part("steady", "/bin/sleep", "60")
    try:
        Supervisor(Path(sys.argv[1])).run(eval(sys.argv[2]), lambda: print("ready", flush=True))
    except BootstrapError as error:
        sys.exit(str(error))
""")


def start_small(place, parts):
    return subprocess.Popen(
        [sys.executable, "-c", SMALL, str(place), parts],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "broken",
    [
        "part('broken', '/bin/false', ready=lambda: False)",
        "part('broken', '/no/such/program', ready=lambda: False)",
        "part('broken', '/bin/false', once=True)",
    ],
)
def test_a_part_that_never_starts_ends_everything_and_is_named(place, broken):
    supervisor = start_small(place, f"[steady, {broken}]")
    _, said = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 1
    assert "broken" in said.splitlines()[-1]
    assert "ready" not in said.splitlines()[-1]


def test_a_part_that_does_not_stop_is_killed_at_the_second_signal(place):
    trapped = place / "trapped"
    script = f"trap '' TERM; : > '{trapped}'; while :; do sleep 1; done"
    stubborn = f"part('stubborn', '/bin/sh', '-c', {script!r})"
    supervisor = start_small(place, f"[steady, {stubborn}]")
    assert supervisor.stdout.readline() == "ready\n"
    eventually(trapped.exists)
    supervisor.terminate()
    time.sleep(0.3)
    assert supervisor.poll() is None
    supervisor.terminate()
    supervisor.communicate(timeout=60)
    assert supervisor.returncode == 0


def test_forks_start_once_what_they_need_is_read_and_again_when_they_die(place):
    died = place / "died"
    work = (
        "Forked(name='forked', reads=('colorsys', 'this'), after=('first',), once=True, "
        "work=lambda: ("
        f"Path({str(died)!r}).exists() or (Path({str(died)!r}).touch(), sys.exit(1)), "
        f"Path({str(place / 'read')!r}).write_text(str('this' in sys.modules))))"
    )
    supervisor = start_small(place, f"[part('first', '/bin/true', once=True), {work}]")
    assert "ready\n" in iter(supervisor.stdout.readline, "")
    supervisor.terminate()
    supervisor.communicate(timeout=60)
    assert (place / "read").read_text() == "True"


def test_a_module_that_cannot_be_read_ends_everything_and_is_named(place):
    missing = "Forked(name='forked', reads=('no_such_module',), work=lambda: None)"
    supervisor = start_small(place, f"[steady, {missing}]")
    _, said = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 1
    assert "no_such_module" in said.splitlines()[-1]


def test_a_part_sees_no_signal_mask_of_the_supervisor(place):
    show = "part('show', '/bin/sh', '-c', 'grep -E \"Sig(Blk|Ign)\" /proc/self/status', once=True)"
    supervisor = start_small(place, f"[{show}]")
    lines = [supervisor.stdout.readline() for _ in range(3)]
    supervisor.terminate()
    supervisor.communicate(timeout=60)
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("Sig")]
    plain = subprocess.run(
        ["/bin/sh", "-c", 'grep -E "Sig(Blk|Ign)" /proc/self/status'],
        capture_output=True,
        text=True,
        check=True,
    )
    usual = [int(line.split()[1], 16) for line in plain.stdout.splitlines()]
    assert masks == [0, usual[1]], "nothing is blocked, nothing ignored beyond the usual"


def test_a_stale_state_file_is_nobodys(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    state = {"pid": dead.pid, "ready": True, "parts": {}}
    (tmp_path / "supervisor.json").write_text(json.dumps(state))
    assert read_state(tmp_path) is None
    assert read_state(tmp_path / "nowhere") is None


def test_a_disk_without_room_ends_no_installation(tmp_path):
    supervisor = Supervisor(tmp_path)
    obstacle = tmp_path / "supervisor.new"
    obstacle.mkdir()
    supervisor._write_state()
    assert read_state(tmp_path) is None
    obstacle.rmdir()
    supervisor._write_state()
    assert read_state(tmp_path) is not None
    supervisor.close()
