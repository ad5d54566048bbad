"""When a record is hidden, how long it must be kept, and who may let it go (PIPL 47, E-3)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.protection import (
    AlreadyRestricted,
    AlreadyShredded,
    ErasureGround,
    LiftReason,
    NotRestricted,
    RestrictionReason,
    State,
)
from domain.retention import Papers, retention_end
from domain.shredding import (
    NoSuchShredRequest,
    RegisterKept,
    RetentionRuns,
    SecondOrganisationRequired,
    ShredRequestPending,
    StatementKept,
)
from domain.vaccination_record import VaccinationRecord as Record
from domain.vocabulary import EntryType
from tests.spec.actors import CDC, OTHER_CLINIC, TODAY, at, dose, facts, record
from tests.spec.roll_up_cases import KAIFENG

CITY_CDC = OTHER_CLINIC  # any other organisation; who may act at all is a permission
LAST_DAY = date(2024, 6, 30)
"""Five years after the newest expiry of `kept()`."""


def kept():
    """A record whose doses expire on 31 December 2018 and on 30 June 2019."""
    child = record()
    for number, expires_on in enumerate((date(2018, 12, 31), date(2019, 6, 30)), 100):
        fields = dose(expires_on=expires_on, occurred_on=TODAY - timedelta(days=101 - number))
        fields["dose"] = type(fields["dose"])(int=number)
        child.administer_dose(facts=facts(), recorded_at=at(TODAY), **fields)
    return child


def restrict(child, day=TODAY):
    child.protect(
        Record.Restricted,
        recorded_at=at(day),
        organisation=CDC,
        reason=RestrictionReason.CONSENT_WITHDRAWN,
    )


def lift(child, day=TODAY):
    child.protect(
        Record.RestrictionLifted,
        recorded_at=at(day),
        organisation=CDC,
        reason=LiftReason.MATTER_SETTLED,
    )


def ask(child, day, ground=ErasureGround.RETENTION_ENDED, by=CDC, **papers):
    child.protect(
        Record.ShredRequested,
        recorded_at=at(day),
        papers=Papers(**papers),
        organisation=by,
        ground=ground,
    )


def confirm(child, day, by=CITY_CDC, request=None, **papers):
    version = child.version if request is None else request
    child.protect(
        Record.Shredded,
        recorded_at=at(day),
        papers=Papers(**papers),
        organisation=by,
        request=version,
    )


def test_a_restricted_record_is_hidden_until_it_is_lifted():
    child = kept()
    restrict(child)
    assert child.protection.state is State.RESTRICTED
    with pytest.raises(AlreadyRestricted):
        restrict(child)
    lift(child)
    assert child.protection.state is State.NORMAL
    with pytest.raises(NotRestricted):
        lift(child)


def test_a_record_is_kept_five_years_beyond_the_expiry_of_its_newest_package():
    assert kept().retention_until == LAST_DAY
    assert record().retention_until is None


@pytest.mark.parametrize(
    ("expires_on", "last_day"),
    [
        (date(2018, 12, 31), date(2023, 12, 31)),
        (date(2019, 2, 28), date(2024, 2, 28)),
        (date(2020, 2, 28), date(2025, 2, 28)),
        (date(2020, 2, 29), date(2025, 2, 28)),
        (date(2020, 3, 1), date(2025, 3, 1)),
    ],
)
def test_a_leap_day_ends_its_term_with_february(expires_on, last_day):
    assert retention_end(expires_on) == last_day


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_later_expiry_never_ends_earlier_and_no_term_is_a_day_short(expires_on):
    end = retention_end(expires_on)
    assert retention_end(expires_on + timedelta(days=1)) >= end
    assert end.year == expires_on.year + 5
    assert 365 * 5 <= (end - expires_on).days <= 365 * 5 + 2


def test_on_the_last_day_of_the_term_it_is_refused_and_on_the_next_it_is_not():
    child = kept()
    with pytest.raises(RetentionRuns) as refused:
        ask(child, LAST_DAY)
    assert refused.value.facts["kept_until"] == "2024-06-30"
    ask(child, LAST_DAY + timedelta(days=1))
    confirm(child, LAST_DAY + timedelta(days=1))
    assert child.protection.state is State.SHREDDED


def test_a_wish_alone_does_not_end_the_term():
    with pytest.raises(RetentionRuns):
        ask(kept(), TODAY, ErasureGround.ERASURE_REQUESTED)


@pytest.mark.parametrize("ground", [ErasureGround.LEGAL_ORDER, ErasureGround.UNLAWFUL_PROCESSING])
def test_what_the_law_allows_earlier_is_allowed_earlier(ground):
    child = kept()
    ask(child, TODAY, ground)
    confirm(child, TODAY)
    assert child.protection.state is State.SHREDDED
    assert child.pending_events[-1].derived.retention_until == LAST_DAY


@pytest.mark.parametrize(
    ("entry_type", "last_day"),
    [(EntryType.PRIMARY, date(2024, 8, 31)), (EntryType.KINDERGARTEN, date(2022, 8, 31))],
)
def test_a_register_is_kept_till_its_children_have_graduated(entry_type, last_day):
    """S-14, X-18: six years of primary school; a nursery class and three of kindergarten."""
    assert KAIFENG.register_kept_until(entry_type, 2018) == last_day


def test_a_child_in_a_register_is_not_shredded_before_graduation():
    child, graduation = record(), date(2024, 8, 31)
    with pytest.raises(RegisterKept) as refused:
        ask(child, graduation, register_until=graduation)
    assert refused.value.facts == {"kept_until": "2024-08-31", "today": "2024-08-31"}
    ask(child, graduation + timedelta(days=1), register_until=graduation)
    confirm(child, graduation + timedelta(days=1), register_until=graduation)
    assert child.pending_events[-1].derived.register_until == graduation


def test_a_child_with_a_check_statement_is_never_shredded_on_ordinary_grounds():
    """S-13."""
    for ground in (ErasureGround.RETENTION_ENDED, ErasureGround.ERASURE_REQUESTED):
        with pytest.raises(StatementKept) as refused:
            ask(record(), date(2090, 1, 1), ground, has_statement=True)
        assert refused.value.facts == {"kept_until": None, "today": "2090-01-01"}


@pytest.mark.parametrize(
    ("register_until", "refusal", "until"),
    [
        (date(2024, 8, 31), RegisterKept, "2024-08-31"),
        (date(2024, 6, 29), RetentionRuns, "2024-06-30"),
    ],
)
def test_named_is_what_is_kept_the_longest(register_until, refusal, until):
    with pytest.raises(refusal) as refused:
        ask(kept(), TODAY, register_until=register_until)
    assert refused.value.facts["kept_until"] == until


def test_a_paper_between_request_and_confirmation_counts():
    child = record()
    ask(child, TODAY)
    with pytest.raises(StatementKept):
        confirm(child, TODAY, has_statement=True)
    with pytest.raises(RegisterKept):
        confirm(child, TODAY, register_until=TODAY)
    confirm(child, TODAY)


def test_a_legal_order_goes_before_papers_and_says_which_were_kept():
    child = record()
    papers = {"has_statement": True, "register_until": date(2024, 8, 31)}
    ask(child, TODAY, ErasureGround.LEGAL_ORDER, **papers)
    confirm(child, TODAY, **papers)
    assert child.protection.state is State.SHREDDED
    derived = child.pending_events[-1].derived
    assert (derived.has_statement, derived.register_until) == (True, date(2024, 8, 31))


def test_a_record_without_doses_has_no_term():
    child = record()
    ask(child, TODAY, ErasureGround.ERASURE_REQUESTED)
    confirm(child, TODAY)
    assert child.protection.state is State.SHREDDED


def test_shredding_takes_two_organisations():
    child = record()
    ask(child, TODAY, by=CDC)
    with pytest.raises(SecondOrganisationRequired):
        confirm(child, TODAY, by=CDC)
    confirm(child, TODAY, by=CITY_CDC)


def test_a_dose_between_request_and_confirmation_counts_for_the_term():
    child = record()
    ask(child, TODAY)
    request = child.version
    child.administer_dose(facts=facts(), recorded_at=at(TODAY), **dose())
    with pytest.raises(RetentionRuns):
        confirm(child, TODAY, request=request)


def test_only_the_request_that_was_seen_is_confirmed():
    child = record()
    with pytest.raises(NoSuchShredRequest):
        confirm(child, TODAY)
    ask(child, TODAY)
    with pytest.raises(ShredRequestPending):
        ask(child, TODAY)
    first = child.version
    child.protect(Record.ShredWithdrawn, recorded_at=at(TODAY), organisation=CDC, request=first)
    ask(child, TODAY)
    with pytest.raises(NoSuchShredRequest):
        confirm(child, TODAY, request=first)


def test_nothing_happens_to_a_shredded_record_any_more():
    child = record()
    restrict(child)
    ask(child, TODAY)
    confirm(child, TODAY)
    for decision in (restrict, lift, lambda one: ask(one, TODAY), lambda one: confirm(one, TODAY)):
        with pytest.raises(AlreadyShredded):
            decision(child)
