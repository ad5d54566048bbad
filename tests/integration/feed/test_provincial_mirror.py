"""The example mirror: through kill -9 its numbers are those that the log itself makes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from cli.conformance.log_server import TOKEN, LogServer
from cli.conformance.made_log import MadeLog
from client.access import Access
from client.credentials import Credentials
from examples.provincial_mirror.mirror import open_mirror, remembered, run
from examples.provincial_mirror.page import render
from ledger.entry import Author, Entry
from tests.crash.serving import free_port

ROOT = Path(__file__).parents[3]
ORIGIN = "mirror.example.cn/vax"
COUNTIES = ("410205001", "410203", "411702")
VACCINES = ("HepB", "BCG", "MMR")


def history(size, seed=20260901):  # noqa: C901  one branch for each kind of entry
    """A log of children who are registered, vaccinated, moved and corrected, in a drawn order."""
    chance = random.Random(seed)
    children, doses, struck, raws = [], [], [], []

    def write(topic, stream, data):
        raws.append(
            Entry(
                ORIGIN,
                f"vaccination-record.{topic}.v1",
                stream,
                1,
                chance.choice(COUNTIES),
                datetime(2026, 9, 1, tzinfo=UTC) + timedelta(milliseconds=len(raws)),
                Author(str(UUID(int=7)), "ab" * 32, f"{len(raws):064x}"),
                data,
                (),
            ).encode()
        )

    def drawn():
        return UUID(int=chance.getrandbits(128), version=4)

    while len(raws) < size:
        kind = chance.randrange(21)
        child = chance.choice(children) if children else None
        if child is None or kind < 4:
            children.append(drawn())
            data = {
                "kind": chance.choice(("child", "child", "child", "adult")),
                "division": chance.choice(COUNTIES),
                "birth_year": chance.choice((2020, 2021, 2022)),
                "roll": chance.choice(("active", "temporary")),
            }
            write("registered", children[-1], data)
        elif kind < 15:
            doses.append((drawn(), child))
            topic = chance.choice(("dose-administered", "dose-transcribed"))
            data = {"dose": str(doses[-1][0]), "vaccine": chance.choice(VACCINES)}
            write(topic, child, data)
        elif kind == 15:
            data = {"status": chance.choice(("active", "moved-out", "deceased"))}
            if chance.random() < 0.5:
                data["division"] = chance.choice(COUNTIES)
            write("roll-changed", child, data)
        elif kind == 16:
            write("identity-amended", child, {"birth_year": chance.choice((2020, 2021))})
        elif kind == 17:
            write("shred-requested", child, {})
        elif doses and kind == 18:
            dose, owner = chance.choice(doses)
            change = {"field": "vaccine", "before": "HepB", "after": chance.choice(VACCINES)}
            data = {"dose": str(dose), "changes": [change, {"field": "lot", "before": "1"}]}
            write("dose-corrected", owner, data)
        elif struck and kind == 19:
            doses.append(struck.pop())
            write("dose-reinstated", doses[-1][1], {"dose": str(doses[-1][0])})
        elif doses:
            struck.append(doses.pop(chance.randrange(len(doses))))
            write("dose-entered-in-error", struck[-1][1], {"dose": str(struck[-1][0])})
    return MadeLog(ORIGIN, tuple(raws))


def computed(log):  # noqa: C901  likewise
    """Coverage as the log makes it, child by child and without any of the mirror's code."""
    children, doses, struck = {}, defaultdict(dict), {}
    for raw in log.raws:
        entry = json.loads(raw)
        topic, record, data = entry["topic"].split(".")[1], entry["stream"], entry["data"]
        if topic == "registered" and data["kind"] == "child":
            children[record] = {"county": data["division"], "year": data["birth_year"], "on": True}
        elif topic in ("dose-administered", "dose-transcribed"):
            doses[record][data["dose"]] = data["vaccine"]
        elif topic == "dose-entered-in-error":
            struck[data["dose"]] = doses[record].pop(data["dose"])
        elif topic == "dose-reinstated":
            doses[record][data["dose"]] = struck.pop(data["dose"])
        elif topic == "dose-corrected":
            doses[record][data["dose"]] = data["changes"][0]["after"]
        elif topic == "roll-changed" and record in children:
            children[record]["on"] = data["status"] == "active"
            children[record]["county"] = data.get("division", children[record]["county"])
        elif topic == "identity-amended" and record in children:
            children[record]["year"] = data["birth_year"]
    cohorts, covered, given = Counter(), Counter(), Counter()
    for record, child in children.items():
        if child["on"]:
            place = child["county"][:6], child["year"]
            cohorts[place] += 1
            covered.update({(*place, vaccine) for vaccine in doses[record].values()})
            given.update((*place, vaccine) for vaccine in doses[record].values())
    return cohorts, {place: (covered[place], count) for place, count in given.items()}


def mirrored(database):
    with closing(open_mirror(database)) as db:
        cohorts = db.execute("SELECT county, birth_year, children FROM cohorts WHERE children <> 0")
        coverage = db.execute("SELECT * FROM coverage WHERE doses <> 0 OR covered <> 0")
        return (
            {(county, year): children for county, year, children in cohorts},
            {(county, year, one): (covered, n) for county, year, one, covered, n in coverage},
        )


def position(database):
    with closing(open_mirror(database)) as db:
        memory = remembered(db)
        return 0 if memory is None else memory.position


@pytest.fixture
def server():
    with closing(LogServer()) as serving:
        yield serving


@pytest.fixture
def access(server, tmp_path):
    """The files of a subscriber whose NATS does not answer: the log's server suffices."""
    Credentials("nats://127.0.0.1:1", "x", "x", "x", "_INBOX_x", ORIGIN, "").save(
        tmp_path / "credentials.json"
    )
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "log.vkey").write_bytes(MadeLog(ORIGIN).trust.policy.encode())
    names = {"credentials": "credentials.json", "token": "token", "trust": "log.vkey"}
    path = tmp_path / "access.json"
    path.write_text(json.dumps({**names, "log": server.url}))
    return path


def test_its_numbers_are_those_of_the_log(server, access, tmp_path):
    log = history(1_500)
    database = tmp_path / "mirror.sqlite"
    for size in (1, 700, 1_500):
        server.show(log.first(size))
        run(Access.load(access), database, until=size)
        cohorts, coverage = computed(log.first(size))
        assert mirrored(database) == (cohorts, coverage)
    assert len(coverage) > 20


def test_a_city_gets_its_own_even_where_its_token_shows_more(server, access, tmp_path):
    given = json.loads((tmp_path / "credentials.json").read_text())
    (tmp_path / "credentials.json").write_text(json.dumps(given | {"division": "4102"}))
    log = history(700)
    server.show(log)
    database = tmp_path / "mirror.sqlite"
    run(Access.load(access), database, until=700)
    with closing(open_mirror(database)) as db:
        assert db.execute("SELECT count(*) FROM alarms").fetchone() == (0,)
        assert 0 < db.execute("SELECT count(*) FROM doses").fetchone()[0] < 400
    assert position(database) == 700


@pytest.mark.parametrize(
    "sizes", [(300,), pytest.param(range(200, 2_001, 200), marks=pytest.mark.long)], ids=len
)
def test_kill_9_at_any_moment_costs_it_nothing(server, access, tmp_path, sizes):
    log = history(sizes[-1])
    database = tmp_path / "mirror.sqlite"
    command = [sys.executable, "-m", "examples.provincial_mirror", "run", access, database]
    deadline = time.monotonic() + 120
    for size in sizes:
        before = position(database)
        server.show(log.first(size))
        process = subprocess.Popen(list(map(str, command)), cwd=ROOT)
        try:
            while position(database) == before:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.01)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    run(Access.load(access), database, until=sizes[-1])
    assert mirrored(database) == computed(log)


def test_the_page_shows_one_county_in_chinese_first(server, access, tmp_path):
    database = tmp_path / "mirror.sqlite"
    with closing(open_mirror(database)) as db:
        assert "尚未收到任何记录" in render(db)
    server.show(history(400))
    run(Access.load(access), database, until=400)
    with closing(open_mirror(database)) as db:
        db.execute("INSERT INTO alarms VALUES ('forked', NULL, '<script>')")
        db.commit()
        page = render(db, "411702")
        assert render(db, "no such county").count("<option selected>410203") == 1
    assert "<option selected>411702</option>" in page
    assert page.index("省级镜像") < page.index("Provincial mirror")
    assert "<code>forked</code> × 1" in page
    assert "<script>" not in page
    children = mirrored(database)[0]["411702", 2020]
    assert f"2020<small>{children} 人</small>" in page


def test_the_page_is_served_on_loopback(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "examples.provincial_mirror", "serve", "m.sqlite", str(port)]
    path = {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=os.environ | path, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=60)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (
            httpx.get(f"http://127.0.0.1:{port}/x", trust_env=False, timeout=60).status_code == 404
        )
    finally:
        process.kill()
        process.communicate()
