"""Registers and roll-ups for any children, rows and reports: what must hold for all."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.roll_up.guards import broken_guard
from domain.roll_up.rates import row_ratios
from domain.roll_up.ratio import Ratio
from domain.roll_up.register import PupilCheck, dose_columns, subtotals
from domain.roll_up.report import Report, completeness, late_units, newest
from domain.roll_up.row import COUNTS, DoseCount, RollUpRow, institution_row, total
from domain.roll_up.row_case import read_row, write_row
from domain.roll_up.rules import RollUpRules
from domain.roll_up.transfer import Move, Movement, children_checked, counted_in
from domain.schedules.json_document import Node

RULES = RollUpRules.load()
GROUPS = RULES.requirements.groups
LEFT_OUT = RULES.requirements.left_out_of_makeup_rate

days = st.integers(0, 100).map(lambda days: date(2018, 9, 1) + timedelta(days))
doses = st.sampled_from(dose_columns(GROUPS))
counts = st.builds(DoseCount, st.integers(0, 99), st.integers(0, 99))


@st.composite
def children(draw):
    """A child as a check finds it: complete when nothing is missing or exempt."""
    missing = draw(st.dictionaries(doses, st.none() | days, max_size=5))
    exempt = draw(st.frozensets(doses, max_size=2)) - missing.keys()
    return PupilCheck(
        checked_on=draw(st.none() | days),
        has_certificate=draw(st.booleans()),
        complete=not missing and not exempt,
        reissued_on=draw(st.none() | days),
        missing=missing,
        exempt=frozenset(exempt),
    )


classes = st.lists(children(), max_size=6)
schools = st.lists(classes, max_size=3)


def school_row(school, unit="K"):
    enrolled = sum(len(found) for found in school)
    return institution_row(unit, enrolled, [subtotals(found, GROUPS) for found in school])


rows = st.builds(
    RollUpRow,
    st.sampled_from("ABC"),
    st.none(),
    *(st.integers(0, 1000) for _ in COUNTS),
    doses=st.dictionaries(
        st.sampled_from(sorted(GROUPS)),
        st.builds(DoseCount, st.integers(0, 99), st.integers(0, 99)),
    ),
)
reports = st.builds(Report, st.integers(1, 3), days, rows)


@given(schools)
def test_a_true_register_breaks_no_guard(school):
    """S-42: what is refused can come from no children."""
    assert broken_guard(school_row(school)) is None


@given(schools, st.randoms())
def test_neither_the_order_of_children_nor_their_classes_matter(school, random):
    everyone = [child for found in school for child in found]
    random.shuffle(everyone)
    assert school_row([everyone]) == school_row(school)


@given(schools, days)
def test_what_is_known_only_grows_with_the_days(school, day):
    """X-16: no later day takes back what an earlier register counted."""
    earlier, later = (
        school_row([[child.known_on(end) for child in found] for found in school])
        for end in (day, day + timedelta(7))
    )
    assert all(a <= b for a, b in zip(earlier.counts(), later.counts(), strict=True))
    assert all(later.doses[group].done >= count.done for group, count in earlier.doses.items())


@given(classes)
def test_cells_are_what_the_subtotals_count(found):
    """S-35, S-36."""
    counted = subtotals(found, GROUPS)
    cells = [
        (column, mark)
        for child in found
        if child.checked_on
        for column, mark in child.cells(GROUPS).items()
    ]
    due = [column for column, mark in cells if mark != "禁"]
    done = [column for column, mark in cells if mark not in "禁/"]
    assert {column: due.count(column) for column in due} == counted.missed
    assert {column: done.count(column) for column in done} == counted.made_up


@given(st.lists(rows, max_size=5), st.lists(rows, max_size=5))
def test_totals_are_sums_however_they_are_grouped(some, others):
    """S-39, S-52: township by township or all at once."""
    by_level = total([total(some), total(others)])
    at_once = total([*some, *others])
    assert by_level.counts() == at_once.counts()
    groups = by_level.doses.keys() | at_once.doses.keys()
    assert all(by_level.doses.get(g) == at_once.doses.get(g) for g in groups)
    pooled = row_ratios(at_once, LEFT_OUT)
    for name, ratio in pooled.items():
        parts = [row_ratios(row, LEFT_OUT)[name] for row in (*some, *others)]
        assert ratio == Ratio(sum(p.num for p in parts), sum(p.den for p in parts))


@given(rows)
def test_a_row_is_read_as_it_was_written(row):
    written = write_row(row, GROUPS)
    assert write_row(read_row(Node(written), GROUPS), GROUPS) == written


@given(rows, st.integers(0, 50), st.integers(0, 50))
def test_bcg_never_moves_the_make_up_rate(row, due, done):
    """X-13."""
    more = RollUpRow(
        row.unit, None, *row.counts(), doses={**row.doses, "BCG": DoseCount(due, done)}
    )
    name = "makeup_doses_excl_bcg"
    assert row_ratios(more, LEFT_OUT)[name] == row_ratios(row, LEFT_OUT)[name]


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 100))
def test_the_percentage_is_the_fraction_rounded_half_up(num, den, target):
    """S-50."""
    ratio = Ratio(num, den)
    exact, shown = Fraction(num, den) * 100, Fraction(ratio.percent())
    assert -Fraction(1, 200) < exact - shown < Fraction(1, 200) or shown - exact == Fraction(1, 200)
    assert ratio.reaches(Fraction(target, 100)) is (num * 100 >= target * den)


@given(st.lists(reports, max_size=8))
def test_a_unit_counts_once_whatever_it_hands_in(handed_in):
    """S-53."""
    counting = newest(handed_in)
    assert total(report.row for report in counting.values()).checked == sum(
        max(
            (report for report in handed_in if report.row.unit == unit),
            key=lambda report: (report.version, report.received_on, handed_in.index(report)),
        ).row.checked
        for unit in {one.row.unit for one in handed_in}
    )
    assert completeness(["A", "B", "A"], counting).den == 2
    assert completeness(["A", "B"], counting).num == len(counting.keys() & {"A", "B"})


@given(st.lists(reports, min_size=1, max_size=8), reports, days)
def test_handing_in_again_makes_nobody_late(handed_in, again, due):
    """X-24."""
    late = set(late_units(handed_in, due))
    after = late_units([*handed_in, again], due)
    known = {report.row.unit for report in handed_in}
    assert set(after) & known <= late


movements = st.lists(
    st.builds(
        Movement,
        days,
        st.sampled_from(Move),
        st.sampled_from(["K1", "K2"]),
        st.none(),
        st.just("C"),
    ),
    max_size=6,
)


@settings(max_examples=50)
@given(movements)
def test_a_child_is_counted_at_one_school_and_once(moves):
    """X-17."""
    home = counted_in(moves)
    assert (home is None) == (not any(each.move is not Move.LEFT for each in moves))
    assert children_checked(moves) == int(any(each.move is Move.CHECKED for each in moves))
