"""What may be sealed, for whom, and how personal values are checked before they are."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.codec import MalformedData
from domain.errors import (
    BirthDateMismatch,
    DomainError,
    InvalidBirthCertificateNumber,
    InvalidIdNumber,
    InvalidPhoneNumber,
    SexMismatch,
)
from domain.guardianship import Guardian
from domain.private import check_identity
from domain.topics import EVENTS, SEALED_FIELDS, check_people, check_private, people
from domain.vocabulary import Relation

REGISTERED = "vaccination-record.registered.v1"
AMENDED = "vaccination-record.identity-amended.v1"
GIVEN = "vaccination-record.dose-administered.v1"
GRANTED = "certificate.granted.v1"
CHILD = {"name": "王小明", "sex": "female", "birth_date": "1949-12-31"}
ID_NUMBER = "11010519491231002X"
RECIPIENT, MOTHER, FATHER = UUID(int=1), UUID(int=2), UUID(int=3)


def refusal(topic, role, values):
    with pytest.raises(DomainError) as refused:
        check_private(topic, role, values)
    for value in values.values() if isinstance(values, dict) else ():
        assert str(value) not in str(refused.value) or str(value) in ("", "{}")
    return type(refused.value), refused.value.facts["pointer"]


def test_values_get_their_types():
    typed = check_private(REGISTERED, "recipient", {**CHILD, "id_number": ID_NUMBER.lower()})
    assert typed["birth_date"] == date(1949, 12, 31)
    assert typed["id_number"].value == ID_NUMBER
    assert typed["sex"].value == "female"


def test_the_exact_time_of_a_dose_has_an_offset():
    dose = {
        "vaccinator": "李护士",
        "occurred_at": "2018-09-03T10:00:00+08:00",
        "package_code": "81123456789012345678",
    }
    typed = check_private(GIVEN, "recipient", dose)
    assert typed["occurred_at"].astimezone(UTC) == datetime(2018, 9, 3, 2, tzinfo=UTC)
    local = {**dose, "occurred_at": "2018-09-03T10:00:00"}
    assert refusal(GIVEN, "recipient", local) == (MalformedData, "/occurred_at")
    never = {**dose, "occurred_at": "2018-13-03T10:00:00Z"}
    assert refusal(GIVEN, "recipient", never) == (MalformedData, "/occurred_at")


@pytest.mark.parametrize(
    ("changes", "error", "pointer"),
    [
        ({"id_number": "110105194912310021"}, InvalidIdNumber, "/id_number"),
        ({"id_number": "110105491231002"}, InvalidIdNumber, "/id_number"),
        ({"birth_date": "1949-12-30", "id_number": ID_NUMBER}, BirthDateMismatch, "/id_number"),
        ({"sex": "male", "id_number": ID_NUMBER}, SexMismatch, "/id_number"),
        ({"birth_date": "1949-02-30"}, MalformedData, "/birth_date"),
        ({"birth_date": "19491231"}, MalformedData, "/birth_date"),
        ({"sex": "unknown"}, MalformedData, "/sex"),
        ({"sex": ["male"]}, MalformedData, "/sex"),
        ({"name": ""}, MalformedData, "/name"),
        ({"name": "长" * 51}, MalformedData, "/name"),
        ({"name": " 王"}, MalformedData, "/name"),
        ({"name": "王\x00"}, MalformedData, "/name"),
        ({"name": None}, MalformedData, "/name"),
        ({"phone": "123"}, InvalidPhoneNumber, "/phone"),
        ({"phone": 13900000000}, InvalidPhoneNumber, "/phone"),
        (
            {"birth_certificate_number": "12"},
            InvalidBirthCertificateNumber,
            "/birth_certificate_number",
        ),
        ({"id_type": "library-card"}, MalformedData, "/id_type"),
        ({"household_division": "41"}, MalformedData, "/household_division"),
        ({"nickname": "明明"}, MalformedData, "/nickname"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands_and_never_repeated(changes, error, pointer):
    assert refusal(REGISTERED, "recipient", {**CHILD, **changes}) == (error, pointer)


def test_a_rare_character_of_a_name_is_no_fault():
    assert check_private(REGISTERED, "recipient", {**CHILD, "name": "王\U0002ebf0"})


def test_an_amended_number_is_checked_against_what_else_is_known():
    known = check_private(REGISTERED, "recipient", CHILD)
    change = {"before": {}, "after": {"id_number": ID_NUMBER}}
    after = check_private(AMENDED, "recipient", change)["after"]
    assert check_identity({**known, **after})["id_number"].value == ID_NUMBER
    with pytest.raises(BirthDateMismatch):
        check_identity({**known, **after, "birth_date": date(1949, 12, 30)})


def test_a_passport_is_no_citizen_number_and_tells_no_birth_date():
    foreign = {**CHILD, "id_type": "passport", "id_number": "E12345678"}
    assert check_private(REGISTERED, "recipient", foreign)["id_number"] == "E12345678"


def test_a_residence_permit_is_numbered_like_a_citizen():
    permit = {"id_type": "hk-macao-taiwan-residence-permit", "id_number": "810000199001010011"}
    assert refusal(REGISTERED, "guardian", {"name": "陈", **permit})[0] is InvalidIdNumber


def test_an_amendment_tells_before_and_after_and_only_known_fields():
    change = {"before": {}, "after": {"id_number": ID_NUMBER}}
    assert check_private(AMENDED, "guardian", change)["after"]["id_number"].value == ID_NUMBER
    assert refusal(AMENDED, "guardian", {"before": {}, "after": {}}) == (MalformedData, "/after")
    sex = {"before": {}, "after": {"sex": "male"}}
    assert refusal(AMENDED, "guardian", sex) == (MalformedData, "/after/sex")
    bad = {"before": {}, "after": {"id_number": "1" * 18}}
    assert refusal(AMENDED, "recipient", bad) == (InvalidIdNumber, "/after/id_number")


def test_most_topics_seal_nothing():
    for topic in set(EVENTS) - set(SEALED_FIELDS):
        assert people(topic, {}, recipient=RECIPIENT, guardians=(MOTHER,)) == {}
        assert refusal(topic, "recipient", {"name": "王"}) == (MalformedData, "")


@given(
    topic=st.sampled_from(sorted(SEALED_FIELDS)),
    values=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["name", "sex", "before", "after", "id_number", "phone", "x~/"]),
                inner,
            )
            | st.lists(inner, max_size=2)
        ),
        max_leaves=6,
    ),
)
def test_nothing_that_json_can_say_crashes_the_check(topic, values):
    for role in SEALED_FIELDS[topic]:
        pointer = ""
        try:
            check_private(topic, role, values)
        except DomainError as refused:
            pointer = refused.facts["pointer"]
        assert isinstance(pointer, str)


class TestPeople:
    """For whom an event seals: nobody is missing, nobody is added."""

    def test_a_registration_seals_for_recipient_and_every_guardian(self):
        fields = {
            "recipient": RECIPIENT,
            "guardians": (Guardian(MOTHER, Relation.MOTHER), Guardian(FATHER, Relation.FATHER)),
        }
        expected = people(REGISTERED, fields)
        assert expected == {RECIPIENT: "recipient", MOTHER: "guardian", FATHER: "guardian"}
        check_people(REGISTERED, expected, {RECIPIENT, MOTHER, FATHER})
        with pytest.raises(MalformedData):
            check_people(REGISTERED, expected, {RECIPIENT, MOTHER})

    def test_a_dose_seals_for_the_recipient_alone(self):
        expected = people(GIVEN, {}, recipient=RECIPIENT, guardians=(MOTHER,))
        assert expected == {RECIPIENT: "recipient"}
        with pytest.raises(MalformedData):
            check_people(GIVEN, expected, {RECIPIENT, MOTHER})

    def test_an_amendment_seals_for_the_person_it_amends(self):
        expected = people(AMENDED, {"person": MOTHER}, recipient=RECIPIENT, guardians=(MOTHER,))
        assert expected == {MOTHER: "guardian"}

    def test_a_grant_seals_for_the_grantee(self):
        assert people(GRANTED, {"grantee": FATHER}) == {FATHER: "grantee"}

    def test_a_correction_may_seal_nothing(self):
        topic = "correction.requested.v1"
        check_people(topic, people(topic, {}, recipient=RECIPIENT), set())
