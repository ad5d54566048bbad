"""Schemas of the feed: golden examples fit them, and the AsyncAPI document holds together."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator, ValidationError

from client.asyncapi import asyncapi_document
from client.message import Previous, build
from client.schemas import entry_schema, message_schema
from domain.topics import EVENTS
from ledger.entry import Author, Entry, Seal

GOLDEN = Path(__file__).parents[2] / "golden" / "events"


@pytest.fixture(scope="module")
def document():
    return asyncapi_document()


def message_of(topic):
    data = json.loads((GOLDEN / f"{topic}.json").read_text(encoding="utf-8"))["example"]
    raw = Entry(
        origin="ledger.example.cn/vax",
        topic=topic,
        stream=UUID(int=(0x0190_0000_0000_7000 << 64) + 1),
        version=3,
        division="410205001",
        recorded_at=datetime(2026, 9, 1, 0, 0, tzinfo=UTC),
        author=Author(str(UUID(int=7)), "ab" * 32, "cd" * 32),
        data=data,
        sealed=(Seal(str(UUID(int=9)), "ef" * 32),),
    ).encode()
    return build(raw, 9, Previous(8, 7, 0))


@pytest.mark.parametrize("topic", EVENTS)
def test_a_message_of_each_topic_is_a_cloudevent_that_its_schemas_describe(topic):
    body = message_of(topic).body
    event = JSONFormat().read(CloudEvent, body)
    assert event.get_type() == topic
    assert event.get_dataschema() == f"https://{event.get_source()}/schemas/{topic}.json"
    schema = entry_schema(topic)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(event.get_data())
    Draft202012Validator(message_schema(topic, schema)).validate(json.loads(body))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("topic", "another.topic.v1"),
        ("version", 0),
        ("division", "4102"),
        ("recorded_at", "2026-09-01"),
        ("data", {}),
        ("sealed", [{}]),
        ("more", 1),
    ],
)
def test_an_entry_that_is_otherwise_does_not_fit(name, value):
    topic = "vaccination-record.dose-administered.v1"
    entry = json.loads(message_of(topic).body)["data"] | {name: value}
    with pytest.raises(ValidationError):
        Draft202012Validator(entry_schema(topic)).validate(entry)


def test_a_topic_that_nobody_knows_has_no_schema():
    assert entry_schema("vaccination-record.forged.v1") is None


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document, reference):
    assert reference.startswith("#/")
    found = document
    for step in reference[2:].split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def test_the_asyncapi_document_holds_together(document):
    """What the AsyncAPI 3 specification asks for, as far as we use it."""
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    for reference in references(document):
        assert resolve(document, reference)
    for name, channel in document["channels"].items():
        asked = {part[1:-1] for part in channel["address"].split(".") if part.startswith("{")}
        assert asked == channel.get("parameters", {}).keys()
        (message,) = channel["messages"].values()
        found = resolve(document, message["$ref"])
        assert found["name"] == name
        assert found["payload"]["type"] in {"object", "string"}
    channels = [
        resolve(document, one["channel"]["$ref"]) for one in document["operations"].values()
    ]
    assert channels == list(document["channels"].values())
    assert {one["action"] for one in document["operations"].values()} == {"receive"}
    assert set(document["channels"]) == {*EVENTS, "checkpoint", "alarm"}


def test_the_address_of_a_channel_is_the_subject_of_its_messages(document):
    topic = "vaccination-record.dose-administered.v1"
    address = document["channels"][topic]["address"]
    filled = address.format(province="41", city="02", county="05")
    assert filled == message_of(topic).subject
