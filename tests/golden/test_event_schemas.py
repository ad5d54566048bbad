"""Topics never change: a field may be added with a default, nothing else (DESIGN section 4).

Rewrite the golden files and the catalogue after an allowed change with
`PYTHONPATH=. python tests/golden/test_event_schemas.py`; forbidden changes are refused there too.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from domain import codec
from domain.topics import EVENTS, SEALED_FIELDS, catalogue_markdown

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "events"
CATALOGUE = ROOT / "docs" / "events" / "README.md"
WIDENED_BY_HAND = ()
"""Paths whose limits were widened on purpose, such as `topic/field`."""


def golden(topic):
    return json.loads((GOLDEN / f"{topic}.json").read_text(encoding="utf-8"))


def breaks(old, new, path=""):
    """Every way in which stored data or an author's statement would no longer be read."""
    if path in WIDENED_BY_HAND:
        return
    for key in ("type", "format", "pattern", "minimum", "maximum", "minLength", "maxLength"):
        if old.get(key) != new.get(key):
            yield f"{path}: {key} changed"
    if not set(old.get("enum", ())) <= set(new.get("enum", ())):
        yield f"{path}: a value was removed"
    if old.get("type") == "object":
        yield from broken_members(old, new, path)
    if old.get("type") == "array":
        yield from breaks(old["items"], new.get("items", {}), f"{path}/*")


def broken_members(old, new, path):
    for name, member in old["properties"].items():
        if name in new.get("properties", {}):
            yield from breaks(member, new["properties"][name], f"{path}/{name}")
        else:
            yield f"{path}/{name}: removed"
    if set(old["required"]) != set(new.get("required", ())):
        yield f"{path}: required members changed"


@pytest.mark.parametrize("topic", EVENTS)
def test_the_schema_is_the_golden_one(topic):
    assert codec.json_schema(EVENTS[topic]) == golden(topic)["schema"]


@pytest.mark.parametrize("topic", EVENTS)
def test_an_existing_field_is_never_removed_or_retyped(topic):
    assert not list(breaks(golden(topic)["schema"], codec.json_schema(EVENTS[topic]), topic))


@pytest.mark.parametrize("topic", EVENTS)
def test_the_example_is_read_and_written_again_member_for_member(topic):
    example = golden(topic)["example"]
    event = event_of(topic, example)
    assert codec.encode(event) == example


@pytest.mark.parametrize("topic", EVENTS)
def test_the_example_satisfies_its_schema_for_any_reader(topic):
    schema = golden(topic)["schema"]
    assert validator_for(schema) is Draft202012Validator
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(golden(topic)["example"])


def test_no_topic_was_ever_taken_away():
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(EVENTS)


def test_every_sealed_vocabulary_belongs_to_a_topic():
    assert set(SEALED_FIELDS) <= set(EVENTS)


def test_a_topic_is_stored_under_its_own_name_not_under_a_class_path():
    for topic, event in EVENTS.items():
        aggregate, _, rest = topic.partition(".")
        assert topic == event.TOPIC
        assert rest.endswith(".v1")
        assert topic in codec.json_schema(event)["$id"]
        assert aggregate in {"organisation", "vaccination-record", "correction"} | {
            "certificate",
            "enrolment",
            "check-statement",
            "paper-comparison",
            "preparation",
            "register-report",
            "roll-up-report",
            "access-journal",
            "log",
            "slot-supply",
            "appointment",
            "visit",
        }


def test_the_event_catalogue_is_up_to_date():
    assert CATALOGUE.read_text(encoding="utf-8") == catalogue_markdown()


OLD = {
    "type": "object",
    "properties": {
        "dose": {"type": "string", "format": "uuid"},
        "roll": {"type": "string", "enum": ["active", "moved-out"]},
        "doses": {"type": "array", "items": {"type": "integer", "minimum": 1}},
    },
    "required": ["dose"],
}


class TestTheGuardItself:
    def changed(self, **members):
        return {**OLD, "properties": {**OLD["properties"], **members}}

    def test_a_new_optional_field_is_allowed(self):
        assert not list(breaks(OLD, self.changed(note={"type": "string"})))

    def test_a_new_value_of_a_closed_list_is_allowed(self):
        wider = {"type": "string", "enum": ["active", "moved-out", "deceased"]}
        assert not list(breaks(OLD, self.changed(roll=wider)))

    def test_a_new_required_field_is_found(self):
        newer = {**self.changed(lot={"type": "string"}), "required": ["dose", "lot"]}
        assert list(breaks(OLD, newer)) == [": required members changed"]

    def test_a_removed_field_is_found(self):
        newer = {**OLD, "properties": {"dose": OLD["properties"]["dose"]}}
        assert list(breaks(OLD, newer)) == ["/roll: removed", "/doses: removed"]

    def test_a_retyped_field_is_found(self):
        assert list(breaks(OLD, self.changed(dose={"type": "integer"})))

    def test_a_retyped_item_is_found(self):
        strings = {"type": "array", "items": {"type": "string"}}
        assert list(breaks(OLD, self.changed(doses=strings)))

    def test_a_removed_value_is_found(self):
        narrower = {"type": "string", "enum": ["active"]}
        assert list(breaks(OLD, self.changed(roll=narrower))) == ["/roll: a value was removed"]


def event_of(topic, data):
    return EVENTS[topic](
        originator_id=UUID(int=1),
        originator_version=1,
        timestamp=datetime(2018, 9, 3, 4, 0, tzinfo=UTC),
        **codec.decode(EVENTS[topic], data),
    )


def rewrite():
    """Write golden files for what may change; keep the examples."""
    for topic, event in EVENTS.items():
        schema = codec.json_schema(event)
        path = GOLDEN / f"{topic}.json"
        if not path.exists():
            sys.stdout.write(f"{topic}: new; write {path} with an example by hand\n")
            continue
        old = golden(topic)
        for reason in (found := list(breaks(old["schema"], schema, topic))):
            sys.stdout.write(f"refused: {reason}\n")
        if not found:
            text = json.dumps({**old, "schema": schema}, ensure_ascii=False, indent=2)
            path.write_text(f"{text}\n", encoding="utf-8")
    CATALOGUE.write_text(catalogue_markdown(), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
