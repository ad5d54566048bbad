"""The check statement 附件2: which form, by whom, and when none (S-8, S-9, S-10, X-3, X-5)."""

from datetime import timedelta

import pytest

from domain.audit import NotJudgeable, Template
from domain.check_statement import (
    AuditInFuture,
    Booked,
    Certified,
    CheckStatement,
    DoseNotGiven,
    NoSuchRow,
    NotServing,
    PaperDiffers,
    RowCompleted,
    StatementSuperseded,
)
from domain.verdict import Finding
from domain.vocabulary import EntryType
from tests.spec.actors import CLINIC, OTHER_CLINIC, RECORD, TODAY, at, give, handle, record
from tests.spec.children import PROGRAMME, check, without

FULL = PROGRAMME[3]


def issue(verdict, *, serving=(CLINIC,), **fields):
    return CheckStatement.issue(
        handle(600),
        finding=Finding.of(verdict, 18),
        serving=serving,
        recorded_at=at(TODAY),
        **{
            "record": RECORD,
            "division": "410221001",
            "clinic": CLINIC,
            "checked_on": TODAY,
            "entry_type": EntryType.KINDERGARTEN,
            "has_certificate": True,
            "paper_agrees": True,
            **fields,
        },
    )


def test_a_full_child_gets_the_first_form():
    assert issue(check(3, *FULL)).audit.template is Template.COMPLETE


def test_a_child_with_doses_to_make_up_gets_the_second_form():
    assert issue(check(3, *without(FULL, "MMR"))).audit.template is Template.TO_MAKE_UP


def test_a_child_that_lacks_doses_only_for_a_lasting_contraindication_gets_the_note():
    """S-33, X-5: 因禁忌不能补种."""
    verdict = check(3, *without(FULL, "MMR"), against=(("MCV", "permanent"),))
    assert issue(verdict).audit.template is Template.TO_MAKE_UP_EXCEPT_CONTRAINDICATED


def test_a_passing_contraindication_postpones_and_is_to_be_made_up():
    """X-5."""
    verdict = check(3, *without(FULL, "MMR"), against=(("MCV", "temporary"),))
    assert issue(verdict).audit.template is Template.TO_MAKE_UP


@pytest.mark.parametrize("lacking", [(), ("MMR",), ("MMR", "MPSV-AC")])
@pytest.mark.parametrize("against", [(), (("MCV", "permanent"),)])
def test_the_form_is_the_one_that_the_evaluation_names(lacking, against):
    verdict = check(3, *without(FULL, *lacking), against=against)
    assert issue(verdict).audit.template.value == str(verdict.annex2_template)


def test_no_certificate_combines_with_every_outcome():
    """S-10 (4)."""
    for vaccines in (FULL, without(FULL, "MMR")):
        assert issue(check(3, *vaccines), has_certificate=False).audit.reissue_certificate
        assert not issue(check(3, *vaccines)).audit.reissue_certificate


def test_no_statement_before_paper_and_system_agree():
    """S-9."""
    with pytest.raises(PaperDiffers):
        issue(check(3, *FULL), paper_agrees=False)


def test_the_managing_clinic_and_the_one_of_the_newest_dose_audit_and_no_other():
    """S-8."""
    child = give(record(), clinic=OTHER_CLINIC)
    for unit in (CLINIC, OTHER_CLINIC):
        assert issue(check(3, *FULL), serving=child.serving_clinics(), clinic=unit).clinic == unit
    with pytest.raises(NotServing):
        issue(check(3, *FULL), serving=child.serving_clinics(), clinic=handle(99))


def test_no_statement_for_an_age_that_no_row_judges():
    """X-3."""
    with pytest.raises(NotJudgeable):
        issue(check(1, "BCG"))


def test_no_statement_for_an_audit_in_the_future():
    with pytest.raises(AuditInFuture):
        issue(check(3, *FULL), checked_on=TODAY + timedelta(days=1))


MADE_UP = Certified(handle(620), TODAY + timedelta(days=10), "A1")


def complete(statement, group, number, certified=MADE_UP):
    statement.record_makeup(
        certified=certified,
        recorded_at=at(TODAY + timedelta(days=11)),
        clinic=OTHER_CLINIC,
        vaccine_group=group,
        dose_number=number,
    )


def test_every_missing_dose_has_a_row_of_its_own():
    """Annex 2: two missing doses of one vaccine are two rows."""
    statement = issue(check(3, *without(FULL, "MMR", "DTaP", "DTaP")))
    assert statement.rows == [("DPT", 3), ("DPT", 4), ("MCV", 2)]


def test_appointments_are_for_rows_of_the_statement_only():
    """S-10 (2)."""
    day = TODAY + timedelta(days=7)
    verdict = check(3, *without(FULL, "MMR"))
    issued = issue(verdict, appointments=(Booked("MCV", 2, day),))
    assert issued.appointments == {("MCV", 2): day}
    with pytest.raises(NoSuchRow):
        issue(verdict, appointments=(Booked("BCG", 1, day),))


def test_a_row_is_completed_once_and_what_was_issued_stays():
    """S-16, S-34."""
    statement = issue(check(3, *without(FULL, "MMR")))
    before = statement.audit
    complete(statement, "MCV", 2)
    assert statement.made_up == {("MCV", 2): MADE_UP}
    assert statement.audit is before
    with pytest.raises(RowCompleted):
        complete(statement, "MCV", 2)
    with pytest.raises(NoSuchRow):
        complete(statement, "BCG", 1)


def test_a_dose_that_the_record_does_not_have_completes_nothing():
    statement = issue(check(3, *without(FULL, "MMR")))
    with pytest.raises(DoseNotGiven):
        complete(statement, "MCV", 2, certified=None)


def test_a_superseded_statement_takes_no_more_rows_and_is_superseded_once():
    """S-34."""
    statement = issue(check(3, *without(FULL, "MMR")))
    statement.supersede(handle(601), at(TODAY))
    assert statement.superseded_by == handle(601)
    with pytest.raises(StatementSuperseded):
        complete(statement, "MCV", 2)
    with pytest.raises(StatementSuperseded):
        statement.supersede(handle(602), at(TODAY))
