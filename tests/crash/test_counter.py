"""The counter of the campaigns sees what it is there to see: each damage is found by its name."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from tests.crash import load as loading
from tests.crash.campaign import new_installation, settle
from tests.crash.counting import Databases, Findings, Logged, count_log, count_tree, count_views
from tests.crash.following import Told, count_feed, read_streams
from tests.crash.load import Acknowledged, Country, Load
from tests.crash.tree import Tree, is_consistent, is_included

NEWEST = "(SELECT max(position) FROM ledger.entries)"


class Damaged(Databases):
    """The databases as they would be after a statement, which is rolled back after each look."""

    def __init__(self, urls: tuple[str, str], damage: str) -> None:
        super().__init__(*urls)
        self._log_database = urls[0]
        self._damage = damage

    def log(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._log_database) as connection:
            assert connection.execute(self._damage).rowcount > 0
            rows = connection.execute(query).fetchall()
            connection.rollback()
            return rows


@dataclass
class AtRest:
    """A small installation after its load."""

    urls: tuple[str, str]
    acknowledged: list[Acknowledged]
    log: list[Logged]
    told: list[Told]


@pytest.fixture(scope="module")
def at_rest(servers_dir) -> Iterator[AtRest]:
    installation = new_installation(servers_dir)
    installation.start()
    try:
        installation.until_ready()
        load = Load()
        country = Country(installation.settings, installation.addresses().http_url)
        asyncio.run(loading.run(country, loading.families(16), load))
        settle(installation)
        told, _ = asyncio.run(read_streams(installation.addresses()))
        urls = installation.superuser_urls
        yield AtRest(urls, load.acknowledged, Databases(*urls).entries(), told)
    finally:
        installation.stop()


def count_all(databases: Databases, acknowledged: list[Acknowledged]) -> Findings:
    findings = Findings()
    log = count_log(findings, databases, acknowledged)
    count_tree(findings, databases, log, Tree([row.leaf for row in log]))
    count_views(findings, databases, log, acknowledged)
    return findings


def test_nothing_is_found_where_nothing_is_wrong(at_rest):
    findings = count_all(Databases(*at_rest.urls), at_rest.acknowledged)
    assert not findings.wrong
    assert findings.counts["doses"] == 16


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (f"DELETE FROM ledger.entries WHERE position = {NEWEST}", "doses in the log: lost"),
        ("DELETE FROM ledger.entries WHERE position = 5", "positions not dense"),
        (
            (
                "INSERT INTO ledger.entries SELECT position + 1, stream, version + 1, known_at,"
                f" topic, division, leaf, entry FROM ledger.entries WHERE position = {NEWEST}"
            ),
            "doses in the log: doubled or invented",
        ),
        (
            (
                "UPDATE ledger.entries SET position = CASE position WHEN 9 THEN 10009"
                " ELSE 10010 END WHERE position IN (9, 10)"
            ),
            "acknowledged and not there as acknowledged",
        ),
        ("UPDATE ledger.entries SET leaf = sha256('') WHERE position = 5", "leaf hashes wrong"),
        (
            "UPDATE ledger.entries SET version = 99 WHERE position = 5",
            "columns beside the entry: lost",
        ),
        (
            "UPDATE ledger.entries SET known_at = '2001-01-01' WHERE position = 5",
            "known_at is not the latest time",
        ),
        ("UPDATE ledger.head SET size = size + 1", "head differs"),
        (
            "DELETE FROM ledger.idempotency WHERE first_position = 9",
            "entries without or with two keys",
        ),
        (
            "UPDATE ledger.idempotency SET first_position = 9 WHERE first_position = 10",
            "idempotency keys: lost",
        ),
        ("UPDATE ledger.blobs SET blob = 'x' WHERE position = 9", "blob hashes wrong"),
        ("DELETE FROM ledger.blobs WHERE position = 9", "sealed blobs: lost"),
        ("UPDATE ledger.envelopes SET envelope = 'x'", "envelope hashes wrong"),
        ("UPDATE ledger.tiles SET hashes = sha256('') WHERE level = 0", "leaves in tiles differ"),
        (
            "DELETE FROM views.doses WHERE dose = (SELECT min(dose::text)::uuid FROM views.doses)",
            "doses in the view: lost",
        ),
        (
            (
                "INSERT INTO views.doses SELECT (jsonb_populate_record(d, jsonb_build_object("
                "'from_position', 0))).* FROM views.doses d LIMIT 1"
            ),
            "doses in the view: doubled or invented",
        ),
        ("UPDATE views.doses SET lot = 'X'", "doses in the view: lost"),
        ("DELETE FROM views.timeline WHERE position = 9", "lines of the timeline: lost"),
        ("UPDATE views.positions SET position = 1 WHERE name = 'doses'", "positions of the views"),
    ],
)
def test_each_damage_is_found(at_rest, damage, found):
    findings = count_all(Damaged(at_rest.urls, damage), at_rest.acknowledged)
    assert any(what.startswith(found) for what in findings.wrong), str(findings)


def test_a_write_that_nobody_was_answered_is_found(at_rest):
    findings = count_all(Databases(*at_rest.urls), at_rest.acknowledged[:-1])
    assert "doses in the log: doubled or invented" in findings.wrong


@pytest.mark.parametrize(
    "damaged",
    [
        lambda told: told[:-1],
        lambda told: [*told[:8], *told[9:]],
        lambda told: [*told, replace(told[-1], sequence=told[-1].sequence + 1)],
        lambda told: [replace(one, sequence=number) for number, one in enumerate(told[::-1], 1)],
        lambda told: [replace(told[0], body=told[0].body.replace(b'"v":1', b'"v":2')), *told[1:]],
    ],
    ids=["end lost", "gap", "doubled", "order", "altered"],
)
def test_each_damage_of_the_feed_is_found(at_rest, damaged):
    clean, wrong = Findings(), Findings()
    count_feed(clean, at_rest.told, at_rest.log)
    count_feed(wrong, damaged(at_rest.told), at_rest.log)
    assert not clean.wrong
    assert wrong.wrong


def test_our_own_reading_of_the_proofs_refuses_what_is_wrong(at_rest):
    tree = Tree([row.leaf for row in at_rest.log])
    size = len(at_rest.log)
    path = [tree.leaves[1], tree.leaves[0]]
    assert tree.root(2) == Tree(tree.leaves[:2]).root(2) != tree.root(3)
    assert is_included(0, 2, tree.leaves[0], path[:1], tree.root(2))
    assert is_included(1, 2, tree.leaves[1], path[1:], tree.root(2))
    assert not is_included(1, 2, tree.leaves[0], path[:1], tree.root(2))
    assert not is_included(0, 2, tree.leaves[0], path, tree.root(2))
    assert not is_included(0, 2, tree.leaves[0], path[:1], tree.root(3))
    assert not is_included(2, 2, tree.leaves[0], path[:1], tree.root(2))
    grown = [tree.leaves[2]]
    assert is_consistent(2, 3, tree.root(2), tree.root(3), grown)
    assert not is_consistent(2, 3, tree.root(1), tree.root(3), grown)
    assert not is_consistent(2, 3, tree.root(2), tree.root(size), grown)
    assert not is_consistent(2, 3, tree.root(2), tree.root(3), [])
