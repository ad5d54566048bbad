"""A batch is shown to a projection only as far as it follows its topics."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.stored import StoredEntry
from projections.change import Batch, Change
from projections.connection import PROJECT
from projections.loop import LOG_PROJECTIONS
from projections.target import Target
from tests.integration.projections.conftest import named

EXAMPLES = sorted((Path(__file__).parents[2] / "golden" / "events").glob("*.json"))


@pytest.fixture
def one_of_each():
    """An entry of every topic there is."""
    changes = []
    for position, path in enumerate(EXAMPLES, 1):
        members = {
            "author": {"org": str(named("clinic")), "keyid": "a" * 64, "envelope": "b" * 64},
            "data": json.loads(path.read_text(encoding="utf-8"))["example"],
            "division": "410204001",
            "origin": "log.example/test",
            "recorded_at": datetime(2018, 9, 1, tzinfo=UTC).isoformat(),
            "sealed": [],
            "stream": str(named(path.stem)),
            "topic": path.stem,
            "v": 1,
            "version": 1,
        }
        changes.append(Change(position, StoredEntry(members)))
    return Batch(0, changes)


def test_a_topic_that_a_projection_does_not_follow_changes_nothing_in_it(make_house, one_of_each):
    target = Target(make_house().log_url, PROJECT, "views", LOG_PROJECTIONS)
    with target.cursor() as cursor:
        for projection in LOG_PROJECTIONS:
            followed = one_of_each.about(projection.follows)
            others = [change for change in one_of_each.changes if change not in followed]
            assert followed
            assert others
            before = projection.digest(cursor, 0)
            projection.apply(cursor, others)
            assert projection.digest(cursor, 0) == before, projection.name
    target.close()


def test_entries_of_several_topics_stay_in_the_order_of_the_log(one_of_each):
    several = one_of_each.about(("vaccination-record.", "certificate.claimed.v1", "log."))
    positions = [change.position for change in several]
    assert positions == sorted(positions)
    assert {change.entry.topic.partition(".")[0] for change in several} == {
        "certificate",
        "log",
        "vaccination-record",
    }
    assert one_of_each.about(("no-such-thing.",)) == []
