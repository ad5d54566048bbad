"""What a clinic may write into a vaccination record, and how the record then reads."""

from datetime import date, timedelta

import pytest

from domain.contraindication import (
    ContraindicationEnded,
    DuplicateContraindication,
    LastingWithEnd,
    UnknownContraindication,
    VaccineGroupNamedTwice,
    ValidityReversed,
)
from domain.dose_events import EvidenceKind
from domain.dose_policy import (
    CurrentStateDiffers,
    DoseAfterDeath,
    DoseBeforeBirth,
    DoseInFuture,
    EvidenceRequired,
    FieldNotCorrectable,
    LotExpired,
    NationalCodeMismatch,
    NothingChanges,
    RouteNotAllowed,
    SiteNotAllowed,
    TimeNotOnDay,
)
from domain.dosing import DuplicateDose, NotStruck, UnknownDose
from domain.effect import Cause
from domain.errors import UnknownVaccine, UnknownVaccineGroup
from domain.guardianship import (
    Guardian,
    GuardianOfAdult,
    NoSuchGuardian,
    PersonNamedTwice,
    TooManyGuardians,
)
from domain.organisation import NotAClinic, OrganisationKind
from domain.registration import BirthYearDiffers, BornInFuture, NotARegistrationRoll, UnknownPerson
from domain.roll import (
    DivisionDiffers,
    MoveInFuture,
    NotBornHere,
    ParentsMissing,
    RecordClosed,
    RecordNotOnRoll,
    Roll,
    RollUnchanged,
)
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import PersonKind, Relation, SourceSystem, Urgency
from tests.spec.actors import (
    BORN,
    CHILD,
    CLINIC,
    CORRECTION,
    DOSE,
    FATHER,
    GRANDMOTHER,
    MOTHER,
    OTHER_CLINIC,
    RECORD,
    SCHOOL,
    TODAY,
    at,
    change,
    clinic,
    correct,
    dose,
    facts,
    give,
    handle,
    record,
    registration,
    school,
)

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)
GROUPS = frozenset({"MCV", "DPT"})


class TestRegistration:
    """建档: C-8, C-10, C-23, C-24."""

    def test_a_child_is_registered_at_a_clinic_that_manages_it(self):
        child = record()
        assert child.managing_organisation == CLINIC
        assert child.division == "410221001"
        assert child.handles == {CHILD, MOTHER, FATHER}
        assert child.roll_on(TODAY).status is Roll.ACTIVE

    def test_before_its_registration_a_record_stands_on_no_roll(self):
        assert record().roll_on(YESTERDAY) is None

    def test_identities_count_for_a_claim_from_the_next_day_on(self):
        """C-23: 次日即可申领."""
        assert record().identity_effective_on[MOTHER] == TOMORROW

    def test_a_school_manages_no_record(self):
        with pytest.raises(NotAClinic):
            VaccinationRecord.register(
                RECORD,
                managed_by=school(),
                birth_date=BORN,
                recorded_at=at(TODAY),
                **registration(managing_organisation=SCHOOL),
            )

    def test_the_division_is_the_clinics(self):
        with pytest.raises(DivisionDiffers):
            record(division="410221002")

    def test_nobody_is_named_twice(self):
        with pytest.raises(PersonNamedTwice):
            record(guardians=(Guardian(CHILD, Relation.MOTHER),))

    def test_an_adult_has_no_guardians(self):
        with pytest.raises(GuardianOfAdult):
            record(kind=PersonKind.ADULT)

    def test_a_record_is_not_opened_as_moved_out(self):
        with pytest.raises(NotARegistrationRoll):
            record(roll=Roll.MOVED_OUT)

    def test_the_clear_year_of_birth_is_the_sealed_one(self):
        with pytest.raises(BirthYearDiffers):
            record(birth_year=2014)

    def test_nobody_is_born_tomorrow(self):
        with pytest.raises(BornInFuture):
            record(day=BORN - timedelta(days=1))


class TestMaternityWard:
    """产科建档、转入儿童预防接种门诊: C-24."""

    def born(self, **changes):
        return record(roll=Roll.MATERNITY, **{"guardians": (), **changes})

    def to_the_clinic(self, child, day=TOMORROW):
        child.change_roll(
            managed_by=clinic(OTHER_CLINIC, "410221002"),
            recorded_at=at(day),
            status=Roll.ACTIVE,
            on=day,
            managing_organisation=OTHER_CLINIC,
            division="410221002",
        )
        return child

    def test_a_newborn_gets_the_first_doses_in_the_ward(self):
        assert give(self.born()).dose(DOSE).occurred_on == TODAY

    def test_an_adult_has_no_record_in_a_maternity_ward(self):
        with pytest.raises(NotBornHere):
            self.born(kind=PersonKind.ADULT)

    def test_a_record_moves_to_the_child_clinic_only_with_a_parent(self):
        with pytest.raises(ParentsMissing):
            self.to_the_clinic(self.born())

    def test_the_day_after_the_move_everyones_identity_counts(self):
        """次日即可申领."""
        child = self.born()
        child.add_guardian(recorded_at=at(TODAY), person=MOTHER, relation=Relation.MOTHER)
        assert child.identity_effective_on[MOTHER] == TOMORROW
        self.to_the_clinic(child)
        assert child.identity_effective_on[MOTHER] == TOMORROW + timedelta(days=1)
        assert child.managing_organisation == OTHER_CLINIC
        assert [state.status for state in child.roll_history] == [Roll.MATERNITY, Roll.ACTIVE]

    def test_nobody_goes_back_to_the_ward(self):
        child = record()
        with pytest.raises(NotBornHere):
            child.change_roll(recorded_at=at(TOMORROW), status=Roll.MATERNITY, on=TOMORROW)

    def test_a_newborn_who_dies_in_the_ward_needs_no_parents(self):
        child = self.born()
        child.change_roll(recorded_at=at(TOMORROW), status=Roll.DECEASED, on=TOMORROW)
        assert child.died_on == TOMORROW


class TestGuardians:
    """监护人可在建档后补登: C-10, C-23, C-24."""

    def add(self, child, person=GRANDMOTHER, relation=Relation.GUARDIAN):
        child.add_guardian(recorded_at=at(TODAY), person=person, relation=relation)
        return child

    def test_a_guardian_is_added_and_counts_from_the_next_day_on(self):
        child = self.add(record())
        assert child.guardians[-1] == Guardian(GRANDMOTHER, Relation.GUARDIAN)
        assert child.identity_effective_on[GRANDMOTHER] == TOMORROW
        assert GRANDMOTHER in child.handles

    def test_nobody_is_added_twice(self):
        with pytest.raises(PersonNamedTwice):
            self.add(record(), MOTHER)

    def test_a_guardian_is_removed_at_once_and_may_come_back(self):
        child = record()
        child.remove_guardian(recorded_at=at(TODAY), person=MOTHER, reason="guardianship-ended")
        assert MOTHER not in child.people
        assert MOTHER in child.handles  # a shred destroys that key too
        with pytest.raises(NoSuchGuardian):
            child.remove_guardian(recorded_at=at(TODAY), person=MOTHER, reason="twice")
        child.add_guardian(recorded_at=at(TODAY), person=MOTHER, relation=Relation.MOTHER)
        assert child.guardians[-1] == Guardian(MOTHER, Relation.MOTHER)
        assert child.former_guardians == frozenset()

    def test_nobody_becomes_ones_own_guardian(self):
        with pytest.raises(PersonNamedTwice):
            self.add(record(), CHILD)

    def test_an_adult_gets_no_guardian(self):
        with pytest.raises(GuardianOfAdult):
            self.add(record(kind=PersonKind.ADULT, guardians=()))

    def test_eight_guardians_are_enough(self):
        child = record()
        for number in range(100, 106):
            self.add(child, handle(number))
        with pytest.raises(TooManyGuardians):
            self.add(child)


class TestRoll:
    """在册, with its history: C-8, C-24."""

    def move(self, child, day=TOMORROW, managed_by=None, **fields):
        child.change_roll(managed_by=managed_by, recorded_at=at(day), **{"on": day, **fields})
        return child

    def test_a_move_to_another_clinic_changes_who_manages_it_and_keeps_the_history(self):
        other = clinic(OTHER_CLINIC, "410221002")
        child = self.move(
            record(),
            managed_by=other,
            status=Roll.ACTIVE,
            managing_organisation=OTHER_CLINIC,
            division="410221002",
        )
        assert child.managing_organisation == OTHER_CLINIC
        assert child.division == "410221002"
        assert child.roll_on(TODAY).managing_organisation == CLINIC

    def test_a_moved_out_record_takes_no_doses(self):
        child = self.move(record(), status=Roll.MOVED_OUT)
        with pytest.raises(RecordNotOnRoll):
            give(child, TOMORROW)

    def test_a_move_without_a_change_is_refused(self):
        with pytest.raises(RollUnchanged):
            self.move(record(), status=Roll.ACTIVE)

    def test_a_move_in_the_future_is_refused(self):
        with pytest.raises(MoveInFuture):
            self.move(record(), status=Roll.MOVED_OUT, on=TOMORROW + timedelta(days=1))

    def test_a_division_changes_only_with_its_clinic(self):
        with pytest.raises(DivisionDiffers):
            self.move(record(), status=Roll.TEMPORARY, division="410221002")

    def test_after_a_death_the_roll_changes_no_more(self):
        child = self.move(record(), status=Roll.DECEASED)
        with pytest.raises(RecordClosed):
            self.move(child, status=Roll.ACTIVE)


class TestIdentity:
    """Amendments of identity; values are sealed (C-21, C-23)."""

    def amend(self, child, **fields):
        opened = fields.pop("birth_date", None)
        child.amend_identity(
            birth_date=opened,
            recorded_at=at(TODAY),
            **{"person": CHILD, "fields": ("name",), "reason": "typing-error", **fields},
        )
        return child

    def test_an_amended_guardian_counts_for_a_claim_from_the_next_day_on(self):
        child = self.amend(record(day=date(2018, 1, 1)), person=MOTHER, fields=("id_number",))
        assert child.identity_effective_on[MOTHER] == TOMORROW
        assert child.identity_effective_on[FATHER] == date(2018, 1, 2)

    def test_a_corrected_birth_date_takes_the_clear_year_along(self):
        fixed = self.amend(
            record(), fields=("birth_date",), birth_date=date(2014, 3, 20), birth_year=2014
        )
        assert fixed.birth_year == 2014

    def test_a_corrected_birth_date_without_its_year_is_refused(self):
        with pytest.raises(BirthYearDiffers):
            self.amend(record(), fields=("birth_date",), birth_date=date(2014, 3, 20))

    def test_a_guardians_year_of_birth_is_nobodys_business(self):
        with pytest.raises(BirthYearDiffers):
            self.amend(record(), person=MOTHER, birth_year=1990, birth_date=date(1990, 1, 1))

    def test_a_stranger_is_not_amended(self):
        with pytest.raises(UnknownPerson):
            self.amend(record(), person=GRANDMOTHER)


class TestDose:
    """A dose given here, with every field the law asks for (E-3)."""

    def test_a_dose_shows_from_the_day_it_was_recorded(self):
        child = give(record())
        assert [state.vaccine for state in child.doses_on(TODAY)] == ["MPSV-AC"]
        assert child.doses_on(YESTERDAY) == ()

    def test_doses_are_told_in_the_order_in_which_they_were_given(self):
        child = give(record())
        early = dose(dose=handle(50), vaccine="BCG", site="LA", route="ID", occurred_on=BORN)
        child.administer_dose(facts=facts(), recorded_at=at(TODAY), **early)
        assert [state.vaccine for state in child.doses_on(TODAY)] == ["BCG", "MPSV-AC"]

    def test_a_dose_on_the_day_of_birth_is_possible(self):
        assert give(record(), vaccine="HepB", route="IM", occurred_on=BORN).doses_on(TODAY)

    def test_a_dose_before_birth_is_refused_and_the_answer_does_not_tell_the_birthday(self):
        with pytest.raises(DoseBeforeBirth) as refused:
            give(record(), occurred_on=BORN - timedelta(days=1))
        assert BORN.isoformat() not in str(refused.value)

    def test_a_dose_tomorrow_is_refused(self):
        with pytest.raises(DoseInFuture):
            give(record(), occurred_on=TOMORROW)

    def test_just_after_midnight_in_china_the_new_day_is_no_future(self):
        child = record()
        child.administer_dose(
            facts=facts(), recorded_at=at(TOMORROW, hour=0), **dose(occurred_on=TOMORROW)
        )
        assert child.doses_on(TOMORROW)

    def test_a_dose_after_death_is_refused_and_one_before_is_still_entered(self):
        child = record()
        child.change_roll(recorded_at=at(TODAY), status=Roll.DECEASED, on=YESTERDAY)
        give(child, occurred_on=YESTERDAY)
        with pytest.raises(DoseAfterDeath):
            give(child, dose=handle(50))

    def test_the_last_day_of_a_package_is_a_day_of_use(self):
        assert give(record(), expires_on=TODAY).doses_on(TODAY)

    def test_an_expired_package_is_refused(self):
        with pytest.raises(LotExpired):
            give(record(), expires_on=YESTERDAY)

    def test_a_vaccine_that_the_catalogue_does_not_know_is_refused(self):
        with pytest.raises(UnknownVaccine):
            give(record(), vaccine="Snake-Oil")

    def test_an_oral_vaccine_is_not_injected(self):
        with pytest.raises(RouteNotAllowed):
            give(record(), vaccine="OPV", site="ORAL", route="IM")

    def test_bcg_is_not_given_in_the_thigh(self):
        with pytest.raises(SiteNotAllowed):
            give(record(), vaccine="BCG", site="LT", route="ID")

    def test_a_national_code_of_another_vaccine_is_refused(self):
        with pytest.raises(NationalCodeMismatch):
            give(record(), national_code="0101")

    def test_a_national_code_that_systems_read_differently_fits_either_vaccine(self):
        """E-17: 1902 is HepA-L in one source and HepA-I in another."""
        hepatitis_a = {"vaccine": "HepA-L", "national_code": "1902"}
        assert give(record(), **hepatitis_a).doses_on(TODAY)

    def test_the_exact_time_lies_on_the_day_of_the_dose(self):
        with pytest.raises(TimeNotOnDay):
            give(record(), knowing=facts(occurred_at=at(YESTERDAY)))

    def test_one_dose_is_entered_once(self):
        with pytest.raises(DuplicateDose):
            give(give(record()))

    def test_a_school_gives_no_doses(self):
        with pytest.raises(NotAClinic):
            give(record(), knowing=facts(clinic_kind=OrganisationKind.SCHOOL))

    @pytest.mark.parametrize("source", [SourceSystem.PAPER, SourceSystem.OTHER_PROVINCE])
    def test_a_dose_that_nobody_here_gave_needs_its_evidence(self, source):
        """C-26: it is transcribed, not administered."""
        with pytest.raises(EvidenceRequired):
            give(record(), source_system=source)


class TestTranscription:
    """C-26: doses from paper or another province."""

    def transcribe(self, child, **changes):
        child.transcribe_dose(
            facts=facts(),
            recorded_at=at(TODAY),
            **{
                "dose": DOSE,
                "vaccine": "BCG",
                "occurred_on": date(2015, 3, 21),
                "source_system": SourceSystem.OTHER_PROVINCE,
                "province": "34",
                "evidence_kind": EvidenceKind.CERTIFICATE,
                "evidence": "ef" * 32,
                "clinic": CLINIC,
                **changes,
            },
        )
        return child

    def test_a_dose_from_another_province_needs_no_more_than_the_paper_says(self):
        (state,) = self.transcribe(record()).doses_on(TODAY)
        assert state.is_transcribed
        assert state.province == "34"
        assert state.lot is None

    def test_what_paper_says_is_checked_like_anything_else(self):
        with pytest.raises(DoseBeforeBirth):
            self.transcribe(record(), occurred_on=date(1995, 1, 1))

    def test_transcribing_does_not_make_a_clinic_serve_the_child(self):
        """S-8."""
        assert self.transcribe(record(), clinic=OTHER_CLINIC).serving_clinics() == {CLINIC}

    def test_the_clinic_of_the_newest_dose_serves_the_child_beside_the_managing_one(self):
        """S-8."""
        child = give(record(), clinic=OTHER_CLINIC)
        assert child.serving_clinics() == {CLINIC, OTHER_CLINIC}


class TestCorrectedDose:
    """C-21: 修正相关信息后，将于次日生效."""

    def test_a_correction_shows_from_the_next_day_on(self):
        child = correct(give(record()), change("lot", "201803012", "201803021"))
        assert child.doses_on(TODAY)[0].lot == "201803012"
        assert child.doses_on(TOMORROW)[0].lot == "201803021"

    def test_an_urgent_correction_shows_at_once(self):
        child = correct(
            give(record()), change("lot", "201803012", "201803021"), urgency=Urgency.IMMEDIATE
        )
        assert child.doses_on(TODAY)[0].lot == "201803021"

    def test_an_urgent_correction_does_not_pull_an_older_one_forward(self):
        child = correct(give(record()), change("lot", "201803012", "201803021"))
        correct(child, change("site", "LA", "RA"), urgency=Urgency.IMMEDIATE)
        assert (child.doses_on(TODAY)[0].lot, child.doses_on(TODAY)[0].site) == ("201803012", "RA")
        assert child.doses_on(TOMORROW)[0].lot == "201803021"

    def test_a_correction_of_a_correction_starts_from_the_newest_reading(self):
        child = correct(give(record()), change("lot", "201803012", "201803021"))
        with pytest.raises(CurrentStateDiffers) as refused:
            correct(child, change("lot", "201803012", "X"))
        assert refused.value.facts["current"] == "201803021"
        correct(child, change("lot", "201803021", "201803022"))
        assert child.doses_on(TOMORROW)[0].lot == "201803022"

    def test_numbers_and_dates_are_corrected_as_such(self):
        child = give(record(), dose_number=1)
        correct(
            child,
            change("dose_number", "1", "2"),
            change("occurred_on", "2018-09-03", "2018-09-02"),
        )
        (state,) = child.doses_on(TOMORROW)
        assert (state.dose_number, state.occurred_on) == (2, date(2018, 9, 2))

    def test_an_optional_field_may_be_emptied_and_filled(self):
        child = correct(give(record(), dose_number=1), change("dose_number", "1", None))
        assert child.doses_on(TOMORROW)[0].dose_number is None
        correct(child, change("dose_number", None, "1"))
        assert child.doses_on(TOMORROW)[0].dose_number == 1

    def test_nothing_is_corrected_into_what_could_not_have_been_entered(self):
        with pytest.raises(SiteNotAllowed):
            correct(give(record()), change("site", "LA", "LT"))

    @pytest.mark.parametrize("field", ["dose", "clinic", "version", "effective_on", "name"])
    def test_some_fields_are_never_corrected(self, field):
        with pytest.raises(FieldNotCorrectable):
            correct(give(record()), change(field, "a", "b"))

    def test_a_date_is_not_emptied(self):
        with pytest.raises(FieldNotCorrectable):
            correct(give(record()), change("occurred_on", "2018-09-03", None))

    def test_a_field_is_corrected_once_at_a_time(self):
        twice = change("lot", "201803012", "A"), change("lot", "201803012", "B")
        with pytest.raises(FieldNotCorrectable):
            correct(give(record()), *twice)

    def test_a_correction_changes_something(self):
        with pytest.raises(NothingChanges):
            correct(give(record()))
        with pytest.raises(NothingChanges):
            correct(give(record()), change("lot", "201803012", "201803012"))

    def test_an_unknown_dose_is_not_corrected(self):
        with pytest.raises(UnknownDose):
            correct(record(), change("lot", "A", "B"))


class TestDoseEnteredInError:
    """Nothing is deleted: it is struck out, and the history keeps it."""

    def strike(self, child, urgency=Urgency.NEXT_DAY):
        child.enter_dose_in_error(
            urgency=urgency,
            cause=Cause(CORRECTION, 3),
            recorded_at=at(TODAY),
            dose=DOSE,
            correction=CORRECTION,
            reason="other-child",
        )
        return child

    def test_a_dose_of_another_child_disappears_the_next_day(self):
        child = self.strike(give(record()))
        assert len(child.doses_on(TODAY)) == 1
        assert child.doses_on(TOMORROW) == ()

    def test_the_event_of_the_dose_stays(self):
        child = self.strike(give(record()))
        assert [type(event).TOPIC for event in child.pending_events][1:] == [
            "vaccination-record.dose-administered.v1",
            "vaccination-record.dose-entered-in-error.v1",
        ]

    def test_a_struck_dose_is_neither_struck_again_nor_corrected_nor_entered_again(self):
        child = self.strike(give(record()))
        with pytest.raises(UnknownDose):
            self.strike(child)
        with pytest.raises(UnknownDose):
            correct(child, change("lot", "201803012", "B"))
        with pytest.raises(DuplicateDose):
            give(child)


class TestDoseReinstated:
    """A strike may be wrong as well; both stay in the history."""

    strike = TestDoseEnteredInError.strike

    def reinstate(self, child, urgency=Urgency.NEXT_DAY):
        child.reinstate_dose(
            urgency=urgency,
            cause=Cause(CORRECTION, 3),
            recorded_at=at(TODAY),
            dose=DOSE,
            correction=CORRECTION,
            reason="strike-was-wrong",
        )
        return child

    def test_a_dose_struck_out_at_once_reads_again_the_next_day(self):
        child = self.reinstate(self.strike(give(record()), Urgency.IMMEDIATE))
        assert child.doses_on(TODAY) == ()
        (dose,) = child.doses_on(TOMORROW)
        assert dose.lot == "201803012"

    def test_before_the_strike_counts_it_comes_to_nothing(self):
        child = self.reinstate(self.strike(give(record())))
        assert len(child.doses_on(TODAY)) == len(child.doses_on(TOMORROW)) == 1

    def test_it_reads_as_corrected_before_and_may_be_corrected_and_struck_again(self):
        child = correct(give(record()), change("lot", "201803012", "B"))
        child = self.reinstate(self.strike(child))
        assert child.dose(DOSE).lot == "B"
        correct(child, change("lot", "B", "C"))
        assert self.strike(child).dose(DOSE) is None

    def test_only_what_is_struck_out_is_reinstated(self):
        with pytest.raises(NotStruck):
            self.reinstate(give(record()))
        with pytest.raises(NotStruck):
            self.reinstate(record())


class TestContraindication:
    """A-11, S-10, X-5: groups and days are clear, kind and cause are sealed."""

    ONE = handle(70)

    def note(self, child, **changes):
        child.record_contraindication(
            known_groups=GROUPS,
            clinic_kind=changes.pop("clinic_kind", OrganisationKind.CLINIC),
            recorded_at=at(TODAY),
            **{
                "contraindication": self.ONE,
                "vaccine_groups": ("MCV",),
                "lasting": False,
                "valid_from": TODAY,
                "valid_to": TOMORROW,
                "clinic": CLINIC,
                **changes,
            },
        )
        return child

    def test_a_passing_one_holds_on_its_first_and_last_day_and_on_no_other(self):
        child = self.note(record())
        days = [YESTERDAY, TODAY, TOMORROW, TOMORROW + timedelta(days=1)]
        assert [len(child.contraindications_on(day)) for day in days] == [0, 1, 1, 0]

    def test_a_lasting_one_holds_until_it_is_lifted(self):
        child = self.note(record(), lasting=True, valid_to=None)
        later = TODAY + timedelta(days=400)
        assert child.contraindications_on(later)
        child.lift_contraindication(recorded_at=at(TODAY), contraindication=self.ONE, on=TOMORROW)
        assert child.contraindications_on(TODAY)
        assert not child.contraindications_on(TOMORROW)

    def test_a_lasting_one_has_no_end(self):
        with pytest.raises(LastingWithEnd):
            self.note(record(), lasting=True)

    def test_it_does_not_end_before_it_starts(self):
        with pytest.raises(ValidityReversed):
            self.note(record(), valid_to=YESTERDAY)

    def test_a_group_that_no_table_has_is_refused(self):
        with pytest.raises(UnknownVaccineGroup):
            self.note(record(), vaccine_groups=("MCV", "XYZ"))

    def test_a_group_is_named_once(self):
        with pytest.raises(VaccineGroupNamedTwice):
            self.note(record(), vaccine_groups=("MCV", "MCV"))

    def test_it_is_not_lifted_before_it_starts(self):
        child = self.note(record())
        with pytest.raises(ValidityReversed):
            child.lift_contraindication(
                recorded_at=at(TODAY), contraindication=self.ONE, on=YESTERDAY
            )

    def test_it_is_recorded_once_and_by_a_clinic(self):
        with pytest.raises(DuplicateContraindication):
            self.note(self.note(record()))
        with pytest.raises(NotAClinic):
            self.note(record(), clinic_kind=OrganisationKind.SCHOOL)

    def test_it_is_lifted_once_and_only_if_it_is_there(self):
        child = record()
        with pytest.raises(UnknownContraindication):
            child.lift_contraindication(recorded_at=at(TODAY), contraindication=self.ONE, on=TODAY)
        self.note(child)
        child.lift_contraindication(recorded_at=at(TODAY), contraindication=self.ONE, on=TODAY)
        with pytest.raises(ContraindicationEnded):
            child.lift_contraindication(recorded_at=at(TODAY), contraindication=self.ONE, on=TODAY)


def test_a_record_that_is_replayed_reads_as_the_one_that_was_written():
    child = correct(give(record()), change("lot", "201803012", "201803021"))
    replayed = None
    for event in child.collect_events():
        replayed = event.mutate(replayed)
    assert replayed == child
