"""A child at a school: checked once, re-checked after make-up (S-2, S-3, S-10, S-12, S-36)."""

from datetime import date, timedelta

import pytest

from domain.admission import Admission, EntryTypeDiffers, NotASchool, SchoolYearTooFar
from domain.enrolment import Enrolment
from domain.organisation import InstitutionType
from domain.schedules.dose_allocation import Dose
from domain.school_check import (
    AlreadyChecked,
    AlreadyRestated,
    BeforeCheck,
    CertificateNotMissing,
    CheckInFuture,
    NotChecked,
    NothingToMakeUp,
    lacking_of,
)
from domain.verdict import Finding, GroupDoses, MadeUp
from domain.vocabulary import EntryType
from tests.spec.actors import RECORD, SCHOOL, TODAY, at, clinic, handle, school
from tests.spec.children import PROGRAMME, check, without

LATER = date(2018, 10, 9)
MADE_UP_ON = date(2018, 10, 8)
FULL = PROGRAMME[3]


def enrol(institution=None, entry_type=EntryType.KINDERGARTEN, **fields):
    return Enrolment.enrol(
        handle(500),
        institution_facts=institution or school(),
        recorded_at=at(TODAY),
        **{
            "record": RECORD,
            "institution": SCHOOL,
            "division": "410221001",
            "school_year": 2018,
            "class_name": "小一班",
            "entry_type": entry_type,
            "admission": Admission.NEW,
            "number": 7,
            "joined_on": date(2018, 9, 1),
            **fields,
        },
    )


def test_a_child_is_enrolled_for_next_school_year_at_the_latest():
    assert enrol(school_year=TODAY.year + 1).school_year == TODAY.year + 1
    with pytest.raises(SchoolYearTooFar):
        enrol(school_year=TODAY.year + 2)


def checked(*vaccines, has_certificate=True, on=TODAY, **more):
    enrolment = enrol()
    verdict = check(3, *vaccines, certificate=has_certificate, **more)
    enrolment.check(
        finding=Finding.of(verdict, 18),
        recorded_at=at(TODAY),
        checked_on=on,
        has_certificate=has_certificate,
    )
    return enrolment


def recheck(enrolment, *vaccines, on=LATER, certified=None, **more):
    enrolment.recheck(
        verdict=check(3, *vaccines, on=LATER, birth=date(2015, 3, 20), **more),
        record_version=20,
        certified=certified,
        recorded_at=at(LATER),
        rechecked_on=on,
    )
    return enrolment.recheck_found


class TestEnrolment:
    @pytest.mark.parametrize("admission", Admission)
    def test_a_child_comes_new_by_transfer_as_a_visitor_or_in_spring(self, admission):
        """S-2."""
        assert enrol(admission=admission).record == RECORD

    def test_a_clinic_enrols_nobody(self):
        with pytest.raises(NotASchool):
            enrol(clinic())

    def test_a_kindergarten_enrols_into_kindergarten(self):
        with pytest.raises(EntryTypeDiffers):
            enrol(entry_type=EntryType.PRIMARY)
        assert enrol(school(InstitutionType.PRIMARY), entry_type=EntryType.PRIMARY)

    def test_the_division_is_the_schools(self):
        with pytest.raises(EntryTypeDiffers):
            enrol(division="410221002")


class TestCheck:
    def test_certificate_and_doses_are_two_results(self):
        """S-3."""
        enrolment = checked(*FULL, has_certificate=False)
        assert enrolment.has_certificate is False
        assert enrolment.finding.complete is True

    def test_the_finding_names_rule_file_version_and_state_of_the_record(self):
        """DESIGN section 8."""
        finding = checked(*without(FULL, "MPSV-AC")).finding
        assert finding.missing == (GroupDoses("MenAC", (1,)),)
        assert finding.requirement == "kaifeng-2018-school-entry"
        assert finding.requirement_version >= 1
        assert finding.record_version == 18

    def test_a_child_is_checked_once(self):
        enrolment = checked(*FULL)
        with pytest.raises(AlreadyChecked):
            enrolment.check(
                finding=enrolment.finding,
                recorded_at=at(LATER),
                checked_on=LATER,
                has_certificate=True,
            )

    def test_a_check_in_the_future_is_refused(self):
        with pytest.raises(CheckInFuture):
            checked(*FULL, on=TODAY + timedelta(days=1))


class TestReissue:
    def reissue(self, enrolment, on=LATER):
        enrolment.reissue_certificate(recorded_at=at(LATER), reissued_on=on)
        return enrolment

    def test_a_child_without_certificate_gets_one_again_and_the_finding_stays(self):
        """S-10, S-36."""
        enrolment = self.reissue(checked(*FULL, has_certificate=False))
        assert enrolment.reissued_on == LATER
        assert enrolment.has_certificate is False

    def test_a_child_with_a_certificate_needs_none(self):
        with pytest.raises(CertificateNotMissing):
            self.reissue(checked(*FULL))

    def test_one_certificate_is_reissued_once(self):
        with pytest.raises(CertificateNotMissing):
            self.reissue(self.reissue(checked(*FULL, has_certificate=False)))

    def test_nothing_is_reissued_before_the_check(self):
        with pytest.raises(NotChecked):
            self.reissue(enrol())
        with pytest.raises(BeforeCheck):
            self.reissue(checked(*FULL, has_certificate=False), TODAY - timedelta(days=1))


class TestRecheck:
    def test_a_made_up_dose_fills_its_cell_with_its_day(self):
        """S-12: 2018-10-08 becomes 8/10."""
        lacking = without(FULL, "MPSV-AC")
        found = recheck(checked(*lacking), *lacking, Dose("MPSV-AC", MADE_UP_ON))
        assert found.made_up == (MadeUp("MenAC", 1, MADE_UP_ON),)
        assert found.completed is True
        assert found.record_version == 20

    def test_a_cell_that_is_still_empty_stays_as_it_was(self):
        lacking = without(FULL, "MPSV-AC", "MMR")
        found = recheck(checked(*lacking), *lacking, Dose("MMR", MADE_UP_ON))
        assert found.made_up == (MadeUp("MCV", 2, MADE_UP_ON),)
        assert found.completed is False

    def test_nothing_made_up_is_an_answer_too(self):
        lacking = without(FULL, "MMR")
        found = recheck(checked(*lacking), *lacking)
        assert found.made_up == ()
        assert found.completed is False

    def test_a_second_dose_of_a_substitute_course_fills_the_one_cell(self):
        """S-29: two inactivated doses replace one live dose of hepatitis A."""
        begun = [*without(FULL, "HepA-L"), "HepA-I"]
        found = recheck(checked(*begun), *begun, Dose("HepA-I", MADE_UP_ON))
        assert [cell.date for cell in found.made_up] == [MADE_UP_ON]
        assert found.completed is True

    def test_a_contraindication_recorded_since_makes_nothing_up(self):
        lacking = without(FULL, "MMR")
        found = recheck(checked(*lacking), *lacking, against=(("MCV", "permanent"),))
        assert found.made_up == ()
        assert found.completed is False

    def test_the_finding_of_the_check_never_changes(self):
        """S-36: column 7 keeps the finding of the check."""
        lacking = without(FULL, "MMR")
        enrolment = checked(*lacking)
        recheck(enrolment, *lacking, Dose("MMR", MADE_UP_ON))
        assert enrolment.finding.complete is False

    def test_what_a_birthday_since_the_check_asks_for_is_no_part_of_it(self):
        """X-20: the age counts on the day of each check."""
        lacking = without(FULL, "MMR")
        enrolment, birthday = checked(*lacking), date(2015, 3, 20).replace(year=TODAY.year + 1)
        enrolment.recheck(
            verdict=check(
                4, *lacking, Dose("MMR", MADE_UP_ON), on=birthday, birth=date(2015, 3, 20)
            ),
            record_version=20,
            recorded_at=at(birthday),
            rechecked_on=birthday,
        )
        found = enrolment.pending_events[-1].derived
        assert [one.vaccine_group for one in found.made_up] == ["MCV"]
        assert found.completed is True

    def test_a_full_child_is_not_rechecked(self):
        with pytest.raises(NothingToMakeUp):
            recheck(checked(*FULL), *FULL)

    def test_a_recheck_follows_a_check(self):
        with pytest.raises(NotChecked):
            recheck(enrol(), *FULL)
        with pytest.raises(BeforeCheck):
            recheck(checked(*without(FULL, "MMR")), *FULL, on=TODAY - timedelta(days=1))


def restate(enrolment, *vaccines, later=(), correction=16):
    """As the corrected record reads: at the check, and with what was given later."""
    now = check(3, *vaccines, *later, on=LATER, birth=date(2015, 3, 20))
    enrolment.restate(
        finding=Finding.of(check(3, *vaccines), 30),
        lacking=lacking_of(now),
        recorded_at=at(LATER),
        correction=handle(correction),
    )
    return enrolment.pending_events[-1].derived


class TestACheckRestatedAfterACorrection:
    def test_it_reads_what_the_corrected_record_says(self):
        enrolment = checked(*FULL)
        found = restate(enrolment, *without(FULL, "MMR"))
        assert found.missing == (GroupDoses("MCV", (2,)),)
        assert enrolment.finding.complete is False
        assert (found.made_up, found.completed) == ((), None)

    def test_what_was_made_up_stays_where_it_was_missing(self):
        lacking = without(FULL, "MMR", "MPSV-AC")
        enrolment = checked(*lacking)
        recheck(enrolment, *lacking, Dose("MMR", MADE_UP_ON))
        found = restate(enrolment, *without(FULL, "MMR"), later=[Dose("MMR", MADE_UP_ON)])
        assert found.made_up == (MadeUp("MCV", 2, MADE_UP_ON),)
        assert found.completed is True

    def test_what_was_made_up_by_mistake_is_missing_again(self):
        lacking = without(FULL, "MMR")
        enrolment = checked(*lacking)
        recheck(enrolment, *lacking, Dose("MMR", MADE_UP_ON))
        found = restate(enrolment, *lacking)
        assert (found.made_up, found.completed) == ((), False)

    def test_a_correction_that_changes_nothing_is_noted_once(self):
        enrolment = checked(*FULL)
        before = enrolment.finding.missing
        assert restate(enrolment, *FULL).missing == before
        with pytest.raises(AlreadyRestated):
            restate(enrolment, *FULL)
        assert restate(enrolment, *FULL, correction=17)

    def test_only_a_check_is_restated(self):
        with pytest.raises(NotChecked):
            restate(enrol(), *FULL)


class TestARecheckWithTheStatement:
    def test_what_is_given_but_not_certified_stays_open(self):
        """S-16."""
        lacking = without(FULL, "MMR", "MPSV-AC")
        given = (*lacking, Dose("MMR", MADE_UP_ON), Dose("MPSV-AC", MADE_UP_ON))
        found = recheck(checked(*lacking), *given, certified={("MCV", 2)})
        assert found.made_up == (MadeUp("MCV", 2, MADE_UP_ON),)
        assert found.uncertified == (MadeUp("MenAC", 1, MADE_UP_ON),)
        assert found.completed is False
