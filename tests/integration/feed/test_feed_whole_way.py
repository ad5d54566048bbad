"""From the desk to the subscriber over real servers: one entry, four readers, one verdict."""

import asyncio
from contextlib import aclosing, closing
from uuid import uuid4

import psycopg
import pytest

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.log_keys import installation_secrets, log_signer
from bootstrap.settings import Settings
from bootstrap.wiring import wire
from client.copying import LogCopy
from client.errors import RefutedError
from client.feed import FeedServer
from client.identifiers import new_id
from client.signing import AuthorKey, Draft
from client.sources import FolderSource, StoreSource
from client.subscribe import Subscription
from client.trust import Trust
from client.verify import verify_log
from commands.genesis import open_log
from commands.principal import Principal, Role
from ledger.store.integration import Integrator
from tests.integration.commands.conftest import COUNTY, TOWNSHIP, Author, admit, dose, registration
from tests.leading import lead
from workers.publisher import Publisher


@pytest.fixture
def feed_server(servers_dir):
    """A server of its own: the stream's name is fixed."""
    server = EmbeddedNats.start(servers_dir / "whole-way")
    yield server
    server.stop()


@pytest.fixture
def installation(migrated_database, tmp_path):
    """A log with children, doses and a correction, integrated and signed."""
    urls = migrated_database()
    settings = Settings(data_dir=tmp_path, database_url=urls.log, keys_url=urls.keys)
    with wire(settings) as parts:
        open_log(parts.services, parts.founder)
        operator = Author(
            parts,
            parts.secrets.operator,
            AuthorKey(parts.secrets.operator, parts.secrets.root_key),
            Principal("operator", Role.OPERATOR, parts.secrets.operator, ""),
        )
        cdc = admit(operator, Role.COUNTY_CDC, "测试县疾控中心", "county-cdc", COUNTY)
        clinic = admit(cdc, Role.CLINIC, "第一门诊", "clinic", TOWNSHIP)
        for _ in range(5):
            draft, child = registration(clinic)
            clinic.submit(draft)
            given = dose(clinic, draft.stream, child, 1)
            clinic.submit(given)
        correct(clinic, draft.stream, given)
        signer = log_signer(settings, installation_secrets(settings))
        integrator = Integrator(urls.log, lambda: [signer], tmp_path / "checkpoint")
        with closing(integrator):
            lead(integrator)
            while integrator.round():
                pass
        yield parts, settings, Trust.of_keys(signer.verifier_keys())


def correct(clinic, record, given):
    """Correct the lot of a dose: the server adds the corrected dose, signed by the platform."""
    data = {
        "record": str(record),
        "dose": given.data["dose"],
        "division": TOWNSHIP,
        "kind": "amend",
        "changes": [{"field": "lot", "before": given.data["lot"], "after": "A20140602"}],
        "urgency": "next-day",
        "reason": "transcription-error",
        "requested_by": "clinic",
        "clinic": str(clinic.organisation),
    }
    request = Draft("correction.requested.v1", new_id(), 0, data)
    clinic.submit(request)
    own = {"clinic": str(clinic.organisation)}
    clinic.submit(Draft("correction.verified.v1", request.stream, 1, own, {}, uuid4()))
    clinic.submit(Draft("correction.applied.v1", request.stream, 2, own, {}, uuid4()))


def test_what_the_desk_wrote_verifies_copies_and_arrives(installation, feed_server, tmp_path):
    parts, _, trust = installation
    report = verify_log(StoreSource(parts.reader), trust)
    size = report.counts.entries
    assert size == parts.reader.published() == 2 + 2 + 10 + 3 + 1
    assert (report.counts.envelopes, report.counts.organisations) == (size, 4)
    assert report.counts.unknown_topics == 0

    copied = LogCopy(tmp_path / "copy", trust).extend(StoreSource(parts.reader))
    assert copied.size == size
    assert verify_log(FolderSource(tmp_path / "copy"), trust).checkpoint == report.checkpoint

    arrived = asyncio.run(follow(parts, feed_server, size))
    assert arrived == [(p, raw, leaf) for p, raw, leaf in parts.reader.entries(1, size)]


async def follow(parts, feed_server, size):
    stop = asyncio.Event()
    publisher = Publisher(
        parts.reader,
        FeedServer(
            feed_server.url, feed_server.user, feed_server.password, (feed_server.monitor_url,)
        ),
        parts.settings.database_url,
    )
    publishing = asyncio.create_task(publisher.run(stop))
    try:
        async with asyncio.timeout(60):
            while publisher.position < size:  # noqa: ASYNC110  the publisher has no event to await
                await asyncio.sleep(0.02)
            place = FeedServer(feed_server.url, feed_server.admin_user, feed_server.admin_password)
            async with aclosing(Subscription(place).events(size)) as events:
                return [(event.position, event.raw, event.leaf) async for event in events]
    finally:
        stop.set()
        await publishing


def test_an_entry_that_a_superuser_edits_is_named(installation, postgres):
    parts, settings, trust = installation
    database = psycopg.conninfo.conninfo_to_dict(settings.database_url)["dbname"]
    with psycopg.connect(postgres.superuser_url(database), autocommit=True) as attacker:
        attacker.execute("SET session_replication_role = replica")
        attacker.execute(
            "UPDATE ledger.entries SET entry ="
            " convert_to(replace(convert_from(entry, 'UTF8'), 'A20140601', 'A20140699'), 'UTF8')"
            " WHERE position = 8"
        )
    with pytest.raises(RefutedError) as caught:
        verify_log(StoreSource(parts.reader), trust)
    assert (caught.value.step, caught.value.position) == (2, 8)
    assert caught.value.reason == "entry-altered"
