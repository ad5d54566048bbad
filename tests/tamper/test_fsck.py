"""A superuser with every trigger off alters what is stored: `fsck` names it, and the right place.

On a real PostgreSQL and a real NATS, in an installation that wrote all kinds of events. What a
verifier is responsible for, both of them name as well. The catalogue: `docs/verification.md`.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.folders import outside_path
from bootstrap.fsck import Inspected, inspect
from bootstrap.log_keys import log_signer, log_signers
from bootstrap.wiring import Parts, wire
from client import feed
from client.errors import RefutedError
from client.feed import FeedServer
from client.message import Previous, build
from client.sources import StoreSource
from client.trust import Trust as ProductTrust
from client.verify import verify_log
from ledger.store.inspection import snapshot
from ledger.store.integration import Integrator
from tests.conftest import Databases
from tests.founded import founded
from tests.leading import lead
from tests.second.trust import Trust
from tests.second.verifier import Given, verify
from tests.tamper.both_verifiers import SCHEMAS
from tests.tamper.test_second_on_installation import write_everything

TABLES = (
    "ledger.head",
    "ledger.entries",
    "ledger.envelopes",
    "ledger.idempotency",
    "ledger.claims",
    "ledger.blobs",
    "ledger.tiles",
    "ledger.checkpoint",
    "ledger.checkpoints",
    "views.positions",
    "views.parked",
)


@pytest.fixture(scope="module")
def parts(
    migrated_database: Callable[[], Databases], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parts]:
    with founded(migrated_database(), tmp_path_factory.mktemp("fsck")) as parts:
        settings = parts.settings
        write_everything(parts)
        integrator = Integrator(
            settings.database_url, log_signers(settings), outside_path(settings)
        )
        lead(integrator)
        while integrator.round():
            pass
        integrator.close()
        yield parts


@pytest.fixture(scope="module")
def thief(parts, postgres):
    """A superuser's session with every trigger off, who keeps a copy of everything."""
    database = conninfo_to_dict(parts.settings.database_url)["dbname"]
    with psycopg.connect(postgres.superuser_url(database), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in TABLES:
            kept = table.replace(".", "_")
            connection.execute(f"CREATE TEMPORARY TABLE {kept} AS TABLE {table}")
        yield connection


@contextmanager
def altered(thief, statement, place):
    """Let the thief alter the installation, and put everything back at the end."""
    try:
        for part in statement.split(";"):
            assert thief.execute(part, place).rowcount, f"nothing to alter: {part}"
        yield
    finally:
        for table in TABLES:
            kept = table.replace(".", "_")
            thief.execute(f"TRUNCATE {table}")
            thief.execute(f"INSERT INTO {table} TABLE {kept}")


def inspected(parts: Parts) -> tuple[Inspected, list[tuple[str, int | None]]]:
    findings: list[tuple[str, int | None]] = []
    found = inspect(
        parts,
        lambda one: findings.append((one.kind, one.position)),
        lambda _done, _size: None,
        full=True,
    )
    return found, findings


def test_a_sound_installation_is_sound(parts):
    found, findings = inspected(parts)
    assert findings == []
    assert found.entries == parts.reader.published() > 24
    assert found.sealed_values > 12
    assert (found.erased, found.untold, found.messages) == (0, 0, 0)
    assert set(found.projections.values()) == {0}


AT = "WHERE position = %(at)s"
LEAF = "sha256('\\x00'::bytea || entry)"
BLOB = (
    " WHERE sha256 = (SELECT sha256 FROM ledger.blobs ORDER BY sha256 OFFSET %(of)s %% 12 LIMIT 1)"
)
KEYED = (
    "WHERE first_position = (SELECT max(first_position) FROM ledger.idempotency"
    " WHERE first_position <= %(at)s)"
)
CLAIM = (
    "WHERE (kind, key) = (SELECT kind, key FROM ledger.claims"
    " ORDER BY kind, key OFFSET %(of)s %% 10 LIMIT 1)"
)
ENVELOPE = (
    "WHERE sha256 = (SELECT decode(convert_from(substring(entry from 24 for 64), 'utf8'), 'hex')"
    f" FROM ledger.entries {AT})"
)

ROWS = {
    "an event edited": (
        f"UPDATE ledger.entries SET entry = set_byte(entry, 30 + %(of)s, 120) {AT}",
        "leaf-differs",
    ),
    "a bit of an event flipped": (
        (
            "UPDATE ledger.entries"
            f" SET entry = set_bit(entry, 8 * %(of)s, 1 - get_bit(entry, 8 * %(of)s)) {AT}"
        ),
        "leaf-differs",
    ),
    "an event and its row's hash edited": (
        (
            f"UPDATE ledger.entries SET entry = set_byte(entry, 30 + %(of)s, 120) {AT};"
            f"UPDATE ledger.entries SET leaf = {LEAF} {AT}"
        ),
        "tile-altered",
    ),
    "a row's hash edited": (
        f"UPDATE ledger.entries SET leaf = set_bit(leaf, %(of)s, 1 - get_bit(leaf, %(of)s)) {AT}",
        "leaf-differs",
    ),
    "an event deleted": (f"DELETE FROM ledger.entries {AT}", "entry-missing"),
    "two events swapped": (
        (
            "UPDATE ledger.entries e SET (entry, leaf) ="
            " (SELECT o.entry, o.leaf FROM ledger.entries o"
            " WHERE o.position = 2 * %(at)s + 1 - e.position)"
            " WHERE position IN (%(at)s, %(at)s + 1)"
        ),
        "tile-altered",
    ),
    "an event duplicated over the next": (
        (
            "UPDATE ledger.entries SET (entry, leaf) ="
            " (SELECT o.entry, o.leaf FROM ledger.entries o"
            f" WHERE o.position = %(at)s - 1) {AT}"
        ),
        "tile-altered",
    ),
    "an event moved to another child": (
        f"UPDATE ledger.entries SET stream = gen_random_uuid() {AT}",
        "column-differs",
    ),
    "a version edited": (f"UPDATE ledger.entries SET version = 77 {AT}", "column-differs"),
    "a time edited": (
        f"UPDATE ledger.entries SET known_at = known_at - interval '1 day' {AT}",
        "column-differs",
    ),
    "a topic edited": (f"UPDATE ledger.entries SET topic = 'a.b.v1' {AT}", "column-differs"),
    "a division edited": (f"UPDATE ledger.entries SET division = '110101' {AT}", "column-differs"),
    "an envelope edited": (
        f"UPDATE ledger.envelopes SET envelope = envelope || ' ' {ENVELOPE}",
        "envelope-differs",
    ),
    "an envelope deleted": (f"DELETE FROM ledger.envelopes {ENVELOPE}", "envelope-missing"),
    "a tile's hash edited": (
        (
            "UPDATE ledger.tiles SET hashes = set_byte(hashes, 32 * %(at)s - 32 + %(of)s,"
            " 255 - get_byte(hashes, 32 * %(at)s - 32 + %(of)s))"
        ),
        "tile-altered",
    ),
    "a tile cut off": (
        "UPDATE ledger.tiles SET hashes = substring(hashes for 32 * %(at)s - 32)",
        "tile-cut-off",
    ),
}
"""Alterations of one row: what is done at a random place, and what `fsck` finds there."""

NOT_A_VERIFIER_S = frozenset(
    {
        "a row's hash edited",
        "an event moved to another child",
        "a version edited",
        "a time edited",
        "a topic edited",
        "a division edited",
    }
)
"""Columns beside the entry, which no reader of the log sees."""

OTHERS = {
    "an envelope added": (
        "INSERT INTO ledger.envelopes VALUES (sha256('x'), 'x')",
        "envelope-of-no-entry",
    ),
    "an idempotency key edited": (
        f"UPDATE ledger.idempotency SET key = gen_random_uuid() {KEYED}",
        "idempotency-differs",
    ),
    "an idempotency key's author edited": (
        f"UPDATE ledger.idempotency SET author = gen_random_uuid() {KEYED}",
        "idempotency-differs",
    ),
    "an idempotency request edited": (
        f"UPDATE ledger.idempotency SET request = sha256(request) {KEYED}",
        "idempotency-differs",
    ),
    "an idempotency count edited": (
        f"UPDATE ledger.idempotency SET count = count + 1 {KEYED}",
        "idempotency-differs",
    ),
    "an idempotency key deleted": (
        f"DELETE FROM ledger.idempotency {KEYED}",
        "idempotency-missing",
    ),
    "an idempotency key added": (
        (
            "INSERT INTO ledger.idempotency"
            " VALUES (gen_random_uuid(), gen_random_uuid(), sha256('x'), 5000 + %(at)s, 1)"
        ),
        "idempotency-of-no-write",
    ),
    "a claim deleted": (
        f"DELETE FROM ledger.claims {CLAIM}",
        "claim-missing",
    ),
    "a claim given to another": (
        f"UPDATE ledger.claims SET stream = gen_random_uuid() {CLAIM}",
        "claim-of-no-entry",
    ),
    "a claim added": (
        "INSERT INTO ledger.claims VALUES ('person', sha256('x'), gen_random_uuid(), %(at)s)",
        "claim-of-no-entry",
    ),
    "a bit of a sealed value flipped": (
        "UPDATE ledger.blobs SET blob = set_bit(blob, %(of)s, 1 - get_bit(blob, %(of)s))" + BLOB,
        "blob-differs",
    ),
    "two ciphertexts swapped": (
        "UPDATE ledger.blobs b SET blob = (SELECT o.blob FROM ledger.blobs o"
        " WHERE o.sha256 <> b.sha256 LIMIT 1)" + BLOB,
        "blob-differs",
    ),
    "a sealed value moved to another person": (
        "UPDATE ledger.blobs SET subject = gen_random_uuid()" + BLOB,
        "blob-subject-differs",
    ),
    "a sealed value moved to another event": (
        "UPDATE ledger.blobs SET position = 1" + BLOB,
        "blob-of-no-entry",
    ),
    "a sealed value deleted": ("DELETE FROM ledger.blobs" + BLOB, "blob-missing"),
    "a sealed value added": (
        "INSERT INTO ledger.blobs VALUES (sha256('x'), gen_random_uuid(), %(at)s, 'x')",
        "blob-of-no-entry",
    ),
    "the tail deleted": ("DELETE FROM ledger.entries WHERE position > %(at)s", "head-differs"),
    "the head set back": ("UPDATE ledger.head SET size = %(at)s", "head-differs"),
    "the head's time set back": (
        "UPDATE ledger.head SET recorded_at = recorded_at - interval '1 s'",
        "head-time-differs",
    ),
    "a tile deleted": ("DELETE FROM ledger.tiles", "tile-missing"),
    "a tile added": (
        "INSERT INTO ledger.tiles VALUES (0, %(at)s, sha256('x'))",
        "tile-of-no-tree",
    ),
    "the checkpoint's size set back": (
        "UPDATE ledger.checkpoint SET size = %(at)s, published = %(at)s",
        "rolled-back",
    ),
    "a bit of the checkpoint flipped": (
        "UPDATE ledger.checkpoint SET note = set_bit(note, %(of)s, 1 - get_bit(note, %(of)s))",
        "checkpoint-not-signed",
    ),
    "the published checkpoint removed": (
        "UPDATE ledger.checkpoint SET published_note = NULL",
        "checkpoint-missing",
    ),
    "a kept checkpoint edited": (
        "UPDATE ledger.checkpoints SET note = set_byte(note, 3, 88)",
        "checkpoint-differs",
    ),
    "an old backup restored": (
        (
            "DELETE FROM ledger.entries WHERE position > %(at)s;"
            "UPDATE ledger.head SET size = %(at)s;"
            "UPDATE ledger.checkpoint SET size = %(at)s, published = %(at)s"
        ),
        "rolled-back",
    ),
    "a read model ahead of the log": (
        "UPDATE views.positions SET position = 5000 WHERE name = 'doses'",
        "projection-ahead",
    ),
    "a stream parked": (
        "INSERT INTO views.parked VALUES ('doses', gen_random_uuid(), %(at)s, 'KeyError')",
        "stream-parked",
    ),
}
"""Alterations of what belongs to the log, and what `fsck` finds."""


TOLD_BY_THE_LOG = frozenset(
    {
        "an idempotency key edited",
        "an idempotency key's author edited",
        "an idempotency request edited",
        "an idempotency key deleted",
    }
)


def place_of(attack, seed, parts, thief):
    chance = random.Random(f"{attack} {seed}")
    places = list(range(2, parts.reader.published()))
    if attack in TOLD_BY_THE_LOG:
        rows = thief.execute("SELECT first_position, count FROM ledger.idempotency").fetchall()
        firsts = {at: first for first, count in rows for at in range(first, first + count)}
        places = [at for at in places if not is_a_citizen_s(parts.reader.entry(firsts[at]))]
    return {"at": chance.choice(places), "of": chance.randrange(30)}


def is_a_citizen_s(raw):
    """What a citizen asked for is not in the log, so nobody can tell the key that it stands for."""
    return b'"on_behalf_of"' in raw


def carry_out(attack, seed, parts, thief):
    place = place_of(attack, seed, parts, thief)
    statement, kind = ROWS.get(attack) or OTHERS[attack]
    with altered(thief, statement, place):
        _, findings = inspected(parts)
        assert kind in dict(findings), (place, findings)
        if attack not in ROWS:
            return
        assert (kind, place["at"]) in findings, (place, findings)
        # A write is named by its first event, which may stand before the one that was altered.
        of_entries = [(what, at) for what, at in findings if at and "idempotency" not in what]
        assert min(at for _, at in of_entries) == place["at"]
        if attack in NOT_A_VERIFIER_S:
            return
        product, second = judged_by_both(parts)
        assert product == second == place["at"] or "cut-off" in kind, (place, product, second)


def judged_by_both(parts: Parts) -> tuple[int | None, int]:
    signer = log_signer(parts.settings, parts.secrets)
    source = StoreSource(parts.reader)
    with pytest.raises(RefutedError) as refuted:
        verify_log(source, ProductTrust.of_keys(signer.verifier_keys()))
    vkeys = [key.text() for key in signer.verifier_keys()]
    second = verify(source.read, Given(Trust.of_keys(*vkeys), SCHEMAS))
    return refuted.value.position, second[0].position


@pytest.mark.parametrize("attack", [*ROWS, *OTHERS])
def test_what_a_superuser_alters_is_named(attack, parts, thief):
    carry_out(attack, 0, parts, thief)


def test_when_everything_is_put_back_nothing_is_found(parts, thief):
    assert inspected(parts)[1] == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("attack", [*ROWS, *OTHERS])
def test_what_a_superuser_alters_is_named_at_500_places(attack, parts, thief):
    for seed in range(500):
        carry_out(attack, seed, parts, thief)
    assert inspected(parts)[1] == []  # and no false alarm about what was put back


@pytest.mark.parametrize("change", ["removed", "a bit flipped", "of another key"])
def test_the_file_outside_is_compared(change, parts):
    path = outside_path(parts.settings)
    note = path.read_bytes()
    try:
        path.unlink()
        if change == "a bit flipped":
            path.write_bytes(note.replace(b"\n", b"\r", 1))
        elif change == "of another key":
            path.write_bytes(note[: note.index(b"\n\n") + 2])
        kind = "checkpoint-missing" if change == "removed" else "checkpoint-not-signed"
        assert inspected(parts)[1] == [(kind, None)]
    finally:
        path.write_bytes(note)


# The feed: whoever administers NATS may make its stream anew, as he likes.


@pytest.fixture(scope="module")
def feed_server(servers_dir):
    server = EmbeddedNats.start(servers_dir / "fsck")
    yield server
    server.stop()


def messages_of(parts):
    size = parts.reader.published()
    previous = parts.reader.previous_many(1, size)
    return [
        build(raw, position, Previous(*previous[position]))
        for position, raw, _ in parts.reader.entries(1, size)
    ]


async def publish(server, messages):
    connection = await feed.connect(server, reconnect=False)
    try:
        js = connection.jetstream()
        await feed.ensure_streams(js, 1)
        await js.delete_stream(feed.ENTRIES)
        await feed.ensure_streams(js, 1)
        for one in messages:
            await js.publish(one.subject, one.body, headers=one.headers)
    finally:
        await connection.close()


def inspected_with_feed(parts, server, messages):
    place = FeedServer(server.url, server.admin_user, server.admin_password)
    asyncio.run(publish(place, messages))
    urls = {"nats_url": server.url, "nats_user": place.user, "nats_password": place.password}
    settings = parts.settings.model_copy(update=urls)
    with wire(settings) as joined:
        return inspected(joined)


@pytest.mark.parametrize("limit", ["transaction_timeout", "idle_in_transaction_session_timeout"])
def test_no_limit_of_the_server_ends_a_long_inspection(limit, parts):
    with snapshot(parts.settings.database_url) as at:
        assert at._connection.execute(f"SHOW {limit}").fetchone() == ("0",)


def test_a_feed_that_is_the_log_is_sound(parts, feed_server):
    messages = messages_of(parts)
    found, findings = inspected_with_feed(parts, feed_server, messages)
    assert (findings, found.messages) == ([], len(messages))


def test_a_feed_that_lags_is_sound(parts, feed_server):
    found, findings = inspected_with_feed(parts, feed_server, messages_of(parts)[:9])
    assert (findings, found.messages) == ([], 9)


@pytest.mark.parametrize("seed", range(3))
def test_a_message_that_was_altered_is_named(seed, parts, feed_server):
    messages = messages_of(parts)
    at = random.Random(seed).randrange(1, len(messages))
    body = json.loads(messages[at].body)
    body["data"]["division"] = "110101"
    messages[at] = messages[at]._replace(body=json.dumps(body).encode())
    _, findings = inspected_with_feed(parts, feed_server, messages)
    assert findings == [("message-missing", at + 1)]


def test_messages_left_out_and_replayed_are_named(parts, feed_server):
    messages = messages_of(parts)
    _, findings = inspected_with_feed(parts, feed_server, [*messages[:7], *messages[8:]])
    assert findings[0] == ("message-missing", 8)
    _, findings = inspected_with_feed(parts, feed_server, [*messages, messages[3]])
    assert findings == [("feed-ahead", len(messages) + 1)]
    messages[5] = messages[4]
    _, findings = inspected_with_feed(parts, feed_server, messages)
    assert findings == [("message-missing", 6)]
