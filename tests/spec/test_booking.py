"""Who may book which dose, where and when: the Yongzhou notice of May 2021, rule by rule."""

from dataclasses import replace

import pytest

from domain.booking.course import Due, Window
from domain.booking.decision import decide
from domain.booking.lifecycle import OPEN, State
from domain.booking.rules import UnknownProduct
from domain.schedules.edition import Wording
from tests.spec.bookings import (
    AD5,
    CHANGSHA,
    CHO,
    LENGSHUITAN,
    LINGLING,
    VERO,
    YONGZHOU,
    booking,
    day,
    decided,
    doses,
    has,
    wish,
)

ACCEPT = ("accept",)
LATE = ("accept_with_warning", "later_than_recommended")


def reject(*reasons):
    return ("reject", *reasons)


COMPLETE = reject("course_complete")


class TestWho:
    @pytest.mark.parametrize(
        ("birth", "on", "answer"),
        [
            ("2003-05-10", "2021-05-10", ACCEPT),  # on the 18th birthday itself
            ("2003-05-11", "2021-05-10", reject("under_18")),
            ("2003-05-09", "2021-05-10", ACCEPT),
            ("2004-02-29", "2022-02-28", reject("under_18")),
            ("2004-02-29", "2022-03-01", ACCEPT),
            ("1921-01-01", "2021-05-10", ACCEPT),  # no upper age
        ],
    )
    def test_a8_age_is_reached_on_the_birthday_by_the_day_of_the_dose(self, birth, on, answer):
        assert decided(on, person={"birth_date": day(birth)}) == answer

    def test_a8_the_refusal_says_from_when(self):
        decision = decide(YONGZHOU, wish(person={"birth_date": day("2003-06-01")}))
        assert decision.possible_from == day("2021-06-01")
        (finding,) = decision.findings
        assert finding.rule == "A-8"
        assert finding.sentence.zh == "接种对象须满18周岁；2021-06-01起满足。"

    def test_a3_a_real_name_is_asked_for(self):
        assert decided(person={"is_real_name_verified": False}) == reject("not_real_name")

    @pytest.mark.parametrize(
        ("household", "residence", "site", "answer"),
        [
            (LENGSHUITAN, CHANGSHA, "冷水滩区", ACCEPT),  # registered here
            (CHANGSHA, LENGSHUITAN, "冷水滩区", ACCEPT),  # lives here
            (LENGSHUITAN, LINGLING, "冷水滩区", ACCEPT),
            (LENGSHUITAN, LINGLING, "零陵区", ACCEPT),
            (LENGSHUITAN, LINGLING, "祁阳县", reject("site_outside_own_counties")),
            (LENGSHUITAN, CHANGSHA, "零陵区", reject("site_outside_own_counties")),
            (LENGSHUITAN, CHANGSHA, "长沙市", reject("site_outside_own_counties")),
            (CHANGSHA, CHANGSHA, "冷水滩区", reject("not_yongzhou")),
            (CHANGSHA, CHANGSHA, "长沙市", reject("not_yongzhou")),
        ],
    )
    def test_a9_a10_the_site_lies_in_the_county_of_household_or_residence(
        self, household, residence, site, answer
    ):
        person = {"household": household, "residence": residence}
        assert decided(person=person, site_county=site) == answer

    def test_a10_the_refusal_names_the_counties_once_each(self):
        decision = decide(YONGZHOU, wish(site_county="祁阳县"))
        assert decision.findings[0].sentence.zh.endswith("接种点：冷水滩区。")

    @pytest.mark.parametrize("channel", ["individual", "proxy", "walk_in"])
    def test_a1_persons_book_here(self, channel):
        assert decided(channel=channel) == ACCEPT

    def test_a1_a_group_goes_to_the_office_or_the_site(self):
        assert decided(channel="group") == reject("group_books_with_office_or_site")


class TestHealth:
    @pytest.mark.parametrize(
        ("code", "defers"),
        [
            ("component_allergy", False),
            ("same_kind_allergy", False),
            ("severe_vaccine_reaction", False),
            ("uncontrolled_epilepsy", True),
            ("severe_neurological", False),
            ("fever", True),
            ("acute_illness", True),
            ("chronic_acute_phase", True),
            ("uncontrolled_chronic", True),
            ("pregnancy", True),
        ],
    )
    def test_a11_a_contraindication_refuses_for_good_or_for_now(self, code, defers):
        decision = decide(YONGZHOU, wish(person={"hindrances": (has(code),)}))
        assert (decision.reason, decision.defers) == ("contraindicated", defers)
        assert decision.findings[0].sentence.zh.startswith("目前" if defers else "有接种禁忌")

    def test_a11_one_lasting_contraindication_decides_in_any_order(self):
        both = (has("fever"), has("component_allergy"))
        for hindrances in (both, both[::-1]):
            decision = decide(YONGZHOU, wish(person={"hindrances": hindrances}))
            assert (decision.reasons, decision.defers) == (("contraindicated",), False)
            assert "正在发热" in decision.findings[0].sentence.zh

    @pytest.mark.parametrize(
        ("hindrance", "answer"),
        [
            (has("fever", "2021-05-09", "2021-05-09"), ACCEPT),
            (has("fever", "2021-05-09", "2021-05-10"), reject("contraindicated")),
            (has("fever", "2021-05-10", None), reject("contraindicated")),
            (has("pregnancy", "2021-05-11", None), ACCEPT),
            (has("pregnancy", None, "2021-05-10"), reject("contraindicated")),
            (has("component_allergy", "2021-05-11", None), reject("contraindicated")),
            (has("component_allergy", None, "2021-05-09"), ACCEPT),  # found to be none
        ],
    )
    def test_a11_what_has_passed_by_the_day_of_the_dose_does_not_hinder(self, hindrance, answer):
        assert decided(person={"hindrances": (hindrance,)}) == answer

    def test_a_deferral_says_from_when_if_every_end_is_known(self):
        fever, illness = has("fever", None, "2021-05-12"), has("acute_illness", None, "2021-05-20")
        for hindrances, possible_from in [
            ((fever, illness), day("2021-05-21")),
            ((fever, has("pregnancy")), None),
            ((fever, has("component_allergy", None, "2021-06-01")), None),
        ]:
            decision = decide(YONGZHOU, wish(person={"hindrances": hindrances}))
            assert decision.possible_from == possible_from


class TestDoses:
    @pytest.mark.parametrize(
        ("on", "answer"),
        [
            ("2021-05-10", reject("interval_too_short")),
            ("2021-05-30", reject("interval_too_short")),
            ("2021-05-31", ACCEPT),  # 21 days
            ("2021-07-05", ACCEPT),  # 56 days are inside
            ("2021-07-06", LATE),
            ("2023-05-10", LATE),  # never restarts
        ],
    )
    def test_a12_the_second_dose_of_vero_from_21_days_wished_within_56(self, on, answer):
        given = doses(VERO, "2021-05-10")
        assert decided(on, dose_number=2, given=given) == answer

    @pytest.mark.parametrize(
        ("on", "answer"),
        [
            ("2021-06-06", reject("interval_too_short")),
            ("2021-06-07", ACCEPT),  # 28 days
            ("2021-07-05", ACCEPT),
            ("2021-07-06", LATE),
        ],
    )
    def test_a14_the_second_dose_of_cho_from_28_days_wished_within_56(self, on, answer):
        given = doses(CHO, "2021-05-10")
        assert decided(on, product=CHO, dose_number=2, given=given) == answer

    @pytest.mark.parametrize(
        ("days", "on", "answer"),
        [
            (("2021-05-10", "2021-06-07"), "2021-07-04", reject("interval_too_short")),
            (("2021-05-10", "2021-06-07"), "2021-07-05", ACCEPT),
            (("2021-05-10", "2021-06-07"), "2021-11-10", ACCEPT),  # 6 months from dose 1
            (("2021-05-10", "2021-06-07"), "2021-11-11", LATE),
            (("2021-08-31", "2021-09-28"), "2022-02-28", ACCEPT),  # no 31 February: its end
            (("2021-08-31", "2021-09-28"), "2022-03-01", LATE),
            (("2021-08-29", "2021-09-28"), "2022-02-28", ACCEPT),
            (("2021-08-28", "2021-09-28"), "2022-03-01", LATE),
            (("2023-08-31", "2023-09-28"), "2024-02-29", ACCEPT),
            # Dose 2 so late that dose 3 cannot be in time: early is refused, late warned of.
            (("2021-05-10", "2021-11-01"), "2021-11-28", reject("interval_too_short")),
            (("2021-05-10", "2021-11-01"), "2021-11-29", LATE),
        ],
    )
    def test_a14_the_third_dose_from_28_days_after_the_second_in_6_months_after_the_first(
        self, days, on, answer
    ):
        assert decided(on, product=CHO, dose_number=3, given=doses(CHO, *days)) == answer

    def test_an_early_date_is_answered_with_the_earliest_one(self):
        decision = decide(
            YONGZHOU, wish("2021-05-30", dose_number=2, given=doses(VERO, "2021-05-10"))
        )
        assert decision.window == Window(day("2021-05-31"), day("2021-07-05"))
        assert decision.possible_from == day("2021-05-31")
        (finding,) = decision.findings
        assert (finding.rule, finding.code) == ("A-12", "interval_too_short")
        assert finding.sentence.zh == "与上一剂间隔不足，最早可预约2021-05-31。"
        assert finding.sentence.en.endswith("the earliest day is 2021-05-31.")

    @pytest.mark.parametrize(
        ("product", "given", "number", "answer"),
        [
            (VERO, (), 1, ACCEPT),
            (VERO, (), 0, reject("wrong_dose_number")),
            (VERO, (), 2, reject("previous_dose_not_given")),
            (VERO, (), 3, reject("wrong_dose_number")),  # there is no third
            (VERO, doses(VERO, "2021-01-10"), 1, reject("wrong_dose_number")),
            (VERO, doses(VERO, "2021-01-10"), 3, reject("wrong_dose_number")),
            (VERO, doses(VERO, "2021-01-10", "2021-02-10"), 3, COMPLETE),
            (VERO, doses(VERO, "2021-01-10", "2021-02-10"), 2, COMPLETE),
            (VERO, doses(VERO, "2021-01-10", "2021-02-10"), 1, COMPLETE),
            (AD5, (), 1, ACCEPT),
            (AD5, (), 2, reject("wrong_dose_number")),
            (AD5, doses(AD5, "2021-01-10"), 2, COMPLETE),
            (AD5, doses(AD5, "2021-01-10"), 1, COMPLETE),
            (CHO, (), 3, reject("previous_dose_not_given")),
            (CHO, doses(CHO, "2021-01-10"), 3, reject("previous_dose_not_given")),
            (CHO, doses(CHO, "2021-01-10", "2021-02-10"), 2, reject("wrong_dose_number")),
            (CHO, doses(CHO, "2021-01-10"), 4, reject("wrong_dose_number")),
            (
                CHO,
                doses(CHO, "2021-01-10", "2021-02-10", "2021-03-10"),
                4,
                COMPLETE,
            ),
        ],
    )
    def test_a12_to_a15_doses_are_counted_on_never_anew(self, product, given, number, answer):
        assert decided(product=product, given=given, dose_number=number) == answer

    def test_c27_a_number_on_record_stands_for_the_doses_before_it(self):
        second = doses(CHO, "2021-01-10", "2021-02-10")[1:]
        assert decided(product=CHO, given=second, dose_number=2) == reject("wrong_dose_number")
        # Dose 3 counts its interval from dose 2; a wish that hangs on dose 1 cannot be told.
        assert decided(product=CHO, given=second, dose_number=3) == ACCEPT

    def test_one_day_counts_once(self):
        twice = 2 * doses(CHO, "2021-04-01")
        assert decided(product=CHO, given=twice, dose_number=2) == ACCEPT

    @pytest.mark.parametrize(
        ("before", "product", "number"),
        [(VERO, CHO, 2), (VERO, CHO, 1), (CHO, VERO, 2), (VERO, AD5, 1), (AD5, VERO, 2)],
    )
    def test_x8_products_are_not_mixed_by_default(self, before, product, number):
        request = wish(product=product, given=doses(before, "2021-01-10"), dose_number=number)
        assert decide(YONGZHOU, request).reason == "product_mismatch"

    def test_a_product_that_no_rule_knows_is_a_fault_of_the_question(self):
        with pytest.raises(UnknownProduct):
            decide(YONGZHOU, wish(product="mrna"))


class TestChildhoodProgramme:
    """For these vaccines the forecast says which dose is due, and from when."""

    DUE = Due(
        Wording("A+C群流脑疫苗", "MenAC"), 1, 2, Window(day("2021-06-01"), day("2022-05-31")), "F-1"
    )
    CHILDREN = replace(YONGZHOU, minimum_age_years=0)

    @pytest.mark.parametrize(
        ("on", "number", "answer"),
        [
            ("2021-05-31", 1, reject("interval_too_short")),
            ("2021-06-01", 1, ACCEPT),
            ("2022-06-01", 1, LATE),
            ("2021-06-01", 2, reject("previous_dose_not_given")),
        ],
    )
    def test_the_earliest_date_is_the_forecast_s(self, on, number, answer):
        child = {"birth_date": day("2018-06-01")}
        request = wish(on, person=child, product="MPSV-AC", dose_number=number, forecast=self.DUE)
        decision = decide(self.CHILDREN, request)
        assert (decision.outcome.value, *decision.reasons) == answer

    def test_one_open_booking_of_a_vaccine(self):
        request = wish("2021-06-01", product="MPSV-AC", forecast=self.DUE)
        for other, reason in (("MPSV-AC", "duplicate_booking"), ("MMR", None)):
            asked = replace(request, bookings=(booking(other),))
            assert decide(self.CHILDREN, asked).reason == reason


class TestSupply:
    @pytest.mark.parametrize(
        ("free", "answer"), [(1, ACCEPT), (500, ACCEPT), (0, reject("no_slot"))]
    )
    def test_a2_a_seat_must_be_free(self, free, answer):
        assert decided(seats_free=free) == answer

    @pytest.mark.parametrize(
        ("on", "answer"),
        [("2021-05-07", reject("date_in_past")), ("2021-05-08", ACCEPT), ("2021-05-09", ACCEPT)],
    )
    def test_a_day_before_today_cannot_be_booked_and_today_can(self, on, answer):
        assert decided(on, today=day("2021-05-08")) == answer

    @pytest.mark.parametrize("state", State)
    def test_x8_one_open_booking_a_course(self, state):
        answer = reject("duplicate_booking") if state in OPEN else ACCEPT
        assert decided("2021-05-12", bookings=(booking(state=state),)) == answer

    def test_x8_a_booking_of_another_product_of_the_course_stands_against_it_too(self):
        assert decided(bookings=(booking(CHO),)) == reject("duplicate_booking")

    def test_two_open_bookings_are_one_reason(self):
        assert decided(bookings=(booking(), booking(AD5))) == reject("duplicate_booking")


FIELDS = {
    "name": "张三",
    "phone": "13900000000",
    "id_number": "SYNTHETIC-ID-1",
    "residence": "冷水滩区",
    "detail_address": "湘永路12号",
}


class TestForms:
    def test_a18_the_person_booked_for_is_named_in_full(self):
        assert decided(proxy_for=FIELDS) == ACCEPT

    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("content", [None, "", " ", "　"])
    def test_a18_a_missing_field_is_named(self, field, content):
        fields = {name: text for name, text in FIELDS.items() if name != field}
        if content is not None:
            fields[field] = content
        decision = decide(YONGZHOU, wish(proxy_for=fields))
        assert decision.reasons == ("proxy_incomplete",)
        assert YONGZHOU.proxy_fields[field].zh in decision.findings[0].sentence.zh

    def test_a19_addresses_are_judged_for_oneself_and_for_others(self):
        assert decided(detail_address="梅湾街道1号") == ACCEPT
        assert decided(detail_address="梅湾街道A座") == reject("address_invalid")
        fields = {**FIELDS, "detail_address": "湘永路12-1号"}
        assert decided(proxy_for=fields) == reject("address_invalid")


class TestPrecedence:
    def test_every_broken_rule_is_told_in_the_order_of_the_file(self):
        decision = decide(
            YONGZHOU,
            wish(
                "2021-05-07",
                today=day("2021-05-08"),
                person={
                    "birth_date": day("2010-01-01"),
                    "household": CHANGSHA,
                    "residence": CHANGSHA,
                    "hindrances": (has("fever"),),
                    "is_real_name_verified": False,
                },
                channel="group",
                product=CHO,
                dose_number=4,
                given=doses(VERO, "2021-05-01"),
                bookings=(booking(),),
                seats_free=0,
                proxy_for={},
                detail_address="",
            ),
        )
        order = [reason for reason in YONGZHOU.precedence if reason in decision.reasons]
        assert list(decision.reasons) == order
        assert decision.reason == "group_books_with_office_or_site"
        assert len(decision.reasons) == 12
        assert decision.possible_from is None

    def test_no_warning_beside_a_refusal(self):
        late = {"dose_number": 2, "given": doses(VERO, "2021-05-10"), "seats_free": 0}
        assert decided("2021-09-10", **late) == reject("no_slot")

    def test_time_alone_removes_several_reasons_on_the_last_of_their_days(self):
        early = {"dose_number": 2, "given": doses(VERO, "2021-05-10")}
        person = {"birth_date": day("2003-06-20")}
        decision = decide(YONGZHOU, wish("2021-05-20", person=person, **early))
        assert decision.reasons == ("under_18", "interval_too_short")
        assert decision.possible_from == day("2021-06-20")
