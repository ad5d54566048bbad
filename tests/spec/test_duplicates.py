"""Which records and doses are alike, and what merging, separating and telling apart do."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from domain.dose_counts import component_counts
from domain.dose_duplicates import entered_twice
from domain.duplicates import (
    BIRTH_CERTIFICATE,
    GUARDIAN_BIRTH,
    GUARDIAN_SOUND,
    LIKENESSES,
    NAME,
    SOUND,
    THRESHOLD,
    keys,
    score,
)
from domain.effect import Cause
from domain.identity import BirthCertificateNumber
from domain.merging import HasMergedRecords, NotMerged, RecordMerged, RecordsNotAlike
from domain.private import Sex
from domain.roll import Roll
from domain.sound import plain, sound
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import PersonKind, SourceSystem, Urgency
from tests.spec.actors import (
    BORN,
    CATALOGUE,
    CDC,
    CLINIC,
    CORRECTION,
    DOSE,
    RECORD,
    TODAY,
    at,
    change,
    clinic,
    facts,
    give,
    handle,
    record,
    registration,
)

OTHER, OTHER_CHILD, OTHER_DOSE, THIRD = (handle(number) for number in range(50, 54))


class TestSound:
    """拼音与异体字."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("吕峰", "呂峯"),  # traditional, variant
            ("王喆", "王哲"),
            ("李晓明", "李小明"),  # heard, not read
            ("张国栋", "張國棟"),
            ("阿依古丽·买买提", "阿依古丽买买提"),  # with and without the point
            ("Ａｎｎａ 李", "anna李"),
        ],
    )
    def test_names_that_are_mistaken_for_one_another_sound_the_same(self, one, other):
        assert sound(one) == sound(other)

    def test_other_names_sound_different(self):
        assert sound("王小明") != sound("黄小明")

    def test_spelling_is_compared_without_width_case_and_points(self):
        assert plain("Ａnna · 李") == plain("anna李") != plain("anna黎")

    def test_rare_characters_have_a_reading(self):
        assert sound("㛃䶮𬭊").isascii()


class TestLikeness:
    def alike(self, changes=(), guardians=("id-card:1",), others=("id-card:1",)):
        child = {"name": "王小明", "sex": Sex.MALE, "birth_date": date(2014, 6, 15)}
        one = set(keys(child, guardians))
        return {kind for kind, _ in one & set(keys({**child, **dict(changes)}, others))}

    def test_the_same_child_is_alike_in_all(self):
        assert self.alike() == {NAME.id, SOUND.id, GUARDIAN_BIRTH.id, GUARDIAN_SOUND.id}
        assert score(self.alike()) > 85

    def test_a_name_heard_and_another_sex_still_show_a_candidate(self):
        alike = self.alike({"name": "王晓鸣", "sex": Sex.FEMALE})
        assert NAME.id not in alike
        assert score(alike) >= THRESHOLD

    def test_a_wrong_birth_date_shows_by_the_guardian(self):
        assert self.alike({"birth_date": date(2014, 6, 16)}) == {GUARDIAN_SOUND.id}
        assert score([GUARDIAN_SOUND.id]) >= THRESHOLD

    def test_twins_are_no_candidates(self):
        assert self.alike({"name": "王大壮"}) == {GUARDIAN_BIRTH.id}
        assert score([GUARDIAN_BIRTH.id]) < THRESHOLD

    def test_two_strangers_whose_names_sound_alike_are_no_candidates(self):
        alike = self.alike({"name": "王晓明"}, others=("id-card:2",))
        assert alike == {SOUND.id}
        assert score(alike) < THRESHOLD

    def test_one_birth_certificate_is_nearly_sure(self):
        number = BirthCertificateNumber.parse("A410000001")
        one = set(keys({"birth_certificate_number": number}, ()))
        assert {kind for kind, _ in one} == {BIRTH_CERTIFICATE.id}
        assert score([BIRTH_CERTIFICATE.id]) == 95

    def test_more_likeness_is_never_less_sure_and_never_certain(self):
        alike = []
        seen = [0]
        for likeness in LIKENESSES:
            alike.append(likeness)
            seen.append(score(alike))
        assert seen == sorted(seen)
        assert seen[-1] == 99


def duplicate(kind=PersonKind.CHILD):
    child = VaccinationRecord.register(
        OTHER,
        managed_by=clinic(),
        birth_date=BORN,
        recorded_at=at(TODAY),
        **registration(recipient=OTHER_CHILD, guardians=(), kind=kind),
    )
    return give(child, dose=OTHER_DOSE)


def merge(survivor, other, seen=None):
    survivor.merge(
        other,
        recorded_at=at(TODAY),
        duplicate_version=seen or other.version,
        organisation=CDC,
        reason="same-person",
    )
    return survivor


def separate(survivor, other):
    survivor.separate(other, recorded_at=at(TODAY), organisation=CDC, reason="another-person")


class TestMerging:
    """合并与拆分，两份历史都保留."""

    def test_both_records_know_of_it_and_keep_their_doses(self):
        survivor, other = give(record()), duplicate()
        merge(survivor, other)
        assert survivor.merged == {OTHER}
        assert other.merged_into == RECORD
        assert survivor.dose(DOSE) is not None
        assert other.dose(OTHER_DOSE) is not None
        cause = other.pending_events[-1].derived.cause
        assert (cause.stream, cause.version) == (RECORD, survivor.version)

    def test_the_merged_record_takes_nothing_new(self):
        other = duplicate()
        merge(record(), other)
        with pytest.raises(RecordMerged) as refused:
            give(other, dose=THIRD)
        assert refused.value.facts == {"survivor": str(RECORD)}
        with pytest.raises(RecordMerged):
            other.change_roll(recorded_at=at(TODAY), status=Roll.MOVED_OUT, on=TODAY)
        with pytest.raises(RecordMerged):
            other.add_guardian(recorded_at=at(TODAY), person=THIRD, relation="mother")

    def test_its_doses_can_still_be_corrected(self):
        other = duplicate()
        merge(record(), other)
        lot = other.dose(OTHER_DOSE).lot
        other.correct_dose(
            facts=facts(),
            cause=Cause(CORRECTION, 3),
            recorded_at=at(TODAY),
            dose=OTHER_DOSE,
            changes=(change("lot", lot, "202001"),),
            correction=THIRD,
            urgency=Urgency.IMMEDIATE,
        )
        assert other.dose(OTHER_DOSE).lot == "202001"

    def test_separated_both_stand_by_themselves_again(self):
        survivor, other = give(record()), duplicate()
        merge(survivor, other)
        separate(survivor, other)
        assert survivor.merged == frozenset()
        assert other.merged_into is None
        give(other, dose=THIRD, occurred_on=TODAY - timedelta(days=30))
        assert len(other.doses_on(TODAY)) == 2

    def test_there_are_no_chains(self):
        survivor, other = record(), duplicate()
        merge(survivor, other)
        third = VaccinationRecord.register(
            THIRD,
            managed_by=clinic(),
            birth_date=BORN,
            recorded_at=at(TODAY),
            **registration(recipient=handle(60), guardians=()),
        )
        with pytest.raises(HasMergedRecords):
            merge(third, survivor)
        with pytest.raises(RecordMerged):
            merge(other, third)
        with pytest.raises(RecordMerged):
            merge(third, other)

    def test_nothing_is_merged_with_itself_or_another_kind(self):
        one = record()
        with pytest.raises(RecordsNotAlike):
            merge(one, one)
        with pytest.raises(RecordsNotAlike):
            merge(one, duplicate(PersonKind.ADULT))

    def test_what_is_not_merged_is_not_separated(self):
        with pytest.raises(NotMerged):
            separate(record(), duplicate())

    def test_twins_are_told_apart(self):
        one = record()
        one.tell_apart(duplicate(), recorded_at=at(TODAY), organisation=CLINIC, reason="twins")
        assert one.told_apart == {OTHER}


class TestDosesEnteredTwice:
    """疑似重复接种记录只标记，不删除、不重复计数."""

    def twice(self, *given):
        child = record()
        for number, changes in enumerate(given):
            give(child, dose=handle(70 + number), **changes)
        found = entered_twice(child.doses_on(TODAY), CATALOGUE)
        return [(one.check.id, *sorted((one.one.int, one.other.int))) for one in found]

    def test_the_same_vaccine_on_one_day(self):
        assert self.twice({}, {"lot": "B2"}) == [("same-day-again", 70, 71)]

    def test_a_combined_vaccine_and_a_component_on_one_day(self):
        combined = {"vaccine": "DTaP-IPV-Hib", "site": "LT", "route": "IM"}
        component = {"vaccine": "Hib", "site": "RT", "route": "IM"}
        assert self.twice(combined, component) == [("same-day-again", 70, 71)]

    def test_a_combined_vaccine_is_one_dose_and_counts_once_for_each_component(self):
        combined = {"vaccine": "DTaP-IPV-Hib", "site": "LT", "route": "IM"}
        child = give(record(), dose=handle(70), **combined)
        once = component_counts(child.doses_on(TODAY), CATALOGUE)
        assert set(once) == CATALOGUE.vaccines["DTaP-IPV-Hib"].components
        assert set(once.values()) == {1}
        give(child, dose=handle(71), vaccine="Hib", site="RT", route="IM")
        assert component_counts(child.doses_on(TODAY), CATALOGUE) == once
        earlier = TODAY - timedelta(days=60)
        give(child, dose=handle(72), vaccine="Hib", site="RT", route="IM", occurred_on=earlier)
        assert sum(component_counts(child.doses_on(TODAY), CATALOGUE).values()) == len(once) + 1

    def test_a_date_mistyped_by_a_few_days(self):
        before = {"occurred_on": TODAY - timedelta(days=6)}
        assert self.twice({}, before) == [("soon-again", 70, 71)]

    def test_a_week_later_is_another_dose(self):
        assert self.twice({}, {"occurred_on": TODAY - timedelta(days=7)}) == []

    def test_two_vaccines_on_one_day_are_two_doses(self):
        assert self.twice({}, {"vaccine": "HepB", "route": "IM"}) == []

    def test_after_a_bite_doses_follow_within_days(self):
        bite = {"vaccine": "Rabies", "route": "IM", "source_system": SourceSystem.BITE_INJURY}
        earlier = {**bite, "occurred_on": TODAY - timedelta(days=3)}
        assert self.twice(bite, earlier) == []
        assert self.twice(bite, bite) == [("same-day-again", 70, 71)]

    def test_a_dose_struck_out_is_no_second_one(self):
        child = give(record())
        give(child, dose=OTHER_DOSE)
        child.enter_dose_in_error(
            urgency=Urgency.IMMEDIATE,
            cause=Cause(CORRECTION, 3),
            recorded_at=at(TODAY),
            dose=OTHER_DOSE,
            correction=UUID(int=9),
            reason="entered-twice",
        )
        assert not list(entered_twice(child.doses_on(TODAY + timedelta(days=1)), CATALOGUE))
