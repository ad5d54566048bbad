"""Registers and roll-ups handed in (S-14, S-17, S-42, S-53, X-1, X-24)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.filing import NotTheReporter, StateUnknown
from domain.organisation import InstitutionType, OrganisationKind, Ownership
from domain.register_report import RegisterReport
from domain.roll_up.guards import ImpossibleCounts
from domain.roll_up.rules import Level, RegisterEdition, RollUpRules
from domain.roll_up_report import Counts, GroupCount, RollUpReport
from domain.vocabulary import EntryType
from tests.spec.actors import SCHOOL, at, county_cdc, handle, organisation

KAIFENG = RollUpRules.load()
TOWNSHIP = handle(70)
COUNTS = Counts(2, 2, 90, 88, 86, 2, 80, 6, (GroupCount("HepB", 5, 4),))


def school():
    return organisation(
        SCHOOL,
        OrganisationKind.SCHOOL,
        registrar=county_cdc(),
        institution_type=InstitutionType.PRIMARY,
        ownership=Ownership.PUBLIC,
    )


def hand_in_registers(day, edition=RegisterEdition.SEPTEMBER, *, by=None, **fields):
    usual = {
        "institution": SCHOOL,
        "division": "410221001",
        "school_year": 2018,
        "edition": edition,
        "position": 100,
        "effective_on": day,
    }
    return RegisterReport.submit(
        handle(700),
        reporter=by or school(),
        rules=KAIFENG,
        published=100,
        recorded_at=at(day),
        **(usual | fields),
    ).pending_events[0]


def hand_in_roll_up(day, level=Level.TOWNSHIP, total=COUNTS, *, by=None, **fields):
    usual = {
        "organisation": TOWNSHIP,
        "division": "410221001",
        "level": level,
        "school_year": 2018,
        "entry_type": EntryType.PRIMARY,
        "position": 100,
        "effective_on": day,
        "total": total,
    }
    township = organisation(TOWNSHIP, OrganisationKind.TOWNSHIP, registrar=county_cdc())
    return RollUpReport.submit(
        handle(701),
        reporter=by or township,
        rules=KAIFENG,
        published=100,
        recorded_at=at(day),
        **(usual | fields),
    ).pending_events[0]


@pytest.mark.parametrize(
    ("edition", "last"),
    [
        (RegisterEdition.SEPTEMBER, date(2018, 9, 30)),
        (RegisterEdition.NOVEMBER, date(2018, 11, 30)),
    ],
)
def test_registers_are_in_time_on_the_last_day_and_late_on_the_next(edition, last):
    """S-14, X-1."""
    assert hand_in_registers(last, edition).derived.late is False
    late = hand_in_registers(last + timedelta(days=1), edition).derived
    assert (late.late, late.due) == (True, last)


@pytest.mark.parametrize(
    ("level", "last"),
    [
        (Level.TOWNSHIP, date(2018, 12, 10)),
        (Level.COUNTY, date(2018, 12, 20)),
        (Level.CITY, date(2018, 12, 30)),
    ],
)
def test_each_level_has_its_day(level, last):
    """S-17."""
    kind = {Level.TOWNSHIP: OrganisationKind.TOWNSHIP, Level.COUNTY: OrganisationKind.COUNTY_CDC}
    reporter = organisation(TOWNSHIP, OrganisationKind.TOWNSHIP, registrar=county_cdc())
    reporter.kind = kind.get(level, OrganisationKind.CITY_CDC)
    assert hand_in_roll_up(last, level, by=reporter).derived.late is False
    assert hand_in_roll_up(last + timedelta(days=1), level, by=reporter).derived.late is True


def test_a_form_cannot_show_a_state_that_is_not_there_yet():
    day = date(2018, 9, 28)
    with pytest.raises(StateUnknown):
        hand_in_registers(day, position=101)
    with pytest.raises(StateUnknown):
        hand_in_roll_up(day, effective_on=day + timedelta(days=1))


@pytest.mark.parametrize(
    "changes",
    [
        {"checked": 91},
        {"with_certificate": 87},
        {"fully_vaccinated": 83},
        {"institutions_checked": 3},
        {"doses": (GroupCount("HepB", 5, 6),)},
    ],
)
def test_a_total_that_no_register_adds_up_to_is_refused(changes):
    """S-42."""
    with pytest.raises(ImpossibleCounts):
        hand_in_roll_up(date(2018, 12, 1), total=replace(COUNTS, **changes))


def test_only_the_unit_itself_reports():
    with pytest.raises(NotTheReporter):
        hand_in_registers(date(2018, 9, 28), by=county_cdc())
    with pytest.raises(NotTheReporter):
        hand_in_registers(date(2018, 9, 28), division="410221002")
    with pytest.raises(NotTheReporter):
        hand_in_roll_up(date(2018, 12, 1), by=school())
    with pytest.raises(NotTheReporter):
        hand_in_roll_up(date(2018, 12, 1), Level.COUNTY)
