"""The demo's data set: reproducible, valid in form, and with every special case in it."""

import hmac
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest

from domain import codec
from domain.calendar import SHANGHAI, completed_age
from domain.identity import IdNumber
from domain.schedules.catalogue import Catalogue
from domain.schedules.dose_allocation import Dose
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import Case, Contraindication
from domain.topics import EVENTS, check_private
from examples.kaifeng.dataset import FOLDER, Dataset
from examples.kaifeng.making.files import files, make

CHECK_DAY = date(2018, 9, 3)
ADMINISTERED = "vaccination-record.dose-administered.v1"
TRANSCRIBED = "vaccination-record.dose-transcribed.v1"


@pytest.fixture(scope="module")
def data():
    return Dataset()


@pytest.fixture(scope="module")
def by_record(data):
    """The doses before the check, by record, in their order."""
    histories = defaultdict(list)
    for line in data.doses:
        histories[line.record].append(line)
    return histories


def vaccines(history):
    return [line.vaccine for line in history]


def with_trait(data, trait):
    children = [child for child in data.children if trait in child.traits]
    assert children, f"no child is an example of {trait}"
    return children


def finding(child, doses, contraindications):
    case = Case(
        birth_date=child.birth_date,
        check_date=CHECK_DAY,
        entry_type=child.enrolment.entry_type,
        has_certificate=child.check.has_certificate,
        doses=tuple(Dose(vaccine, day) for vaccine, day in doses),
        contraindications=tuple(contraindications),
    )
    return evaluate(EntryRequirements.load(), case)


class TestReproducible:
    def test_the_committed_files_are_what_the_generator_makes(self):
        for name, text in files(make()).items():
            committed = (FOLDER / name).read_text(encoding="utf-8")
            assert committed == text, f"{name}: run python examples/kaifeng/generate.py"

    def test_two_runs_in_one_process_make_the_same(self):
        assert files(make()) == files(make())

    def test_the_files_stay_under_six_megabytes(self):
        assert sum((FOLDER / name).stat().st_size for name in files(make())) < 6_000_000


class TestCounts:
    def test_one_county_two_townships_four_clinics_four_schools(self, data):
        kinds = Counter(organisation.kind for organisation in data.organisations)
        assert kinds == {"county-cdc": 1, "township": 2, "clinic": 4, "school": 4}

    def test_each_township_has_two_clinics_a_kindergarten_and_a_primary_school(self, data):
        for division in ("410299101", "410299102"):
            there = [each for each in data.organisations if each.division == division]
            assert sum(each.kind == "clinic" for each in there) == 2
            types = {each.data.get("institution_type") for each in there} - {None}
            assert types == {"kindergarten", "primary"}

    def test_schools_are_public_and_private(self, data):
        owners = Counter(o.data["ownership"] for o in data.organisations if o.kind == "school")
        assert owners == {"public": 2, "private": 2}

    def test_every_organisation_comes_after_the_one_above(self, data):
        seen = {None}
        for organisation in data.organisations:
            assert organisation.parent in seen
            seen.add(organisation.id)

    def test_divisions_of_the_demo_lie_beneath_kaifeng_and_are_marked_synthetic(self, data):
        synthetic = [division.code for division in data.divisions if division.synthetic]
        assert synthetic == ["410299", "410299101", "410299102"]
        assert next(d.parent for d in data.divisions if d.code == "410299") == "410200"

    def test_three_hundred_children_sit_in_twelve_classes_of_about_twenty_five(self, data):
        assert len(data.children) == 300
        classes = Counter((c.enrolment.institution, c.enrolment.class_name) for c in data.children)
        assert len(classes) == 12
        assert all(24 <= size <= 26 for size in classes.values())

    def test_numbers_in_a_class_run_from_one_without_gaps(self, data):
        numbers = defaultdict(list)
        for child in data.children:
            key = (child.enrolment.institution, child.enrolment.class_name)
            numbers[key].append(child.enrolment.data["number"])
        for found in numbers.values():
            assert found == list(range(1, len(found) + 1))

    def test_children_are_two_to_seven_years_old_at_the_check(self, data):
        ages = {completed_age(child.birth_date, CHECK_DAY) for child in data.children}
        assert ages == {2, 3, 4, 5, 6, 7}

    def test_there_are_about_six_thousand_doses(self, data):
        assert 5_500 <= len(data.doses) <= 6_300

    def test_expected_counts_are_those_of_the_files(self, data):
        expected = data.expected
        assert expected["children"]["all"] == len(data.children)
        assert expected["doses"]["by_topic"] == Counter(line.topic for line in data.doses)
        assert expected["doses"]["by_vaccine"] == Counter(vaccines(data.doses))
        assert expected["makeups"]["all"] == len(data.makeups)
        assert sum(expected["contraindications"].values()) == len(data.contraindications)
        without = [child for child in data.children if not child.check.has_certificate]
        assert expected["children"]["without_certificate"] == len(without)
        persons = {person for child in data.children for person in child.private}
        assert expected["children"]["persons"] == len(persons)

    def test_doses_stand_in_the_order_in_which_they_were_given(self, data):
        for lines in (data.doses, data.makeups):
            assert all(a.occurred_on <= b.occurred_on for a, b in pairwise(lines))


class TestForm:
    def test_clear_fields_are_those_of_each_topic(self, data):
        for line in (*data.doses, *data.makeups, *data.contraindications):
            codec.statement_fields(EVENTS[line.topic], line.data)
        for child in data.children:
            codec.statement_fields(EVENTS["vaccination-record.registered.v1"], child.data)
            codec.statement_fields(EVENTS["enrolment.enrolled.v1"], child.enrolment.data)
        for topic, lines in (
            ("organisation.registered.v1", data.organisations),
            ("correction.requested.v1", data.corrections),
            ("certificate.claimed.v1", data.claims),
            ("certificate.granted.v1", data.grants),
        ):
            for line in lines:
                codec.statement_fields(EVENTS[topic], line.data)

    def test_personal_values_are_those_of_each_topic(self, data):
        for child in data.children:
            for person, values in child.private.items():
                role = "recipient" if UUID(person) == child.recipient else "guardian"
                check_private("vaccination-record.registered.v1", role, values)
        for line in (*data.doses, *data.makeups, *data.contraindications):
            [values] = line.private.values()
            check_private(line.topic, "recipient", values)
        for correction in data.corrections:
            for values in correction.private.values():
                check_private("correction.requested.v1", "recipient", values)
        for grant in data.grants:
            [(person, values)] = grant.private.items()
            assert person == grant.data["grantee"]
            check_private("certificate.granted.v1", "grantee", values)

    def test_every_identity_number_is_valid_of_no_county_and_agrees_with_its_person(self, data):
        for child in data.children:
            for values in child.private.values():
                if "id_number" in values:
                    assert IdNumber.parse(values["id_number"]).area_code == "410299"
            if "id_number" in child.identity:
                number = IdNumber.parse(child.identity["id_number"])
                assert number.birth_date == child.birth_date
                assert number.sex == child.identity["sex"]

    def test_no_number_of_a_person_is_used_twice(self, data):
        people = {}
        for child in data.children:
            people.update(child.private)
        for name in ("id_number", "birth_certificate_number", "certificate_number"):
            numbers = [values[name] for values in people.values() if name in values]
            assert len(set(numbers)) == len(numbers)

    def test_package_codes_are_twenty_digits_from_81_and_unique(self, data):
        codes = [
            values["package_code"]
            for line in (*data.doses, *data.makeups)
            for values in line.private.values()
            if line.topic == ADMINISTERED
        ]
        assert all(len(code) == 20 and code.isdigit() and code[:2] == "81" for code in codes)
        assert len(set(codes)) == len(codes)

    def test_ids_are_version_7_and_unique(self, data):
        ids = [organisation.id for organisation in data.organisations]
        for child in data.children:
            ids += [child.record, child.recipient, child.enrolment.id, child.check.statement]
        ids += {UUID(person) for c in data.children for person in c.private} - {
            child.recipient for child in data.children
        }
        ids += [line.dose for line in (*data.doses, *data.makeups)]
        ids += [UUID(line.data["contraindication"]) for line in data.contraindications]
        ids += [correction.id for correction in data.corrections]
        ids += [claim.certificate for claim in data.claims]
        ids += [UUID(grant.data[name]) for grant in data.grants for name in ("grant", "grantee")]
        assert len(set(ids)) == len(ids)
        assert {(each.version, each.variant) for each in ids} == {(7, RFC_4122)}

    def test_sites_routes_and_codes_are_those_of_the_catalogue(self, data):
        catalogue = Catalogue.load("vaccines-cn-2018")
        for line in (*data.doses, *data.makeups):
            vaccine = catalogue.vaccines[line.vaccine]
            assert line.data.get("site", vaccine.sites[0]) in vaccine.sites
            assert line.data.get("route", vaccine.routes[0]) in vaccine.routes
            if "national_code" in line.data:
                assert catalogue.vaccine(line.data["national_code"]).code == line.vaccine

    def test_no_dose_lies_before_birth_or_past_the_expiry_of_its_lot(self, data):
        born = {child.record: child.birth_date for child in data.children}
        for line in (*data.doses, *data.makeups):
            assert line.occurred_on >= born[line.record]
            assert line.data.get("expires_on", "9999") >= line.data["occurred_on"]

    def test_the_exact_time_lies_on_the_day_of_the_dose(self, data):
        for line in (*data.doses, *data.makeups):
            if line.topic == ADMINISTERED:
                [values] = line.private.values()
                at = datetime.fromisoformat(values["occurred_at"])
                assert at.astimezone(SHANGHAI).date() == line.occurred_on

    def test_a_lot_belongs_to_one_product_of_a_maker_and_has_one_expiry(self, data):
        corrected = {UUID(correction.data["dose"]) for correction in data.corrections}
        expiries = defaultdict(set)
        for line in (*data.doses, *data.makeups):
            if "lot" in line.data and line.dose not in corrected:
                key = (line.data["maker"], line.data["product"], line.data["lot"])
                expiries[key].add(line.data["expires_on"])
        assert all(len(days) == 1 for days in expiries.values())

    def test_every_clinic_school_and_record_that_is_named_exists(self, data):
        kinds = {organisation.id: organisation.kind for organisation in data.organisations}
        records = {child.record for child in data.children}
        lines = (*data.doses, *data.makeups, *data.contraindications, *data.corrections)
        assert all(kinds[line.clinic] == "clinic" for line in lines)
        assert all(line.record in records for line in (*lines, *data.claims))
        assert all(kinds[child.clinic] == "clinic" for child in data.children)
        assert all(kinds[child.enrolment.institution] == "school" for child in data.children)

    def test_only_the_recipient_is_sealed_with_a_dose(self, data):
        recipients = {child.record: str(child.recipient) for child in data.children}
        for line in (*data.doses, *data.makeups, *data.contraindications):
            assert list(line.private) == [recipients[line.record]]


class TestRules:
    def test_the_rules_find_exactly_the_gaps_that_the_histories_were_made_with(
        self, data, by_record
    ):
        contraindications = defaultdict(list)
        for line in data.contraindications:
            kind = "permanent" if line.data["lasting"] else "temporary"
            if line.data.get("valid_to", "9999") >= CHECK_DAY.isoformat():
                for group in line.data["vaccine_groups"]:
                    contraindications[line.record].append(Contraindication(group, kind))
        missing, exempt = {}, {}
        for child in data.children:
            doses = [(line.vaccine, line.occurred_on) for line in by_record[child.record]]
            found = finding(child, doses, contraindications[child.record])
            if found.missing:
                missing[str(child.record)] = {
                    gap.vaccine_group: len(gap.dose_numbers) for gap in found.missing
                }
            if found.exempt:
                exempt[str(child.record)] = {
                    gap.vaccine_group: len(gap.dose_numbers) for gap in found.exempt
                }
        assert missing == data.expected["missing"]
        assert exempt == data.expected["exempt"]

    def test_one_correction_makes_a_child_complete(self, data, by_record):
        [record] = map(UUID, data.expected["corrections"]["completes"])
        child = next(child for child in data.children if child.record == record)
        correction = next(each for each in data.corrections if each.record == record)
        after = {change["field"]: change["after"] for change in correction.data["changes"]}
        before, corrected = [], []
        for line in by_record[record]:
            before.append((line.vaccine, line.occurred_on))
            is_it = str(line.dose) == correction.data["dose"]
            corrected.append((after["vaccine"] if is_it else line.vaccine, line.occurred_on))
        assert finding(child, before, []).complete is False
        assert finding(child, corrected, []).complete is True


class TestSpecialChildren:
    @pytest.mark.parametrize(
        ("trait", "vaccine", "doses"),
        [
            ("combined-five", "DTaP-IPV-Hib", 4),
            ("combined-four", "DTaP-Hib", 4),
            ("combined-hepatitis", "HepAB", 2),
            ("conjugate", "MPCV-AC", 2),
            ("conjugate-surplus", "MPCV-AC", 3),
            ("encephalitis-inactivated", "JE-I", 2),
            ("encephalitis-four", "JE-I", 4),
            ("hepatitis-a-inactivated", "HepA-I", 2),
            ("hepatitis-a-half", "HepA-I", 1),
            ("four-groups", "MPSV-ACYW135", 1),
        ],
    )
    def test_combined_and_substituted_vaccines_occur(self, data, by_record, trait, vaccine, doses):
        for child in with_trait(data, trait):
            assert vaccines(by_record[child.record]).count(vaccine) >= doses - 1
        most = max(vaccines(by_record[c.record]).count(vaccine) for c in with_trait(data, trait))
        assert most >= doses

    def test_a_course_of_hepatitis_a_was_finished_with_the_combined_vaccine(self, data, by_record):
        [child] = with_trait(data, "hepatitis-a-mixed")
        assert {"HepA-I", "HepAB"} <= set(vaccines(by_record[child.record]))

    @pytest.mark.parametrize("vaccine", ["VarV", "Influenza", "Hib", "PCV13"])
    def test_vaccines_outside_the_programme_occur(self, data, vaccine):
        assert vaccine in vaccines(data.doses)

    def test_polio_changed_from_oral_to_injected_first_doses_in_may_2016(self, data):
        lines = [line for line in data.doses if line.data.get("national_code") == "0301"]
        assert lines
        assert max(line.occurred_on for line in lines) < date(2016, 5, 1)
        assert "0311" in {line.data.get("national_code") for line in data.doses}

    def test_rabies_doses_come_from_the_bite_injury_system(self, data, by_record):
        for child in with_trait(data, "bitten"):
            course = [line for line in by_record[child.record] if line.vaccine == "Rabies"]
            assert len(course) == 5
            assert {line.data["source_system"] for line in course} == {"bite-injury"}

    def test_late_doses_lie_weeks_behind_the_programme(self, data, by_record):
        for child in with_trait(data, "late"):
            assert _days_behind(child, by_record[child.record]) >= 28

    def test_early_doses_lie_before_the_age_of_the_programme(self, data, by_record):
        for child in with_trait(data, "early"):
            ages = {
                (line.vaccine, line.data["dose_number"]): (line.occurred_on - child.birth_date).days
                for line in by_record[child.record]
            }
            assert ages["MR", 1] < 242 or ages["DTaP", 4] < 546

    def test_a_child_has_nothing_on_file(self, data, by_record):
        [child] = with_trait(data, "nothing-on-file")
        assert not by_record[child.record]

    def test_missing_doses_occur_in_every_group(self, data):
        groups = {group for gaps in data.expected["missing"].values() for group in gaps}
        assert groups == set(EntryRequirements.load().groups)

    def test_doses_are_transcribed_from_paper_and_from_another_province(self, data):
        lines = [line for line in data.doses if line.topic == TRANSCRIBED]
        assert {line.data["source_system"] for line in lines} == {"paper", "other-province"}
        kinds = {line.data["evidence_kind"] for line in lines}
        assert kinds == {"certificate", "card", "other-system"}
        for line in lines:
            assert ("province" in line.data) == (line.data["source_system"] == "other-province")

    def test_evidence_is_a_digest_of_the_papers_line_under_the_sealed_salt(self, data):
        for line in data.doses:
            if line.topic == TRANSCRIBED:
                [values] = line.private.values()
                text = f"{line.vaccine} {line.occurred_on} {values['unit']}".encode()
                salt = bytes.fromhex(values["evidence_salt"])
                assert hmac.digest(salt, text, sha256).hex() == line.data["evidence"]

    def test_some_doses_are_there_twice_on_one_day(self, data, by_record):
        for child in [*with_trait(data, "copied"), *with_trait(data, "entered-twice")]:
            slots = Counter((line.vaccine, line.occurred_on) for line in by_record[child.record])
            assert 2 in slots.values()

    def test_a_double_hides_a_gap(self, data, by_record):
        [child] = with_trait(data, "double-hides-gap")
        course = [line for line in by_record[child.record] if line.vaccine == "DTaP"]
        assert len(course) == 4
        assert len({line.occurred_on for line in course}) == 3
        assert data.expected["missing"][str(child.record)]["DPT"] == 1

    def test_contraindications_are_lasting_passing_and_past(self, data):
        lasting = [line for line in data.contraindications if line.data["lasting"]]
        passing = [line for line in data.contraindications if not line.data["lasting"]]
        assert all("valid_to" not in line.data for line in lasting)
        ends = [date.fromisoformat(line.data["valid_to"]) for line in passing]
        assert lasting
        assert any(day >= CHECK_DAY for day in ends)
        assert any(day < CHECK_DAY for day in ends)

    def test_nobody_got_a_live_vaccine_that_is_forbidden_for_good(self, data, by_record):
        for child in with_trait(data, "contraindicated-live"):
            live = {"MR", "MMR", "JE-L", "HepA-L", "OPV", "VarV"}
            assert not live & set(vaccines(by_record[child.record]))

    def test_some_children_have_no_certificate_and_most_get_it_again(self, data):
        without = [child for child in data.children if not child.check.has_certificate]
        lost = [child for child in without if "certificate_number" in child.identity]
        assert len(without) == 12
        assert len(lost) == 6
        assert 0 < sum(child.check.reissued_on is None for child in without) < 6

    def test_some_children_have_no_identity_number_yet(self, data):
        without = [child for child in data.children if "id_number" not in child.identity]
        assert len(without) == 15

    def test_twins_share_birthday_class_and_guardians(self, data):
        pairs = defaultdict(list)
        for child in with_trait(data, "twin"):
            guardians = tuple(guardian["person"] for guardian in child.data["guardians"])
            pairs[child.birth_date, child.enrolment.class_name, guardians].append(child.name)
        assert len(pairs) == 3
        assert all(len(set(names)) == 2 for names in pairs.values())

    def test_siblings_share_guardians_and_are_years_apart(self, data):
        families = defaultdict(list)
        for child in with_trait(data, "sibling"):
            guardians = tuple(guardian["person"] for guardian in child.data["guardians"])
            families[guardians].append(child.birth_date)
        assert len(families) == 4
        for older, younger in map(sorted, families.values()):
            assert younger - older > timedelta(days=365)

    def test_same_names_occur_and_one_pair_shares_the_birthday(self, data):
        pairs = defaultdict(list)
        for child in with_trait(data, "same-name"):
            pairs[child.name].append(child)
        assert all(len(pair) == 2 for pair in pairs.values())
        same_day = [a.birth_date == b.birth_date for a, b in pairs.values()]
        assert sorted(same_day) == [False, False, True]
        for a, b in pairs.values():
            assert not set(a.private) & set(b.private)

    def test_children_were_born_on_29_february(self, data):
        born = {child.birth_date for child in with_trait(data, "born-29-february")}
        assert born == {date(2012, 2, 29), date(2016, 2, 29)}

    def test_five_year_olds_enter_primary_school(self, data):
        ages = {
            completed_age(child.birth_date, CHECK_DAY)
            for child in data.children
            if child.enrolment.entry_type == "primary"
        }
        assert ages == {5, 6, 7}

    def test_visitors_are_on_the_temporary_roll(self, data):
        admissions = Counter(child.enrolment.data["admission"] for child in data.children)
        assert set(admissions) == {"new", "transfer", "visiting"}
        for child in data.children:
            is_visiting = child.enrolment.data["admission"] == "visiting"
            assert child.data["roll"] == ("temporary" if is_visiting else "active")


class TestMakeUps:
    def test_about_a_third_of_the_children_with_gaps_had_doses_made_up(self, data):
        made_up = {line.record for line in data.makeups}
        share = len(made_up) / len(data.expected["missing"])
        assert 0.25 <= share <= 0.4
        assert {str(record) for record in made_up} <= set(data.expected["missing"])

    def test_make_ups_lie_between_october_and_the_second_look(self, data):
        rechecked = {child.record: child.check.rechecked_on for child in data.children}
        for line in data.makeups:
            assert date(2018, 10, 8) <= line.occurred_on <= date(2018, 11, 30)
            assert line.occurred_on <= rechecked[line.record]

    def test_some_make_ups_complete_a_child_and_some_do_not(self, data):
        given = Counter(line.record for line in data.makeups)
        lacking = {record: sum(data.expected["missing"][str(record)].values()) for record in given}
        assert any(given[record] == lacking[record] for record in given)
        assert any(given[record] < lacking[record] for record in given)

    def test_some_were_made_up_by_the_clinic_near_the_school(self, data):
        managing = {child.record: child.clinic for child in data.children}
        elsewhere = [line for line in data.makeups if line.clinic != managing[line.record]]
        assert 0 < len(elsewhere) < len(data.makeups)


class TestCorrections:
    def test_there_are_twenty_of_twenty_children(self, data):
        assert len(data.corrections) == 20
        assert len({correction.record for correction in data.corrections}) == 20

    def test_one_is_rejected_one_withdrawn_one_immediate(self, data):
        outcomes = Counter(correction.outcome for correction in data.corrections)
        assert outcomes == {"applied": 18, "rejected": 1, "withdrawn": 1}
        urgent = [each for each in data.corrections if each.data["urgency"] == "immediate"]
        assert len(urgent) == 1
        for correction in data.corrections:
            assert (correction.reason is None) == (correction.outcome == "applied")

    def test_the_value_before_is_what_the_record_says(self, data):
        doses = {str(line.dose): line for line in data.doses}
        for correction in data.corrections:
            line = doses[correction.data["dose"]]
            assert line.record == correction.record
            for change in correction.data["changes"]:
                assert str(line.data[change["field"]]) == change["before"] != change["after"]
            for person, values in correction.private.items():
                for name, before in values.get("before", {}).items():
                    assert line.private[person][name] == before != values["after"][name]

    def test_each_changes_something_or_strikes_out_a_second_entry(self, data, by_record):
        for correction in data.corrections:
            personal = any("after" in values for values in correction.private.values())
            if correction.data["kind"] == "amend":
                assert correction.data["changes"] or personal
            else:
                [dose] = [
                    line
                    for line in by_record[correction.record]
                    if str(line.dose) == correction.data["dose"]
                ]
                same = [
                    line
                    for line in by_record[correction.record]
                    if (line.vaccine, line.occurred_on) == (dose.vaccine, dose.occurred_on)
                ]
                assert len(same) == 2

    def test_only_personal_values_are_changed_by_some(self, data):
        reasons = {
            correction.data["reason"]
            for correction in data.corrections
            if correction.data["kind"] == "amend" and not correction.data["changes"]
        }
        assert reasons == {"wrong-vaccinator", "wrong-package-code"}

    def test_the_managing_clinic_writes_them_and_guardians_bring_evidence(self, data):
        managing = {child.record: child for child in data.children}
        for correction in data.corrections:
            child = managing[correction.record]
            assert correction.clinic == child.clinic
            assert correction.data["division"] == child.division
            by_guardian = correction.data["requested_by"] == "guardian"
            assert ("evidence" in correction.data) == by_guardian


class TestCertificates:
    def test_ten_parents_claim_with_the_number_on_file(self, data):
        children = {child.record: child for child in data.children}
        assert len(data.claims) == 10
        assert len({claim.holder for claim in data.claims}) == 10
        for claim in data.claims:
            on_file = children[claim.record].private[str(claim.holder)]
            relations = {
                g["person"]: g["relation"] for g in children[claim.record].data["guardians"]
            }
            assert relations[str(claim.holder)] in {"mother", "father"}
            assert (claim.name, claim.id_number) == (on_file["name"], on_file["id_number"])

    def test_twelve_grants_hold_and_the_eleventh_of_one_certificate_is_refused(self, data):
        assert sum(not grant.is_refused for grant in data.grants) == 12
        [refused] = [grant for grant in data.grants if grant.is_refused]
        same = [grant for grant in data.grants if grant.certificate == refused.certificate]
        assert len(same) == 11
        assert same[-1] is refused
        claimed = {claim.certificate for claim in data.claims}
        assert {grant.certificate for grant in data.grants} <= claimed


def test_no_line_holds_a_null():
    for path in sorted(FOLDER.glob("*.ndjson")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert ":null" not in line


def _days_behind(child, history):
    """Days between the age of the programme and that of the latest dose, where it is worst."""
    ages = {"HepB": (0, 31, 183), "DTaP": (91, 122, 153, 549), "MR": (244,), "MMR": (549,)}
    ages |= {"JE-L": (244, 731), "MPSV-A": (183, 274), "HepA-L": (549,), "MPSV-AC": (1096, 2192)}
    ages |= {"OPV": (61, 91, 122, 1461), "DT": (2192,), "IPV": (61,)}
    return max(
        (line.occurred_on - child.birth_date).days - ages[line.vaccine][number - 1]
        for line in history
        if line.vaccine in ages and (number := line.data["dose_number"]) <= len(ages[line.vaccine])
    )
