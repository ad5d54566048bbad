"""Every signed write as every role, within and beyond its scope, for records in every state.

What is expected follows from `commands.permissions` alone: the routes do not say.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.write_addresses import ADDRESSES
from client.signing import Draft
from commands.permissions import READS, WRITES, Scope
from commands.principal import Principal
from tests.integration.api.conftest import Author, County
from tests.integration.api.permission_world import (
    IN_STATE,
    MISSING,
    NORMAL,
    RESTRICTED,
    SHREDDED,
    Thing,
    World,
    answer_of,
    new_world,
    permits,
)

GOLDEN = Path(__file__).parents[2] / "golden/events"


@pytest.fixture(scope="module")
def world(county: County) -> World:
    return new_world(county)


TOPICS_OF_RECORDS = [
    (topic, one.path)
    for one in ADDRESSES
    for topic in one.topics
    if one.path.startswith("/v1/records/{stream}/")
]
OTHER_TOPICS = [
    (topic, one.path)
    for one in ADDRESSES
    for topic in one.topics
    if "{stream}" in one.path and (topic, one.path) not in TOPICS_OF_RECORDS
]
FORBIDDEN, UNKNOWN, MOVED = 403, 404, 412
ACTING = ("clinic", "organisation")
WRONG_VERSION = 99
STAFF = (
    "clinic", "clinic next door", "clinic elsewhere", "school", "township", "county",
    "county elsewhere", "city", "city elsewhere", "province", "education", "operator",
)  # fmt: skip


def example(topic: str, author: Author) -> dict[str, Any]:
    """The clear fields of a topic as an author would state them, in the own name."""
    data = json.loads((GOLDEN / f"{topic}.json").read_text(encoding="utf-8"))["example"]
    own = str(author.organisation)
    return {
        name: own if name in ACTING else value for name, value in data.items() if name != "derived"
    }


def expected_of(topic: str, who: Principal, thing: Thing, data: Mapping[str, Any]) -> int:
    """What a write at a version that is not the record's is answered with, or a forbidden one."""
    if all(role != who.role for role, _ in WRITES[topic]):
        return FORBIDDEN
    known = Scope(thing.division, managing=thing.managing)
    is_known = permits(READS["record"], who, known) or who.organisation == thing.managing
    if thing.name == MISSING or not is_known:
        return UNKNOWN
    is_of_protection = topic.partition(".")[2].startswith(("restrict", "shred"))
    if thing.state != NORMAL and not is_of_protection:
        return IN_STATE[thing.state]
    receiving = data.get("managing_organisation")
    scope = replace(
        known, acting=who.organisation, receiving=UUID(receiving) if receiving else None
    )
    return MOVED if permits(WRITES[topic], who, scope) else FORBIDDEN


@pytest.mark.parametrize(("topic", "path"), TOPICS_OF_RECORDS)
def test_writes_about_a_record(world: World, topic: str, path: str):
    versions = {NORMAL: 1, RESTRICTED: 2, SHREDDED: 3}
    head, wrong = world.county.served.head(), []
    for name in STAFF:
        author = world.callers[name]
        data = example(topic, author)
        data |= {one: str(world.other) for one in ("duplicate", "other") if one in data}
        refused: dict[int, Any] = {}
        for thing in world.records:
            expected = expected_of(topic, author.principal, thing, data)
            version = versions[thing.state] if expected == FORBIDDEN else WRONG_VERSION
            found = author.post(path.format(stream=thing.id), Draft(topic, thing.id, version, data))
            if found.status_code != expected:
                wrong.append((name, thing.name, expected, found.text[:120]))
            elif expected in {FORBIDDEN, UNKNOWN}:
                assert answer_of(found) == refused.setdefault(expected, answer_of(found))
    assert wrong == []
    assert world.county.served.head() == head


@pytest.mark.parametrize(("topic", "path"), OTHER_TOPICS)
def test_other_writes_are_refused_by_role_before_anything_is_looked_up(
    world: World, topic: str, path: str
):
    wrong = []
    for name in STAFF:
        author = world.callers[name]
        stream = uuid4()
        has_row = any(role == author.principal.role for role, _ in WRITES[topic])
        draft = Draft(topic, stream, WRONG_VERSION, example(topic, author))
        found = author.post(path.format(stream=stream), draft)
        if found.status_code != (UNKNOWN if has_row else FORBIDDEN):
            wrong.append((name, found.text[:120]))
    assert wrong == []
