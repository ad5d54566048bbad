"""Rotating the key-encryption key: killed anywhere, beside running processes, old backups."""

import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from bootstrap.keks import KekFolder, retire, rotate
from ledger.store.connections import open_pool
from ledger.store.errors import KekInUse, KeyUnreadable, RewrapRunning
from ledger.store.keys import ROLE, KeyStore
from ledger.store.rewrapping import Rewrapping

PEPPER = b"p" * 32
ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from bootstrap.keks import KekFolder, rotate
folder, url, point = sys.argv[1:]
def at(name):
    if name == point:
        os.kill(os.getpid(), signal.SIGKILL)
rotate(KekFolder(Path(folder)), url, at=at)
"""


class Died(Exception):
    pass


@pytest.fixture
def url(migrated_database) -> str:
    urls = migrated_database()
    return urls.keys


@pytest.fixture
def folder(tmp_path) -> KekFolder:
    return KekFolder(tmp_path / "kek")


@pytest.fixture
def pool(url):
    with open_pool(url, ROLE, size=2) as pool:
        yield pool


def store(pool, folder) -> KeyStore:
    """A key store as another process has it."""
    return KeyStore(pool, folder.load, PEPPER)


def new_people(keys: KeyStore, count: int) -> dict[UUID, bytes]:
    fresh = keys.prepare(uuid4() for _ in range(count))
    keys.commit(fresh)
    return fresh


def rows(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def under(url) -> set[str]:
    return {name for (name,) in rows(url, "SELECT DISTINCT kek FROM keys.people_keys")}


def numbers(folder) -> list[int]:
    return [kek.number for kek in folder.load()]


def test_every_key_is_the_same_under_the_new_version(pool, folder, url):
    keys = store(pool, folder)
    people = new_people(keys, 1_200)
    newest, done = rotate(folder, url)
    assert (newest.number, done) == (2, 1_200)
    assert under(url) == {newest.name}
    assert keys.open(people) == store(pool, folder).open(people) == people


def test_a_running_process_wraps_under_the_new_version_without_being_told(pool, folder, url):
    running = store(pool, folder)
    new_people(running, 1)
    newest, _ = rotate(folder, url)
    people = new_people(running, 3)
    assert under(url) == {newest.name}
    assert store(pool, folder).open(people) == people


def test_people_who_come_while_it_rotates_lose_no_key(pool, folder, url):
    running, people, stop = store(pool, folder), {}, threading.Event()
    people |= new_people(running, 1_500)

    def keep_coming():
        while not stop.is_set():
            people.update(new_people(running, 5))

    thread = threading.Thread(target=keep_coming)
    thread.start()
    try:
        for _ in range(3):
            rotate(folder, url)
            retire(folder, url)
    finally:
        stop.set()
        thread.join()
    assert numbers(folder) == [4]
    assert store(pool, folder).open(people) == people


@pytest.mark.parametrize("point", ["version made", "others closed", "batch wrapped"])
def test_killed_at_any_point_the_next_run_finishes_the_same_rotation(point, pool, folder, url):
    people = new_people(store(pool, folder), 1_100)
    place = str(folder._folder)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, place, url, point], cwd=ROOT, check=False, timeout=60
    )
    assert done.returncode == -9
    assert store(pool, folder).open(people) == people
    with pytest.raises(KekInUse):
        retire(folder, url)
    newest, _ = rotate(folder, url)
    assert numbers(folder) == [1, 2]
    assert under(url) == {newest.name}
    assert store(pool, folder).open(people) == people


@pytest.mark.parametrize("point", ["noted", "destroyed"])
def test_a_killed_retirement_is_finished_by_the_next(point, pool, folder, url):
    people = new_people(store(pool, folder), 3)
    rotate(folder, url)
    rotate(folder, url)

    def die(name):
        if name == point:
            raise Died

    with pytest.raises(Died):
        retire(folder, url, at=die)
    retire(folder, url)
    assert numbers(folder) == [3]
    assert store(pool, folder).open(people) == people


def test_a_version_that_wraps_a_key_is_not_destroyed(pool, folder, url):
    people = new_people(store(pool, folder), 1)
    folder.make()  # as a rotation that was killed at once leaves it
    with pytest.raises(KekInUse):
        retire(folder, url)
    assert numbers(folder) == [1, 2]
    assert store(pool, folder).open(people) == people


def test_a_backup_from_before_a_rotation_opens_nothing(pool, folder, url):
    people = new_people(store(pool, folder), 2)
    backup = rows(url, "SELECT handle, wrapped, kek FROM keys.people_keys")
    rotate(folder, url)
    retire(folder, url)
    with psycopg.connect(url) as restoring, restoring.cursor() as cursor:
        cursor.execute("DELETE FROM keys.people_keys")
        cursor.executemany(
            "INSERT INTO keys.people_keys (handle, wrapped, kek) VALUES (%s, %s, %s)", backup
        )
    with pytest.raises(KeyUnreadable):
        store(pool, folder).open(people)


def test_two_rotations_at_once_are_refused(pool, folder, url):
    new_people(store(pool, folder), 1)
    with Rewrapping(url), pytest.raises(RewrapRunning):
        rotate(folder, url)
    assert numbers(folder) == [1]


def test_two_first_starts_make_one_version(folder):
    found = []
    threads = [threading.Thread(target=lambda: found.append(folder.load())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_a_version_never_shows_its_key(folder):
    (kek,) = folder.load()
    assert kek.key.hex() not in f"{kek!r} {kek.name}"
