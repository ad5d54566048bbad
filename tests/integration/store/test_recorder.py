"""What the event-sourcing library expects of a recorder, by its own tests, and waiting."""

import sys
import threading
from datetime import UTC, datetime
from itertools import islice
from types import ModuleType
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import ProgrammingError, StoredEvent

from ledger.merkle import leaf_hash
from ledger.store.append import Append, NewEvent
from ledger.store.connections import open_pool
from ledger.store.reading import ROLE
from ledger.store.recorder import LedgerRecorder

# The library's test cases import its cipher, which needs an extra that nothing here uses.
_NO_CIPHER = ModuleType("eventsourcing.cipher")
_NO_CIPHER.AESCipher = object
with patch.dict(sys.modules, {"eventsourcing.cipher": _NO_CIPHER}):
    from eventsourcing.tests import persistence


class PlainRecorder(LedgerRecorder):
    """Takes events as the library's tests have them: no author, versions from 0 or 1."""

    def insert_events(self, stored_events, **kwargs):
        shift = 1 - min(stored_events[0].originator_version, 1)
        events = tuple(
            NewEvent(
                stored.originator_id,
                stored.originator_version + shift,
                stored.topic,
                "410225",
                datetime.now(UTC),
                stored.state,
                leaf_hash(stored.state),
            )
            for stored in stored_events
        )
        append = Append(UUID(int=1), uuid4(), bytes(32), events)
        return list(super().insert_events(stored_events, append=append))


@pytest.fixture
def recorder(log_url, writer):
    with open_pool(log_url, ROLE, size=4) as pool:
        yield PlainRecorder(pool, writer)


class TestLibraryExpectations(persistence.ApplicationRecorderTestCase):
    @pytest.fixture(autouse=True)
    def _give_recorder(self, recorder):
        self.recorder = recorder

    def create_recorder(self):
        return self.recorder

    def test_insert_subscribe(self):
        self.optional_test_insert_subscribe()


@pytest.fixture
def insert(recorder):
    def insert(topic: str = "a.b.v1") -> None:
        recorder.insert_events([StoredEvent(uuid4(), 1, topic, b"state")])

    return insert


def test_a_subscription_brings_old_and_new_events_in_order(recorder, insert):
    for _ in range(3):
        insert()
    timer = threading.Timer(0.2, lambda: [insert() for _ in range(3)])
    timer.start()
    with recorder.subscribe(gt=1) as subscription:
        assert [one.id for one in islice(subscription, 5)] == [2, 3, 4, 5, 6]
    timer.join()


def test_a_subscription_waits_past_events_of_other_topics(recorder, insert):
    insert("a.b.v1")
    timer = threading.Timer(0.2, lambda: [insert("a.c.v1"), insert("a.b.v1")])
    timer.start()
    with recorder.subscribe(topics=["a.b.v1"]) as subscription:
        assert [one.id for one in islice(subscription, 2)] == [1, 3]
    timer.join()


def test_a_stopped_subscription_ends(recorder):
    subscription = recorder.subscribe()
    threading.Timer(0.1, subscription.stop).start()
    assert list(subscription) == []


def test_events_without_their_submission_are_refused(log_url, writer):
    with open_pool(log_url, ROLE, size=1) as pool:
        recorder = LedgerRecorder(pool, writer)
        with pytest.raises(ProgrammingError):
            recorder.insert_events([StoredEvent(uuid4(), 1, "a.b.v1", b"state")])
