"""The codec: strict, exact and the same for every event class."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from domain import codec
from domain.codec import MalformedData
from domain.dose_events import DoseAdministered
from domain.organisation import Organisation
from domain.sealed import Fact, Sealed
from domain.text import is_plain
from domain.topics import EVENTS

WHEN = datetime(2018, 9, 3, 4, 0, tzinfo=UTC)
FRAME = {"originator_id": UUID(int=1), "originator_version": 2, "timestamp": WHEN}

DOSE = {
    "dose": "0190c5a0-7a00-7000-8000-000000000004",
    "vaccine": "HepB",
    "product": "重组乙型肝炎疫苗",
    "maker": "示例生物",
    "lot": "A-1",
    "expires_on": "2019-01-31",
    "occurred_on": "2018-09-03",
    "site": "LA",
    "route": "IM",
    "quantity": "0.5 mL",
    "clinic": "0190c5a0-7a00-7000-8000-000000000002",
    "source_system": "programme",
}
STORED = {**DOSE, "derived": {"effective_on": "2018-09-03"}}


def texts(schema):
    least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
    if "format" in schema:
        return {"date": st.dates().map(str), "uuid": st.uuids().map(str)}[schema["format"]]
    found = st.from_regex(schema["pattern"][1:-1], fullmatch=True)
    return found.filter(lambda text: least <= len(text) <= most)


def arrays(schema):
    least, most = schema["minItems"], min(schema["maxItems"], schema["minItems"] + 3)
    return st.lists(from_schema(schema["items"]), min_size=least, max_size=most)


def objects(schema):
    members = {name: from_schema(member) for name, member in schema["properties"].items()}
    required = {name: members.pop(name) for name in schema["required"]}
    return st.fixed_dictionaries(required, optional=members)


KINDS = {
    "string": texts,
    "array": arrays,
    "object": objects,
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "boolean": lambda _: st.booleans(),
}


def from_schema(schema):
    """Any JSON value that a schema of ours allows."""
    return st.sampled_from(schema["enum"]) if "enum" in schema else KINDS[schema["type"]](schema)


@pytest.mark.parametrize("topic", EVENTS)
@settings(max_examples=20, deadline=None)
@given(choices=st.data())
def test_whatever_the_schema_allows_is_read_written_and_restored_exactly(topic, choices):
    cls = EVENTS[topic]
    data = choices.draw(from_schema(codec.json_schema(cls)))
    event = cls(**FRAME, **codec.decode(cls, data))
    written = codec.encode(event)
    assert written == data
    assert json.loads(json.dumps(written)) == data
    assert cls(**FRAME, **codec.decode(cls, written)) == event
    restored = codec.restore(cls, {**FRAME, "sealed": ()}, written)
    assert vars(restored) == vars(event)
    assert repr(restored) == repr(event), "an enumeration is more than its text"


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({name: STORED[name] for name in STORED if name != "lot"}, "/lot"),
        ({**STORED, "sex": "1"}, "/sex"),
        ({**STORED, "expires_on": "2019-02-29"}, "/expires_on"),
        ({**STORED, "clinic": "nowhere"}, "/clinic"),
        ({**STORED, "clinic": 5}, "/clinic"),
        ({**STORED, "source_system": "hearsay"}, "/source_system"),
        ({**STORED, "derived": {}}, "/derived/effective_on"),
        ({**STORED, "derived": None}, "/derived"),
        ({**STORED, "preparation": "paper"}, "/preparation"),
        (None, ""),
    ],
)
def test_stored_data_of_another_shape_is_told_with_its_place(data, pointer):
    with pytest.raises(MalformedData) as refused:
        codec.restore(DoseAdministered, {**FRAME, "sealed": ()}, data)
    assert refused.value.facts["pointer"] == pointer


@given(data=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_anything_else_is_refused_with_a_pointer_and_never_crashes(data):
    with pytest.raises(MalformedData) as refused:
        codec.decode(DoseAdministered, data)
    assert refused.value.facts["pointer"] == ""


@given(
    name=st.sampled_from(sorted(STORED)),
    value=st.none() | st.integers() | st.floats() | st.lists(st.text()),
)
def test_a_member_of_another_type_is_named(name, value):
    with pytest.raises(MalformedData) as refused:
        codec.decode(DoseAdministered, {**STORED, name: value})
    assert refused.value.facts["pointer"] == f"/{name}"


@pytest.mark.parametrize(
    ("member", "value", "pointer"),
    [
        ("dose", DOSE["dose"].upper(), "/dose"),
        ("dose", DOSE["dose"].replace("-", ""), "/dose"),
        ("dose", "{" + DOSE["dose"] + "}", "/dose"),
        ("occurred_on", "20180903", "/occurred_on"),
        ("occurred_on", "2018-W36-1", "/occurred_on"),
        ("occurred_on", "2018-02-30", "/occurred_on"),
        ("occurred_on", "2018-09-03T00:00:00", "/occurred_on"),
        ("dose_number", True, "/dose_number"),
        ("dose_number", 1.0, "/dose_number"),
        ("dose_number", 0, "/dose_number"),
        ("dose_number", None, "/dose_number"),
        ("source_system", "PROGRAMME", "/source_system"),
        ("product", " 疫苗", "/product"),
        ("product", "疫\x00苗", "/product"),
        ("product", "疫\ud800苗", "/product"),
        ("product", "a\u202eb", "/product"),
        ("product", "", "/product"),
        ("product", "长" * 101, "/product"),
        ("lot", "A\n", "/lot"),
        ("quantity", "0.5mL", "/quantity"),
        ("quantity", "00.5 mL", "/quantity"),
        ("derived", {}, "/derived/effective_on"),
        ("derived", {"effective_on": "2018-09-03", "x": 1}, "/derived/x"),
        ("name", "张三", "/name"),
        ("a/b~c", 1, "/a~1b~0c"),
        ("originator_id", DOSE["dose"], "/originator_id"),
        ("sealed", [], "/sealed"),
    ],
)
def test_a_second_spelling_or_a_stray_member_is_refused_where_it_stands(member, value, pointer):
    with pytest.raises(MalformedData) as refused:
        codec.decode(DoseAdministered, {**STORED, member: value})
    assert refused.value.facts["pointer"] == pointer


def test_an_item_of_a_list_is_named_by_its_index():
    cls = EVENTS["vaccination-record.dose-corrected.v1"]
    changes = [{"field": "lot", "after": "A"}, {"field": "lot", "after": 7}]
    with pytest.raises(MalformedData) as refused:
        codec.decode(cls, {"changes": changes})
    assert refused.value.facts["pointer"] == "/changes/1/after"


@pytest.mark.parametrize("groups", [[], ["MCV"] * 33, "MCV", {"0": "MCV"}, None])
def test_a_list_has_its_limits(groups):
    cls = EVENTS["vaccination-record.contraindication-recorded.v1"]
    with pytest.raises(MalformedData) as refused:
        codec.decode(cls, {"vaccine_groups": groups})
    assert refused.value.facts["pointer"] == "/vaccine_groups"


def test_a_name_with_characters_newer_than_python_is_no_control_character():
    assert codec.decode(DoseAdministered, {**STORED, "maker": "\U0002ebf0厂"})["maker"]


def test_a_missing_member_is_named():
    with pytest.raises(MalformedData) as refused:
        codec.decode(DoseAdministered, {name: STORED[name] for name in STORED if name != "lot"})
    assert refused.value.facts == {"pointer": "/lot", "reason": "required member is missing"}


def test_an_author_cannot_sign_what_the_server_derives():
    assert codec.statement_fields(DoseAdministered, DOSE)["vaccine"] == "HepB"
    with pytest.raises(MalformedData) as refused:
        codec.statement_fields(DoseAdministered, STORED)
    assert refused.value.facts["pointer"] == "/derived"


def test_a_creation_event_knows_its_aggregate_by_name_not_by_class_path():
    data = {"name": "县疾控", "kind": "county-cdc", "division": "410200"}
    assert codec.decode(Organisation.Registered, data)["originator_topic"] == "organisation"
    assert "originator_topic" not in codec.statement_fields(Organisation.Registered, data)
    event = Organisation.Registered(**FRAME, **codec.decode(Organisation.Registered, data))
    assert codec.encode(event) == data


def test_sealed_parts_and_the_frame_are_no_part_of_data():
    part = Sealed(UUID(int=9), "0" * 64)
    event = DoseAdministered(**FRAME, sealed=(part,), **codec.decode(DoseAdministered, STORED))
    assert codec.encode(event) == STORED


def test_a_sealed_part_is_restored_as_it_was():
    part = Sealed(UUID(int=9), "0" * 64)
    assert codec.restore_sealed(str(part.subject), part.sha256) == part


def test_a_default_other_than_none_cannot_be_declared():
    class Odd(Fact):
        """Odd.

        Attributes:
            flag: one spelling absent, one present.
        """

        flag: bool = False

    with pytest.raises(TypeError, match="default None"):
        codec.json_schema(Odd)


def test_a_number_with_a_fraction_cannot_be_declared():
    class Inexact(Fact):
        """Inexact.

        Attributes:
            quantity: quantities are strings with a unit.
        """

        quantity: float

    with pytest.raises(TypeError, match="no JSON shape"):
        codec.json_schema(Inexact)


def test_a_field_without_description_cannot_be_declared():
    class Mute(Fact):
        """Mute."""

        flag: bool

    with pytest.raises(KeyError, match="flag"):
        codec.json_schema(Mute)


READERS = {
    name: Draft202012Validator(member)
    for name, member in codec.json_schema(DoseAdministered)["properties"].items()
}


def judge_alike(name, value):
    try:
        codec.read_field(DoseAdministered, name, value)
    except MalformedData:
        assert not READERS[name].is_valid(value), value
    else:
        assert READERS[name].is_valid(value), value


@given(text=st.text() | st.from_regex(r"\s?[A-Z0-9-]{1,12}\s?"), name=st.sampled_from(sorted(DOSE)))
def test_the_schema_allows_a_text_exactly_where_the_codec_does(name, text):
    judge_alike(name, text)


@pytest.mark.parametrize("name", sorted(DOSE))
@pytest.mark.parametrize("surplus", ["\n", " ", "\u2028", "\0", "\u3000", "x"])
def test_the_schema_sees_what_stands_before_or_after(name, surplus):
    judge_alike(name, DOSE[name] + surplus)
    judge_alike(name, surplus + DOSE[name])


def test_of_every_character_schema_and_codec_say_the_same():
    matches = re.compile(codec.json_schema(DoseAdministered)["properties"]["maker"]["pattern"])
    for code in (*range(0xD800), *range(0xE000, 0x10100), 0x2EBF0, 0xE0001, 0x10FFFF):
        for text in (chr(code), chr(code) + "a", "a" + chr(code), "a" + chr(code) + "a"):
            assert (matches.search(text) is not None) == is_plain(text), hex(code)


def test_of_every_day_schema_and_codec_say_the_same():
    months = [f"{month:02}-{day:02}" for month in range(14) for day in range(33)]
    for year in ("0000", "0001", "0004", "0100", "1900", "2000", "2023", "2024", "2100", "9999"):
        for month in months:
            judge_alike("occurred_on", f"{year}-{month}")


def test_the_schema_refuses_what_the_codec_refuses_of_shape():
    validator = Draft202012Validator(codec.json_schema(DoseAdministered))
    assert validator.is_valid(STORED)
    assert not validator.is_valid({**STORED, "extra": 1})
    assert not validator.is_valid(DOSE)
