"""The arithmetic of the benchmarks; never how fast anything is."""

import asyncio
import json
from itertools import repeat
from xml.etree import ElementTree as ET

import pytest

from benchmarks.aims import judge
from benchmarks.contest import Contestant, Pace, hold
from benchmarks.limits import table
from benchmarks.measuring import Measured, alone, arrivals, tasks, threads
from benchmarks.report import RESULTS, document, headline, markdown, place, write
from benchmarks.rows import (
    Book,
    Failure,
    Row,
    middle,
    number_text,
    paired_ratio,
    percentile,
    percentiles,
    ratio_text,
)
from benchmarks.svg import Series, bars, percentile_lines
from benchmarks.telling import LATEST, ROOT, told


def row(name: str, *values: float | None, beside: str = "", group: str = "floors", **more) -> Row:
    return Row(group, name, "events/s", values, beside, **more)


def test_a_median_leaves_failed_rounds_out():
    assert middle([3.0, None, 1.0, 8.0]) == 3.0
    assert middle([None]) is None


def test_a_ratio_is_the_median_of_rounds_side_by_side():
    # The second round was disturbed: both were slow in it, and the ratio does not see it.
    assert paired_ratio([100.0, 10.0, 120.0], [50.0, 5.0, 40.0]) == 2.0


def test_a_ratio_of_rows_with_other_rounds_divides_the_medians():
    assert paired_ratio([100.0, 300.0, 200.0], [50.0]) == 4.0
    assert paired_ratio([], [1.0]) is None


@pytest.mark.parametrize("others", [[None, None], [0.0, 0.0]])
def test_there_is_no_ratio_to_nothing(others):
    assert paired_ratio([1.0, 2.0], others) is None


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (10, 1), (11, 2), (50, 5), (90, 9), (99, 10), (100, 10)]
)
def test_a_percentile_is_a_value_that_was_measured(share, expected):
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], share) == expected


def test_latencies_are_milliseconds_in_any_order():
    found = percentiles([0.003, 0.001, 0.002])
    assert found == {50.0: 2.0, 90.0: 3.0, 99.0: 3.0, 99.9: 3.0}
    assert percentiles([]) == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1_234_567.0, "1,230,000"),
        (40_087.0, "40,100"),
        (999.6, "1,000"),
        (123.4, "123"),
        (12.34, "12.3"),
        (1.234, "1.23"),
        (0.0456, "0.046"),
    ],
)
def test_numbers_have_three_digits(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, ""), (8.0, "× 8.00"), (0.25, "25 %")])
def test_small_ratios_are_percentages(value, text):
    assert ratio_text(value) == text


def test_one_failing_row_does_not_cost_the_others():
    book = Book()

    def fail(_seconds: float) -> Measured:
        raise OSError("disk full\nand more")

    hold(
        book,
        "floors",
        Pace(rounds=2),
        [
            Contestant("broken", "events/s", fail),
            Contestant("sound", "events/s", lambda _: Measured(30, 2.0)),
        ],
    )
    assert [(one.name, one.values) for one in book.rows] == [("sound", (15.0, 15.0))]
    assert book.failures == [Failure("floors", "broken", "OSError: disk full")]


def test_a_contest_goes_forth_and_back():
    order: list[str] = []

    def entered(name: str, **more: int) -> Contestant:
        return Contestant(
            name, "events/s", lambda _: order.append(name) or Measured(1, 1.0), **more
        )

    once = entered("once", turns=1)
    hold(Book(), "floors", Pace(rounds=3), [entered("a"), once, entered("b")])
    assert order == ["a", "once", "b", "b", "a", "a", "b"]


def test_no_round_begins_when_the_time_is_over():
    book = Book()
    one = Contestant("one", "events/s", lambda _: Measured(1, 1.0))
    hold(book, "floors", Pace(rounds=3, until=0.0), [one])
    assert book.rows[0].values == (1.0,)


def test_what_runs_out_ends_before_its_time():
    left = iter([5, 5, 0])
    measured = alone(lambda: next(left), 60)
    assert measured.count == 10
    assert len(measured.latencies) == 2


def test_threads_add_up_and_an_error_is_not_lost():
    left = iter([*repeat(1, 7), *repeat(0, 100)])
    assert threads([lambda: next(left)] * 3, 60).count == 7
    with pytest.raises(ZeroDivisionError):
        threads([lambda: 1 // 0], 60)


def test_tasks_and_arrivals_count_every_answer():
    left = iter([*repeat(2, 5), *repeat(0, 100)])

    async def step() -> int:
        await asyncio.sleep(0)
        return next(left)

    async def answer() -> int:
        await asyncio.sleep(0.001)
        return 1

    assert asyncio.run(tasks(step, 4, 60)).count == 10
    measured = asyncio.run(arrivals(answer, 1_000, 0.05))
    assert (measured.count, len(measured.latencies)) == (50, 50)


def test_the_table_shows_a_row_beside_its_limit():
    book = Book(rows=[row("limit", 100.0, 100.0), row("ours", 80.0, 60.0, beside="limit")])
    book.failures.append(Failure("http", "doses", "OSError: no port"))
    text = markdown(book)
    assert "| ours | 70.0 events/s | 60.0 to 80.0 | × 0.7 limit |" in text
    assert "- doses: OSError: no port" in text
    assert document(book)["rows"][1]["ratio"] == pytest.approx(0.7)


def test_an_aim_says_whether_it_was_reached():
    rows = [row("integrate into PostgreSQL", 49_000.0), row("verify a copy, hashes only", 3e5)]
    reached = {aim.what: aim.is_reached for aim in judge(Book(rows=rows))}
    assert reached == {"integrate into PostgreSQL": False, "verify a copy, hashes only": True}
    assert headline(Book(rows=rows)) == "1 of 2 aims reached"


def test_a_run_is_written_with_its_plots(tmp_path):
    latency = {50.0: 1.0, 90.0: 2.0, 99.0: 20.0, 99.9: 90.0}
    rows = [
        row("plain INSERT, 8 callers", 5.0, group="appends", callers=8),
        row("append of the bare entry", 5.0, group="prices"),
        row("HTTP dose", 5.0, group="http", latency=latency),
    ]
    write(Book(rows=rows), tmp_path)
    assert json.loads((tmp_path / "latest.json").read_text())["rows"][2]["latency"]["p99"] == 20.0
    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert drawn == ["appends.svg", "http.svg", "prices.svg"]
    for name in drawn:
        ET.parse(tmp_path / name)
        assert f"]({name})" in (tmp_path / "latest.md").read_text(encoding="utf-8")


def test_a_longer_bar_is_a_larger_value_and_text_is_escaped():
    drawn = ET.fromstring(bars("a < b", "x", [Series("s", {"one": 50.0, "two": 100.0})]))
    rects = [one for one in drawn if one.tag.endswith("rect")][1:]
    assert float(rects[1].get("width")) == pytest.approx(2 * float(rects[0].get("width")), rel=0.01)
    assert "a < b" in next(one.text for one in drawn if one.tag.endswith("text"))


def test_a_slower_percentile_is_drawn_higher():
    drawn = ET.fromstring(percentile_lines("t", [("s", {50.0: 1.0, 99.0: 100.0})]))
    line = next(
        one for one in drawn if one.tag.endswith("polyline") and one.get("stroke-width") == "2"
    )
    (_, fast), (_, slow) = (spot.split(",") for spot in line.get("points").split())
    assert float(slow) < float(fast)


def test_readme_and_the_page_on_growth_say_what_the_last_run_measured():
    """`make bench` writes them, and so does `benchmarks.telling.tell`."""
    for path, text in told().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_what_runs_by_itself_stands_below_the_whole_run_with_its_day(tmp_path):
    whole = json.loads(LATEST.read_text(encoding="utf-8"))
    (tmp_path / "latest.json").write_text(json.dumps(whole), encoding="utf-8")
    aim = {"what": "the rush, p99", "wanted": "2 s", "measured": "900 ms", "is_reached": True}
    alone = {"facts": {"date": "2026-11-22 04:00 UTC"}, "aims": [aim]}
    (tmp_path / "opening").mkdir()
    (tmp_path / "opening" / "latest.json").write_text(json.dumps(alone), encoding="utf-8")
    readme = told(latest=tmp_path / "latest.json")[ROOT / "README.md"]
    last = "| the rush, p99, by itself, 2026-11-22 04:00 UTC | 2 s | 900 ms | yes |\n"
    assert f"{last}<!-- /measured -->" in readme


@pytest.mark.parametrize(
    ("only", "quick", "quiet", "failures", "where"),
    [
        ([], False, 19, [], ""),
        (["opening"], False, 19, [], "opening"),
        ([], False, 18, [], "apart"),
        (["opening"], False, 18, [], "apart"),
        ([], True, 20, [], "apart"),
        (["http"], False, 20, [], "apart"),
        (["http", "opening"], False, 20, [], "apart"),
        ([], False, 20, [Failure("http", "a dose", "refused")], "apart"),
    ],
)
def test_only_a_whole_run_of_a_quiet_machine_is_told(only, quick, quiet, failures, where):
    book = Book(turns=20, quiet_turns=quiet, failures=failures)
    assert place(book, only, is_quick=quick) == RESULTS / where


def test_a_missed_aim_stands_beside_its_limit_and_what_that_is_made_of():
    missed = {"what": "a dose, p99", "wanted": "5 ms", "measured": "9 ms", "is_reached": False}
    reached = {"what": "a read", "wanted": "1", "measured": "2", "is_reached": True}
    rows = [{"name": "a dose", "spent": {"api": 750.0, "PostgreSQL": 250.0}, "most": 2_000.0}]
    text = table({"aims": [missed, reached], "rows": rows})
    line = "| a dose, p99 | 5 ms | 9 ms | 1,000 | 2,000/s | api 75%, PostgreSQL 25% | – |"
    assert text.splitlines()[2:] == [line]
