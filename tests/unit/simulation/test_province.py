"""A simulated province: the same for ever, valid in form, and what the importers take."""

import json
from collections import Counter
from datetime import date, timedelta
from hashlib import sha256
from io import BytesIO
from itertools import islice
from uuid import UUID

import pytest

from client.class_rows import ClassList, Terms
from client.importing.parsing import read_dose, read_person
from domain.identity import IdNumber
from domain.schedules.catalogue import Catalogue
from domain.schedules.schedule import Schedule
from domain.vocabulary import SourceSystem
from simulation.child import child
from simulation.errors import SimulationRefused
from simulation.files import CLASS_LIST_HEADINGS, lines
from simulation.life import Happening, life
from simulation.province import Province
from simulation.years import years

SMALL = Province("1", 120, 7, date(2018, 9, 1))
WIDE = Province("1", 90_000, 2, date(2020, 1, 1))
TERMS = Terms(UUID(int=1), "419901100", 2024, "kindergarten", date(2024, 9, 1))
SCHEDULE = Schedule.load("cn-nip-2021")


@pytest.fixture(scope="module")
def files() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, line in lines(SMALL, SCHEDULE):
        found.setdefault(path, []).append(line)
    return found


def rows(files: dict[str, list[str]], folder: str) -> list[dict]:
    return [
        json.loads(line) for path, some in files.items() if path.startswith(folder) for line in some
    ]


def test_a_province_is_the_same_on_every_machine(files):
    digest = sha256()
    for path in sorted(files):
        digest.update(path.encode())
        digest.update("".join(files[path]).encode())
    assert digest.hexdigest() == (
        "5eaea9233e554fc32b268dbe334c04dd3efce02b3f5ae1f48f47a649b6955c7d"
    )


def test_another_seed_is_another_province():
    assert child(SMALL, 0) != child(Province("2", 120, 7, date(2018, 9, 1)), 0)


def test_what_happens_comes_in_order_of_days_and_each_life_in_order_of_its_own():
    seen: Counter[int] = Counter()
    last = SMALL.first_day
    for known, event in years(SMALL, SCHEDULE):
        assert last <= event.day < SMALL.last_day
        last = event.day
        assert life(SMALL, SCHEDULE, known)[seen[known.number]] == event
        seen[known.number] += 1
    assert seen == {
        number: len(life(SMALL, SCHEDULE, child(SMALL, number))) for number in range(120)
    }


def test_everybody_has_a_valid_number_of_their_own():
    numbers = set()
    for number in range(0, WIDE.children, 61):
        known = child(WIDE, number)
        assert IdNumber.parse(known.id_number).birth_date == known.birth_date
        assert IdNumber.parse(known.mother_id_number).sex == "female"
        numbers |= {known.id_number, known.mother_id_number}
    assert len(numbers) == 2 * len(range(0, WIDE.children, 61))


def test_children_live_in_every_clinic_of_every_county():
    assert (WIDE.counties, WIDE.clinics) == (3, 45)
    townships = Counter(WIDE.township(child(WIDE, n).clinic) for n in range(900))
    assert len(townships) == 45
    assert set(townships.values()) == {20}


def test_every_row_is_one_that_the_importer_takes(files):
    catalogue = Catalogue.load()
    for row in rows(files, "histories/"):
        values = {name: value for name, value in row.items() if name not in ("row", "person")}
        person = read_person(values)
        assert person is not None
        dose = read_dose(values, catalogue, SourceSystem.PROGRAMME)
        assert dose is not None
        assert person.birth_date <= date.fromisoformat(row["occurred_on"])


def test_a_mistake_is_the_row_again_with_another_lot(files):
    brought = {row["row"]: row for row in rows(files, "histories/")}
    mistakes = rows(files, "mistakes/")
    assert mistakes
    for right in mistakes:
        wrong = brought[right["row"]]
        assert {name for name in right if right[name] != wrong[name]} == {"lot"}


def test_every_class_list_is_one_that_a_school_could_bring(files):
    classes = {path: some for path, some in files.items() if path.startswith("classes/")}
    assert {path.split("-")[1] for path in classes} == {"kindergarten", "primary"}
    for some in classes.values():
        table = "".join([f"{CLASS_LIST_HEADINGS}\n", *some])
        pupils = list(ClassList(TERMS).read(BytesIO(table.encode())))
        assert len(pupils) == len(some)
        assert [pupil.fault for pupil in pupils] == [None] * len(some)


@pytest.mark.parametrize("name", ["cn-nip-2021", "cn-nip-2026"])
def test_nobody_is_given_a_vaccine_twice_on_a_day(name):
    schedule = Schedule.load(name)
    for number in range(120):
        events = life(SMALL, schedule, child(SMALL, number))
        doses = [(event.day, event.what) for event in events if event.kind is Happening.DOSE]
        assert len(set(doses)) == len(doses)


def test_some_doses_are_late_and_some_never_given():
    lives = [life(SMALL, SCHEDULE, child(SMALL, number)) for number in range(60)]
    third = [next((e for e in events if e.what == "HepB" and e.dose > 2), None) for events in lives]
    births = [events[0].day for events in lives]
    ages = [e.day - born for e, born in zip(third, births, strict=True) if e is not None]
    assert min(ages) >= timedelta(days=28)
    assert max(ages) > timedelta(days=60)
    assert all(event.kind in Happening for events in lives for event in events)


@pytest.mark.parametrize(
    ("children", "asked", "first_day"),
    [
        (0, 1, date(2018, 9, 1)),
        (1, 0, date(2018, 9, 1)),
        (1, 11, date(2018, 9, 1)),
        (100_000_001, 10, date(2018, 9, 1)),
        (1, 1, date(1949, 12, 31)),
        (1, 1, date(9_999, 1, 1)),
    ],
)
def test_a_province_for_which_numbers_or_days_do_not_last_is_refused(children, asked, first_day):
    with pytest.raises(SimulationRefused):
        Province("1", children, asked, first_day)


def test_in_the_largest_province_the_last_child_still_has_numbers():
    largest = Province("1", 499 * 99 * 365, 1, date(2017, 9, 1))
    last = child(largest, largest.children - 1)
    assert IdNumber.parse(last.id_number).birth_date == last.birth_date == date(2018, 8, 31)


def test_the_files_of_a_county_hold_what_happens_there_in_the_order_of_the_whole():
    two = Province("1", 40_000, 1, date(2020, 1, 1))
    assert two.counties == 2
    for county in range(two.counties):
        alone = islice(years(two, SCHEDULE, county), 200)
        among = (one for one in years(two, SCHEDULE) if one[0].number % two.counties == county)
        assert list(alone) == list(islice(among, 200))
