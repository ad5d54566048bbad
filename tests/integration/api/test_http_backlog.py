"""Pushback: while too much waits for a checkpoint, writes are refused and reads are not."""

import warnings

import httpx
import pytest

from bootstrap.log_keys import log_signers
from bootstrap.settings import Settings
from bootstrap.tokens import DevelopmentIssuerWarning
from bootstrap.views import open_views
from bootstrap.wiring import wire
from client.signing import AuthorKey
from commands.genesis import open_log
from commands.principal import Principal, Role
from ledger.store.integration import Integrator
from tests import drafts
from tests.integration.api.conftest import COUNTY, Author, Served, listening
from tests.leading import lead

LIMIT = 4


@pytest.fixture
def operator(migrated_database, tmp_path):
    """An installation whose integrator stands still."""
    urls = migrated_database()
    settings = Settings(
        data_dir=tmp_path,
        database_url=urls.log,
        keys_url=urls.keys,
        receipt_wait_seconds=0,
        unpublished_entries=LIMIT,
    )
    with wire(settings) as parts, open_views(settings) as views:
        open_log(parts.services, parts.founder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DevelopmentIssuerWarning)
            assert parts.issuer
        with listening(parts, views) as url, httpx.Client(base_url=url, timeout=60) as http:
            key = AuthorKey(parts.secrets.operator, parts.secrets.root_key)
            principal = Principal("operator", Role.OPERATOR, parts.secrets.operator, "")
            yield Author(Served(parts, views, url, http), key, principal)


def test_writes_are_refused_while_the_integrator_is_too_far_behind(operator, tmp_path):
    parts = operator.served.parts
    signed = [
        operator.sign(
            drafts.organisation(parts.settings.origin, f"疾控{n}", "county-cdc", COUNTY)[1]
        )
        for n in range(LIMIT)
    ]
    answers = [operator.post("/v1/organisations", write) for write in signed]
    taken, refused = LIMIT - 2, answers[LIMIT - 2 :]  # two entries have opened the log
    assert [answer.status_code for answer in answers[:taken]] == [202] * taken
    for answer in refused:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["type"].endswith("backlogged")
    assert operator.served.head() == LIMIT

    integrator = Integrator(
        parts.settings.database_url, log_signers(parts.settings), tmp_path / "c"
    )
    lead(integrator)
    integrator.round()
    integrator.close()
    again = operator.post("/v1/organisations", signed[-1])
    assert again.status_code in (201, 202)
    repeated = operator.post("/v1/organisations", signed[0])
    assert repeated.status_code in (200, 201, 202)
    assert operator.served.head() == LIMIT + 1
