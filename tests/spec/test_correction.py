"""Corrections of doses: who, in which steps, and which of two wins (C-21, C-22)."""

from datetime import timedelta

import pytest

from domain.correction import (
    ChangesOfStrickenDose,
    Correction,
    CorrectionClosed,
    OnlyVaccinationUnitCorrects,
)
from domain.correction_events import CorrectionKind, CorrectionState, RequestedBy
from domain.dose_policy import (
    CurrentStateDiffers,
    FieldNotCorrectable,
    NothingChanges,
    check_sealed_changes,
)
from domain.dosing import NotStruck, UnknownDose
from domain.effect import Cause
from domain.organisation import OrganisationKind
from domain.vocabulary import Urgency
from tests.spec.actors import (
    CLINIC,
    CORRECTION,
    DOSE,
    RECORD,
    TODAY,
    at,
    change,
    correct,
    give,
    handle,
    record,
)

LOT = change("lot", "201803012", "201803021")
BY = OrganisationKind.CLINIC


def request(child, *changes, by=BY, stream=CORRECTION, changes_sealed=False, **fields):
    return Correction.request(
        stream,
        current=child.dose(DOSE),
        changes_sealed=changes_sealed,
        by=by,
        recorded_at=at(TODAY),
        **{
            "record": RECORD,
            "dose": DOSE,
            "division": "410221001",
            "kind": CorrectionKind.AMEND,
            "changes": changes,
            "urgency": Urgency.NEXT_DAY,
            "reason": "typing-error",
            "requested_by": RequestedBy.GUARDIAN,
            "clinic": CLINIC,
            **fields,
        },
    )


def step(correction, name, by=BY, **fields):
    getattr(correction, name)(by=by, recorded_at=at(TODAY), **{"clinic": CLINIC, **fields})
    return correction


def verified(child, *changes, **fields):
    return step(request(child, *changes, **fields), "verify")


def test_a_correction_is_requested_verified_and_applied():
    child = give(record())
    correction = request(child, LOT)
    assert correction.state is CorrectionState.REQUESTED
    step(correction, "verify")
    assert correction.state is CorrectionState.VERIFIED
    step(correction, "apply", current=child.dose(DOSE))
    assert correction.state is CorrectionState.APPLIED


def test_it_takes_effect_the_next_day():
    """C-21."""
    child = give(record())
    correction = step(verified(child, LOT), "apply", current=child.dose(DOSE))
    assert correction.effective_on == TODAY + timedelta(days=1)


def test_an_urgent_one_takes_effect_at_once():
    child = give(record())
    correction = verified(child, LOT, urgency=Urgency.IMMEDIATE)
    step(correction, "apply", current=child.dose(DOSE))
    assert correction.effective_on == TODAY


@pytest.mark.parametrize("by", [OrganisationKind.SCHOOL, OrganisationKind.PLATFORM])
def test_only_a_vaccination_unit_or_a_cdc_writes_corrections(by):
    """C-22: no citizen has a way to."""
    with pytest.raises(OnlyVaccinationUnitCorrects):
        request(give(record()), LOT, by=by)


def test_no_step_is_skipped():
    child = give(record())
    with pytest.raises(CorrectionClosed):
        step(request(child, LOT), "apply", current=child.dose(DOSE))


@pytest.mark.parametrize("end", ["reject", "withdraw"])
@pytest.mark.parametrize("start", [request, verified])
def test_it_is_rejected_or_withdrawn_with_a_reason_until_it_is_applied(start, end):
    correction = step(start(give(record()), LOT), end, reason="evidence-insufficient")
    for name in ("verify", "reject", "withdraw"):
        with pytest.raises(CorrectionClosed):
            step(correction, name, reason="again")


def test_what_is_applied_is_not_withdrawn():
    child = give(record())
    correction = step(verified(child, LOT), "apply", current=child.dose(DOSE))
    with pytest.raises(CorrectionClosed):
        step(correction, "withdraw", reason="too-late")


def test_of_two_corrections_of_one_dose_the_second_meets_the_new_state():
    child = give(record())
    first = verified(child, LOT)
    second = verified(child, change("lot", "201803012", "X"), stream=handle(98))
    step(first, "apply", current=child.dose(DOSE))
    correct(child, LOT)
    with pytest.raises(CurrentStateDiffers) as refused:
        step(second, "apply", current=child.dose(DOSE))
    assert refused.value.facts == {"field": "lot", "current": "201803021"}
    assert second.state is CorrectionState.VERIFIED


def test_two_corrections_of_different_fields_both_apply():
    child = give(record())
    other = verified(child, change("site", "LA", "RA"), stream=handle(98))
    step(verified(child, LOT), "apply", current=child.dose(DOSE))
    correct(child, LOT)
    step(other, "apply", current=child.dose(DOSE))
    assert other.state is CorrectionState.APPLIED


def test_what_was_before_is_what_is_there():
    with pytest.raises(CurrentStateDiffers):
        request(give(record()), change("lot", "wrong", "201803021"))


def test_a_correction_changes_something():
    with pytest.raises(NothingChanges):
        request(give(record()))


def test_a_correction_may_change_sealed_fields_alone():
    assert request(give(record()), changes_sealed=True).changes == ()


def test_an_unknown_dose_is_not_corrected():
    with pytest.raises(UnknownDose):
        request(record(), LOT)


def test_a_dose_that_was_struck_out_meanwhile_is_not_corrected():
    correction = verified(give(record()), LOT)
    with pytest.raises(UnknownDose):
        step(correction, "apply", current=None)


def test_a_strike_is_applied_whatever_the_dose_reads_by_then():
    child = give(record())
    strike = verified(child, kind=CorrectionKind.ENTERED_IN_ERROR)
    correct(child, LOT)
    assert step(strike, "apply", current=child.dose(DOSE)).state is CorrectionState.APPLIED


def test_striking_a_dose_out_names_no_fields():
    child = give(record())
    strike = request(child, kind=CorrectionKind.ENTERED_IN_ERROR)
    assert strike.kind is CorrectionKind.ENTERED_IN_ERROR
    with pytest.raises(ChangesOfStrickenDose):
        request(child, LOT, kind=CorrectionKind.ENTERED_IN_ERROR)


def test_only_a_struck_dose_is_reinstated_and_no_field_with_it():
    child = give(record())
    with pytest.raises(NotStruck):
        request(child, kind=CorrectionKind.REINSTATE)
    with pytest.raises(UnknownDose):
        request(record(), kind=CorrectionKind.REINSTATE)
    child.enter_dose_in_error(
        urgency=Urgency.NEXT_DAY,
        cause=Cause(CORRECTION, 3),
        recorded_at=at(TODAY),
        dose=DOSE,
        correction=CORRECTION,
        reason="other-child",
    )
    with pytest.raises(ChangesOfStrickenDose):
        request(child, LOT, kind=CorrectionKind.REINSTATE, is_struck=True)
    wanted = verified(child, kind=CorrectionKind.REINSTATE, is_struck=True)
    with pytest.raises(NotStruck):
        step(wanted, "apply", current=give(record()).dose(DOSE))
    step(wanted, "apply", current=None, is_struck=True)
    assert wanted.state is CorrectionState.APPLIED


class TestSealedFields:
    """The sealed half is compared by whoever may open it; no answer repeats a value."""

    CURRENT = ({"vaccinator": "李护士", "package_code": "8112345678901234567890"},)

    def check(self, before, after):
        check_sealed_changes(self.CURRENT[0], before, after)

    def test_a_vaccinator_is_corrected(self):
        self.check({"vaccinator": "李护士"}, {"vaccinator": "王护士"})

    def test_a_note_is_added(self):
        self.check({}, {"note": "左臂红肿"})

    def test_what_was_before_is_what_is_there(self):
        with pytest.raises(CurrentStateDiffers) as refused:
            self.check({"vaccinator": "张护士"}, {"vaccinator": "王护士"})
        assert "李护士" not in str(refused.value)

    def test_it_changes_something(self):
        with pytest.raises(NothingChanges):
            self.check({"vaccinator": "李护士"}, {"vaccinator": "李护士"})

    def test_a_name_is_no_part_of_a_dose(self):
        with pytest.raises(FieldNotCorrectable):
            self.check({}, {"name": "张三"})
