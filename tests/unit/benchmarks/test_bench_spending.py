"""Whose processor time a turn takes."""

from benchmarks.report import spending_line
from benchmarks.rows import Row
from benchmarks.spending import GENERATOR, each, limit, shares, spent


def test_this_process_is_counted_as_what_measures():
    assert spent()[GENERATOR] > 0


def test_each_unit_takes_its_share_and_who_took_none_is_left_out():
    before = {"api": 1.0, "NATS": 2.0}
    taken = each(before, {"api": 1.5, "NATS": 2.0, "projector": 2.0}, 1_000)
    assert list(taken.items()) == [("projector", 2_000.0), ("api", 500.0)]
    assert shares(taken) == "projector 80%, api 20%"


def test_the_cores_carry_what_they_have_time_for(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert limit({"api": 300.0, "PostgreSQL": 200.0}) == 4_000


def test_a_line_says_the_floor_and_whose_it_is():
    row = Row("http", "a dose", "doses/s", (1.0,), spent={"api": 1_500.0}, most=1_333.3)
    assert spending_line(row.name, row.spent, row.most) == "| a dose | 1,500 | 1,330 | api 100% |"
