"""The loop: batches, positions, poison, kills, rebuilds and digests, on real PostgreSQL."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.errors import RebuildRunning, UnknownProjection
from projections.lots import Lot
from workers.projector import run

NAMES = (
    *("organisations", "records", "doses", "certificates", "credentials", "school_checks"),
    *("bookings", "corrections", "reports", "data_quality"),
    "people",
)
HERE = Path(__file__)
ROOT = HERE.parents[3]


def digests(projector) -> dict[str, tuple[int, str]]:
    return {name: projector.digest(name) for name in NAMES}


def tell(story, children: int = 12) -> None:
    """A story in which every projection has something to do."""
    story.school("K1", "410204001")
    story.open_supply("supply", children, 1)
    for number in range(children):
        name = f"child {number}"
        story.hold(f"{name} booking", "supply", 1, number + 1)
        story.confirm(f"{name} booking", f"{number:012}")
        story.register(name)
        story.dose(name, f"{name} d1")
        story.dose(name, f"{name} d2", "PV")
        story.correct(name, f"{name} d1", lot="NEW")
        story.enrol(name, "K1", "小班", number + 1)
        story.check(name, "K1", complete=False, missing={"PV": [3, 4]}, exempt={"DT": [1]})
        story.recheck(name, "K1", {("PV", 3): "2018-10-01"}, completed=False)
        story.ask_correction(name, f"{name} d2", f"{name} correction")
        story.decide_correction(f"{name} correction", "verified")
        story.strike(name, f"{name} d2")
        story.happen(f"{name} booking", "cancelled", reason="cannot-come", derived={})
        story.sleep(days=number % 3)


def poison(story, stream: str = "poisoned") -> int:
    """A correction of a dose that the stream never had."""
    return story.correct(stream, "no such dose", lot="X")


def test_only_what_a_checkpoint_covers_is_applied(house, story):
    tell(story, 3)
    story.publish()
    with psycopg.connect(house.log_url) as log:
        log.execute("UPDATE ledger.checkpoint SET published = 5")
    projector = house.projector()
    projector.catch_up()
    assert set(projector.positions().values()) == {5}


def test_batches_of_any_size_give_the_same_digests(house, make_house):
    digests_of = []
    for batch_limit in (1000, 7, 1):
        one = make_house()
        tell(one.story, 4)
        one.story.publish()
        projector = one.projector(batch_limit=batch_limit)
        projector.catch_up()
        digests_of.append(digests(projector))
    assert digests_of[0] == digests_of[1] == digests_of[2]


def test_running_again_changes_nothing(house, story):
    tell(story)
    house.project()
    projector = house.projector()
    before = digests(projector)
    assert projector.round().entries == 0
    assert digests(projector) == before


def test_two_projectors_at_once_apply_each_entry_once(house, story, make_house):
    tell(story, 30)
    story.publish()
    threads = [threading.Thread(target=house.projector(batch_limit=5).catch_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other = make_house()
    tell(other.story, 30)
    other.project()
    assert digests(house.projector()) == digests(other.projector())


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuilt_projection_has_the_digest_of_the_live_one(house, story, name):
    tell(story)
    house.project()
    projector = house.projector()
    before = digests(projector)
    steps = []
    assert projector.rebuild(name, progress=lambda *step: steps.append(step)) == story.size
    assert steps[-1] == (story.size, story.size)
    assert digests(projector) == before


def test_a_rebuild_repairs_what_was_tampered_with_and_readers_still_may_read(house, story, views):
    tell(story)
    house.project()
    projector = house.projector()
    before = digests(projector)
    with psycopg.connect(house.log_url) as log:
        log.execute("SET ROLE vaxledger_project")
        log.execute("UPDATE views.doses SET lot = 'FORGED'")
    assert projector.digest("doses") != before["doses"]
    assert views.lots.doses(Lot("北京生物", "NEW"), story.today) == []  # plans are cached now
    projector.rebuild("doses")
    assert digests(projector) == before
    assert len(views.lots.doses(Lot("北京生物", "NEW"), story.today)) == 12
    story.register("later")
    story.dose("later", "later d1")
    house.project()
    assert len(views.doses.of_record(story.id("later"), story.today)) == 1


def test_a_rebuild_follows_a_log_that_grows_meanwhile(house, story):
    tell(story)
    house.project()
    live, rebuilding = house.projector(), house.projector()

    def grow(position: int, _published: int) -> None:
        if position < 300:
            story.register(f"new {position}")
            story.dose(f"new {position}", f"dose {position}")
            story.publish()
            live.catch_up()

    rebuilding.rebuild("records", "doses", "people", progress=grow)
    live.catch_up()
    before = digests(live)
    rebuilding.rebuild(*NAMES)
    assert digests(live) == before


def test_what_a_killed_rebuild_left_is_removed_by_the_next(house, story):
    tell(story)
    house.project()
    projector = house.projector()
    before = digests(projector)

    def die(_position: int, _published: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        projector.rebuild("doses", progress=die)
    assert digests(projector) == before
    projector.rebuild("doses")
    assert digests(projector) == before


def test_one_rebuild_of_a_projection_at_a_time(house, story):
    tell(story)
    house.project()
    first, second = house.projector(), house.projector()

    def meanwhile(_position: int, _published: int) -> None:
        with pytest.raises(RebuildRunning):
            second.rebuild("doses")

    first.rebuild("doses", progress=meanwhile)


def test_a_poisoned_stream_is_parked_and_the_others_go_on(house, story, views):
    story.register("poisoned")
    story.register("healthy")
    story.dose("poisoned", "p1")
    bad = poison(story)
    story.dose("poisoned", "p2")
    story.dose("healthy", "h1")
    story.publish()
    projector = house.projector()
    done = projector.round()
    (parked,) = done.parked
    assert (parked.name, parked.stream, parked.position) == ("doses", story.id("poisoned"), bad)
    assert parked.error == "UnknownSubject"
    assert set(projector.positions().values()) == {story.size}
    assert len(views.doses.of_record(story.id("healthy"), story.today)) == 1
    assert len(views.doses.of_record(story.id("poisoned"), story.today)) == 1
    assert len(views.records.timeline([story.id("poisoned")])) == 4
    story.dose("poisoned", "p3")
    story.publish()
    assert projector.round().parked == ()
    assert len(views.doses.of_record(story.id("poisoned"), story.today)) == 1
    assert projector.parked() == [parked]


def test_poison_of_every_kind_is_told_from_a_broken_database(house, story):
    story.register("a")
    story.dose("a", "d", occurred_on="2018-02-30")  # refused by PostgreSQL
    story.dose("b", "d2", dose_number="many")
    story.register("c")
    story.register("c")  # twice the same key
    del_effective = story.dose("e", "d4", derived={})
    story.publish()
    projector = house.projector()
    errors = {(parked.name, parked.stream): parked.error for parked in projector.round().parked}
    assert errors["doses", story.id("a")] == "DatetimeFieldOverflow"
    assert errors["doses", story.id("b")] == "InvalidTextRepresentation"
    assert errors["records", story.id("c")] == "UniqueViolation"
    assert errors["doses", story.id("e")] == "KeyError"
    assert projector.positions()["doses"] == del_effective


def test_parked_streams_follow_again_once_the_code_can_apply_them(house, story, monkeypatch):
    from projections import dose_rows
    from projections.pieces import Pieces

    tell(story, 3)
    story.publish()
    projector = house.projector()

    def refuse(*_arguments: object) -> None:
        raise ValueError

    with monkeypatch.context() as broken:
        broken.setattr(Pieces, "end", refuse)
        projector.catch_up()
    assert len(projector.parked()) == 3
    assert projector.parked()[0].name == dose_rows.NAME
    with monkeypatch.context() as broken:
        broken.setattr(Pieces, "end", refuse)
        assert projector.retry("doses") == 0
    assert len(projector.parked()) == 3
    assert projector.retry("doses") == 3
    assert projector.parked() == []
    live = projector.digest("doses")
    projector.rebuild("doses")
    assert projector.digest("doses") == live


def test_a_rebuild_parks_anew(house, story):
    story.register("poisoned")
    poison(story)
    story.publish()
    projector = house.projector()
    projector.catch_up()
    parked = projector.parked()
    projector.rebuild("doses")
    assert projector.parked() == parked


def test_an_unreachable_key_database_does_not_hold_up_the_log_database(house, story):
    tell(story, 2)
    story.publish()
    projector = house.projector()
    keys = projector._keys
    keys.url, reachable = keys.url.replace("/vaxledger_keys_", "/no_such_"), keys.url
    with pytest.raises(psycopg.OperationalError):
        projector.round()
    assert projector._log.positions()["doses"] == story.size
    keys.url = reachable
    projector.catch_up()
    assert set(projector.positions().values()) == {story.size}


def test_personal_values_are_in_no_table_of_the_log_database(house, story):
    story.register("张三丰", phone="13912345678")
    house.project()
    with psycopg.connect(house.log_url) as log:
        log.execute("SET ROLE vaxledger_project")
        tables = log.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('views', 'views_rebuild')"
        ).fetchall()
        content = "".join(
            str(log.execute(f"SELECT * FROM {table}").fetchall()) for (table,) in tables
        )
    assert "410204001" in content
    assert "张三丰" not in content
    assert "13912345678" not in content


def test_the_reading_role_cannot_write_and_the_projecting_role_cannot_touch_the_log(house):
    for role, statement in (
        ("vaxledger_read", "UPDATE views.positions SET position = 0"),
        ("vaxledger_read", "CREATE TABLE views.mine (x int)"),
        ("vaxledger_project", "DELETE FROM ledger.entries"),
        ("vaxledger_project", "SELECT * FROM ledger.blobs"),
    ):
        with psycopg.connect(house.log_url) as log:
            log.execute(f"SET ROLE {role}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                log.execute(statement)


def test_readers_can_tell_how_far_each_projection_is(house, story, views):
    tell(story, 2)
    house.project()
    assert [views.positions.position(name) for name in NAMES] == [story.size] * len(NAMES)
    with pytest.raises(UnknownProjection):
        views.positions.position("nonsense")


def test_an_unknown_projection_is_named(house):
    with pytest.raises(UnknownProjection, match="nonsense"):
        house.projector().rebuild("nonsense")


def test_the_worker_follows_the_log_and_tells_waiters(house, story):
    stop = threading.Event()
    worker = threading.Thread(target=run, args=(house.projector(), house.log_url, stop))
    with psycopg.connect(house.log_url, autocommit=True) as waiter:
        waiter.execute("LISTEN vaxledger_projected")
        worker.start()
        tell(story, 2)
        size = story.publish()
        waiter.execute("NOTIFY vaxledger_published")
        told = set()
        deadline = time.monotonic() + 60
        while len(told) < len(NAMES) and time.monotonic() < deadline:
            told |= {note.payload for note in waiter.notifies(timeout=1, stop_after=1)}
    stop.set()
    worker.join()
    assert told == {f"{name} {size}" for name in NAMES}


_PROJECT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("story", sys.argv[1])
story = importlib.util.module_from_spec(spec)
spec.loader.exec_module(story)
from ledger.store.connections import open_pool
from ledger.store.reading import LogReader
from projections.loop import Projector
with open_pool(sys.argv[2], "vaxledger_read", size=1) as pool:
    reader = LogReader(pool)
    projector = Projector(
        reader, sys.argv[2], sys.argv[3], story.BlobOpener(reader), batch_limit=int(sys.argv[4])
    )
    print("ready", flush=True)
    while projector.round().entries:
        print("round", flush=True)
"""


def test_kill_9_in_the_middle_of_batches_loses_and_doubles_nothing(house, story, make_house):
    tell(story, 150)
    story.publish()
    arguments = [str(HERE.with_name("conftest.py")), house.log_url, house.keys_url, "40"]
    for kill in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", _PROJECT, *arguments],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        ) as process:
            assert process.stdout is not None
            for _ in range(1 + kill):  # `ready`, then rounds
                process.stdout.readline()
            time.sleep(0.003 * kill)
            process.send_signal(signal.SIGKILL)
    projector = house.projector(batch_limit=50)
    positions = projector.positions()
    assert 0 < max(positions.values()) < story.size
    projector.catch_up()
    live = digests(projector)
    for name in NAMES:
        projector.rebuild(name)
    assert digests(projector) == live
    other = make_house()
    tell(other.story, 150)
    other.project()
    assert digests(other.projector()) == live


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(
            ["register", "dose", "correct", "now", "strike", "enrol", "check", "recheck", "sleep"]
        ),
        st.integers(0, 2),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=25,
)


def act(story, known: set[str], what: str, who: int, which: int) -> None:
    """Do one thing; things that make no sense are left in, they park."""
    name, dose = f"r{who}", f"r{who} d{which}"
    once = {"register": name, "dose": dose, "enrol": f"e{who}"}.get(what)
    if once in known:
        return
    if once is not None:
        known.add(once)
    deeds: dict[str, Callable[[], object]] = {
        "register": lambda: story.register(name),
        "dose": lambda: story.dose(name, dose),
        "correct": lambda: story.correct(name, dose, lot=f"lot {story.size}"),
        "now": lambda: story.correct(name, dose, immediate=True, lot=f"lot {story.size}"),
        "strike": lambda: story.strike(name, dose),
        "enrol": lambda: story.enrol(name, "K1", "小班", who),
        "check": lambda: story.check(
            name, "K1", complete=False, missing={"PV": list(range(1, which + 2))}
        ),
        "recheck": lambda: story.recheck(
            name, "K1", {("PV", which + 1): "2018-10-01"}, completed=which == 0
        ),
        "sleep": lambda: story.sleep(days=1),
    }
    deeds[what]()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(commands=COMMANDS)
def test_live_in_any_batches_and_rebuilt_agree(make_house, commands):
    one = make_house()
    known: set[str] = set()
    projector = one.projector(batch_limit=4)
    for what, who, which, publish in commands:
        act(one.story, known, what, who, which)
        if publish:
            one.story.publish()
            projector.round()
    one.story.publish()
    projector.catch_up()
    live, parked = digests(projector), projector.parked()
    for name in NAMES:
        projector.rebuild(name)
    assert digests(projector) == live
    assert projector.parked() == parked
