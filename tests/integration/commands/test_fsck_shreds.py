"""`fsck` on a log with a shredded record: what is gone by right is no damage, anything else is."""

import psycopg
import pytest

from bootstrap.folders import outside_path
from bootstrap.fsck import inspect
from bootstrap.log_keys import log_signers
from bootstrap.shred_list import apply_shred_list, shred_list
from client.signing import Draft
from commands.erasure import decided, plan
from commands.principal import Role
from domain.identity import checksum
from ledger.store.integration import Integrator
from tests.integration.commands.conftest import County, admit, dose, registration

NUMBERS = [first + checksum(first) for first in ("41020020140615001", "41020020140615003")]


def record(county: County, number: str):
    draft, child = registration(county.clinic, number=number)
    county.clinic.submit(draft)
    county.clinic.submit(dose(county.clinic, draft.stream, child, 1))
    return draft.stream


def decide(county: County, stream) -> None:
    """Restrict, lift, restrict again, and have the record shredded."""
    cdc = county.cdc
    city = admit(county.operator, Role.CITY_CDC, "测试市疾控中心", "city-cdc", "410299")
    by, confirms = {"organisation": str(cdc.organisation)}, {"organisation": str(city.organisation)}
    for version, (author, what, fields) in enumerate(
        (
            (cdc, "restricted", {**by, "reason": "consent-withdrawn"}),
            (cdc, "restriction-lifted", {**by, "reason": "matter-settled"}),
            (cdc, "restricted", {**by, "reason": "consent-withdrawn"}),
            (cdc, "shred-requested", {**by, "ground": "legal-order"}),
            (city, "shredded", {**confirms, "request": 6}),
        ),
        2,
    ):
        author.submit(Draft(f"vaccination-record.{what}.v1", stream, version, fields))


def integrate(settings) -> None:
    outside_path(settings).parent.mkdir(exist_ok=True)
    integrator = Integrator(settings.database_url, log_signers(settings), outside_path(settings))
    integrator.start()
    while integrator.round():
        pass
    integrator.close()


def inspected(parts):
    findings = []
    found = inspect(parts, findings.append, lambda _done, _size: None, full=True)
    return found, [(one.kind, one.position) for one in findings]


@pytest.fixture(scope="module")
def shredded(county: County) -> County:
    stream, kept = (record(county, number) for number in NUMBERS)
    restricted = {"organisation": str(county.cdc.organisation), "reason": "consent-withdrawn"}
    county.cdc.submit(Draft("vaccination-record.restricted.v1", kept, 2, restricted))
    decide(county, stream)
    integrate(county.parts.settings)
    return county


def test_a_shred_is_sound_before_and_after_it_was_carried_out(shredded):
    parts = shredded.parts
    found, findings = inspected(parts)
    assert findings == []
    assert (found.erased, found.untold, found.other_claims) == (0, 0, 0)
    before = found.sealed_values
    ((which, position),) = decided(parts.services)
    shred_list(parts.settings).add(plan(parts.services, which, position, ()))
    apply_shred_list(parts.settings)
    found, findings = inspected(parts)
    assert findings == []
    assert found.erased > 0
    assert found.sealed_values + found.erased == before
    assert found.untold > 0


def test_a_sealed_value_that_nobody_shredded_is_missed(shredded):
    parts = shredded.parts
    with psycopg.connect(parts.settings.database_url) as owner:
        digest, position = owner.execute(
            "DELETE FROM ledger.blobs WHERE sha256 = (SELECT max(sha256) FROM ledger.blobs)"
            " RETURNING encode(sha256, 'hex'), position"
        ).fetchone()
    assert digest
    assert ("blob-missing", position) in inspected(parts)[1]


def test_a_person_s_key_that_nobody_shredded_is_missed(shredded):
    """Such as one that a key database put back from an older backup never had."""
    parts = shredded.parts
    assert "key-missing" not in {kind for kind, _ in inspected(parts)[1]}
    with psycopg.connect(parts.settings.keys_url) as owner:
        lost = owner.execute("DELETE FROM keys.people_keys RETURNING handle").fetchall()
    found = [position for kind, position in inspected(parts)[1] if kind == "key-missing"]
    assert len(found) == len(lost) > 0
