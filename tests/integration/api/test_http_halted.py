"""A halted log over HTTP: it is read, and takes nothing until its operator has looked."""

import psycopg
import pytest

from bootstrap.folders import outside_path
from bootstrap.halting import refuse_halted
from bootstrap.log_keys import log_signers, look_outside
from bootstrap.recovery import resume
from ledger.store.errors import RolledBack, WritesHalted
from ledger.store.integration import Integrator
from tests import drafts
from tests.integration.api.conftest import COUNTY
from tests.integration.api.test_http_backlog import operator
from tests.leading import lead

__all__ = ("operator",)


def integrate(settings) -> None:
    outside_path(settings).parent.mkdir(exist_ok=True)
    integrator = Integrator(settings.database_url, log_signers(settings), outside_path(settings))
    lead(integrator)
    while integrator.round():
        pass
    integrator.close()


def halt(settings, kind: str) -> None:
    with psycopg.connect(settings.database_url) as owner:
        owner.execute("INSERT INTO ledger.halt (kind) VALUES (%s)", [kind])


def county(operator, name: str):
    return drafts.organisation(operator.served.parts.settings.origin, name, "county-cdc", COUNTY)[1]


def test_an_api_alone_on_a_restored_backup_refuses_writes_and_says_why(operator):
    settings = operator.served.parts.settings
    integrate(settings)
    with psycopg.connect(settings.database_url) as owner:
        ((note,),) = owner.execute("SELECT note FROM ledger.checkpoint", binary=True).fetchall()
    assert operator.post("/v1/organisations", county(operator, "一")).status_code == 202
    integrate(settings)
    with psycopg.connect(settings.database_url) as owner:  # the backup: two entries
        for statement in (
            "DELETE FROM ledger.entries WHERE position > 2",
            "DELETE FROM ledger.claims WHERE position > 2",
            "DELETE FROM ledger.idempotency WHERE first_position > 2",
            "UPDATE ledger.head SET size = 2",
        ):
            owner.execute(statement)
        owner.execute(
            "UPDATE ledger.checkpoint SET size = 2, published = 2, note = %(note)s,"
            " published_note = %(note)s",
            {"note": note},
        )
    look_outside(settings)  # what the process does when it starts

    answer = operator.post("/v1/organisations", county(operator, "二"))
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/log-halted"
    assert answer.json()["facts"] == {"kind": "RolledBack"}
    assert answer.headers["content-language"] == "zh-CN"
    http = operator.served.http
    ready = http.get("/readyz")
    assert ready.status_code == 503
    writes = ready.json()["checks"]["writes"]
    assert (writes["ok"], writes["halted"]) == (False, "RolledBack")
    assert http.get("/version").json()["root_keyid"]  # reads go on
    assert operator.served.head() == 2
    for refused in (refuse_halted, resume):
        with pytest.raises(RolledBack):
            refused(settings)


def test_an_unsigned_entry_that_was_altered_leaves_readiness_an_answer(operator):
    settings = operator.served.parts.settings
    integrate(settings)
    assert operator.post("/v1/organisations", county(operator, "四")).status_code == 202
    halt(settings, "TamperFound")
    with psycopg.connect(settings.database_url) as owner:
        owner.execute("UPDATE ledger.entries SET entry = 'x' WHERE position = 3")
    answer = operator.served.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["writes"]["halted"] == "TamperFound"


def test_an_operator_who_has_looked_lets_writes_in_again(operator):
    settings = operator.served.parts.settings
    write = operator.sign(county(operator, "三"))
    halt(settings, "TamperFound")
    assert operator.post("/v1/organisations", write).json()["type"] == "/problems/log-halted"
    with pytest.raises(WritesHalted):
        refuse_halted(settings)
    found = resume(settings)
    assert found is not None
    assert found.kind == "TamperFound"
    refuse_halted(settings)
    assert operator.post("/v1/organisations", write).status_code == 202
    assert resume(settings) is None
