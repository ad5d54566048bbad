"""What the page on growth reckons from a run, and from what ran by itself."""

import json

import pytest

from benchmarks import kept, reckoning
from benchmarks.telling import LATEST, ROOT, told

DESK = "desk, signature checked beforehand, 256 callers"
VIEW = "GET certificate view"
AMONG = f"{VIEW}, among 1,040,026 children"
FACTS = {"date": "2026-11-22 10:00 UTC", "commit": "abc"}


def missed(name: str, wanted: str) -> dict:
    return {"what": name, "wanted": wanted, "measured": "1", "is_reached": False}


def row(name: str, group: str, median: float, **spent: float) -> dict:
    most = 2e6 / sum(spent.values())
    latency = {"p50": 4.0, "p99": 30.0}
    return {
        "name": name,
        "group": group,
        "median": median,
        "spent": spent,
        "most": most,
        "note": "",
        "latency": latency,
    }


def test_an_aim_is_set_against_what_the_cores_leave_for_one():
    run = {
        "aims": [missed(DESK, "5 × the library's best, 4,000"), missed(f"{VIEW}, p99", "10 ms")],
        "rows": [
            row(DESK, "appends", 1_700, generator=750, PostgreSQL=250),
            row(VIEW, "reads", 300, api=2_500, PostgreSQL=900),
            row("append, ready submissions, 256 callers", "appends", 7_000, generator=150),
            row("seal, encode, append, 256 callers", "appends", 3_000, generator=330),
            row("check signature, seal, encode, append, 256 callers", "appends", 1, generator=500),
        ],
    }
    text = reckoning.section(run)
    assert f"| {DESK} | 4,000 | 500 | 1,000 | generator, 750 µs: 300% full | 1,330 | 4.0 |" in text
    assert "a dose would take 820 µs where the aim leaves 500" in text
    assert "What would meet it: 4 cores or more, and 4 processes" in text
    assert "GET certificate view: the interface is 75% full at 300 a second; 2 processes" in text


def test_a_run_that_misses_nothing_has_nothing_to_reckon():
    assert reckoning.section({"aims": [], "rows": []}).startswith("Nothing")
    assert reckoning.steps({"aims": [], "rows": []}) == "Not measured yet."


def test_what_ran_by_itself_stands_on_the_page_with_its_day(tmp_path):
    population = {
        "facts": FACTS,
        "aims": [missed(f"{AMONG}, p99", "10 ms")],
        "rows": [row(AMONG, "population", 300, api=2_500)],
    }
    names = [f"append beside {size} entries, 256 callers" for size in ("10,000", "10,000,000")]
    tenmillion = {
        "facts": FACTS,
        "aims": [],
        "rows": [row(names[0], "tenmillion", 5_000, generator=1), row(names[1], "x", 4_100, api=1)],
    }
    sizes = {"half-way": 100.0, "at the end": 102.4, "at most": 103.0, "an hour": 2.4}
    facts = {**FACTS, "minutes": 60, "writes a second": 40.0, "reads a second": 20}
    memory = {"facts": facts, "parts": {"api": sizes}}
    for name, run in (("population", population), ("tenmillion", tenmillion), ("memory", memory)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "latest.json").write_text(json.dumps(run), encoding="utf-8")
    (tmp_path / "latest.json").write_bytes(LATEST.read_bytes())
    page = told(latest=tmp_path / "latest.json")[ROOT / "docs" / "growth.md"]
    assert f"| {VIEW} |  | 300 | 4.00 | 30.0 |" in page
    assert f"| {AMONG}, p99 | 10 ms | 1 |" in page
    assert "Beside 10,000,000 entries 4,100 a second" in page
    assert "82%. Measured by itself: 2026-11-22 10:00 UTC; abc." in page
    assert "60 minutes at 40 writes a second" in page
    assert "| api | 100 | 102 | 103 | +2.4 |" in page


@pytest.mark.parametrize("tell", [kept.population, kept.tenmillion, kept.memory])
def test_what_has_not_run_says_how_it_is_run(tell):
    assert "ot measured yet: `" in tell(None) or "not measured yet, `" in tell(None)
