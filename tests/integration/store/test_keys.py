"""The keys of people and the blind index."""

from uuid import uuid4

import psycopg
import pytest

from ledger.store.connections import open_pool
from ledger.store.errors import KeyConflict, KeyUnreadable
from ledger.store.keks import Kek
from ledger.store.keys import ROLE, KeyStore

KEK, PEPPER = Kek(1, b"k" * 32), b"p" * 32


@pytest.fixture
def pool(databases):
    with open_pool(databases.keys, ROLE, size=2) as pool:
        yield pool


@pytest.fixture
def keys(pool) -> KeyStore:
    return KeyStore(pool, lambda: [KEK], PEPPER)


def test_a_prepared_key_is_stored_only_by_commit(keys):
    handle = uuid4()
    fresh = keys.prepare([handle])
    assert len(fresh[handle]) == 32
    assert keys.open([handle]) == {}
    keys.commit(fresh)
    assert keys.open([handle, uuid4()]) == fresh
    assert keys.prepare([handle]) == fresh
    keys.commit(fresh)


def test_every_person_has_another_key(keys):
    assert len(set(keys.prepare(uuid4() for _ in range(50)).values())) == 50


def test_the_loser_of_a_race_for_one_person_learns_it_before_sealing_is_stored(keys, pool):
    handle, other = uuid4(), KeyStore(pool, lambda: [KEK], PEPPER)
    mine, theirs = keys.prepare([handle]), other.prepare([handle])
    other.commit(theirs)
    with pytest.raises(KeyConflict):
        keys.commit(mine)
    assert keys.open([handle]) == theirs


def test_the_database_never_holds_a_key_in_clear(keys, databases):
    fresh = keys.prepare([uuid4()])
    keys.commit(fresh)
    with psycopg.connect(databases.keys) as connection:
        ((wrapped,),) = connection.execute("SELECT wrapped FROM keys.people_keys").fetchall()
    (key,) = fresh.values()
    assert key not in wrapped
    assert len(wrapped) == 40


def test_a_key_under_another_key_encryption_key_does_not_open(keys, pool):
    fresh = keys.prepare([uuid4()])
    keys.commit(fresh)
    with pytest.raises(KeyUnreadable):
        KeyStore(pool, lambda: [Kek(1, b"q" * 32)], PEPPER).open(fresh)


@pytest.mark.parametrize(
    "spelling",
    [
        "11010519491231002X",
        "11010519491231002x",
        "110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
    ],
)
def test_a_person_is_found_by_a_number_in_any_spelling(keys, spelling):
    person, record = uuid4(), uuid4()
    keys.index(record, [("id-card", "11010519491231002X", person)])
    keys.index(record, [("id-card", "11010519491231002X", person)])
    assert keys.find("id-card", spelling) == [(person, record)]
    assert keys.find("passport", spelling) == []
    assert keys.digest("id-card", spelling) == keys.digest("id-card", "11010519491231002X")


def test_one_number_may_belong_to_several_records(keys):
    found = sorted((uuid4(), uuid4()) for _ in range(3))
    for person, record in found:
        keys.index(record, [("phone", "13800000000", person)])
    assert keys.find("phone", "138-0000-0000") == found


def test_the_index_tells_nothing_without_the_pepper(keys, pool):
    keys.index(uuid4(), [("id-card", "1", uuid4())])
    assert KeyStore(pool, lambda: [KEK], b"other pepper".ljust(32)).find("id-card", "1") == []
