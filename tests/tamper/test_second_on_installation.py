"""A real installation's log, exported: the second implementation reads and opens all of it.

Written through the desk into PostgreSQL, integrated, copied into a folder. Then a database
administrator with every trigger off alters what is stored, and both name the place.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bootstrap.log_keys import log_signer
from bootstrap.wiring import Parts
from client.copying import LogCopy
from client.errors import RefutedError
from client.identifiers import new_id
from client.signing import Draft
from client.sources import FolderSource, StoreSource
from client.trust import Trust as ProductTrust
from client.verify import verify_log
from commands.principal import Principal, Role, VerifiedIdentity
from ledger.store.integration import Integrator
from tests.conftest import Databases
from tests.founded import founded
from tests.integration.commands.conftest import (
    COUNTY,
    TOWNSHIP,
    Author,
    AuthorKey,
    admit,
    dose,
    registration,
)
from tests.leading import lead
from tests.second.entries import Entry
from tests.second.folders import reader, split_lengths
from tests.second.trust import Trust
from tests.second.verifier import Given, verify
from tests.tamper.both_verifiers import SCHEMAS


@pytest.fixture(scope="module")
def parts(
    migrated_database: Callable[[], Databases], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parts]:
    with founded(migrated_database(), tmp_path_factory.mktemp("installation")) as parts:
        yield parts


def write_everything(parts: Parts) -> Author:
    """Let organisations, clinics and a guardian do what they do; every kind of author signs.

    Returns:
        The clinic.
    """
    operator = Author(
        parts,
        parts.secrets.operator,
        AuthorKey(parts.secrets.operator, parts.secrets.root_key),
        Principal("operator", Role.OPERATOR, parts.secrets.operator, ""),
    )
    cdc = admit(operator, Role.COUNTY_CDC, "测试县疾控中心", "county-cdc", COUNTY)
    clinic = admit(cdc, Role.CLINIC, "第一门诊", "clinic", TOWNSHIP)
    other = admit(cdc, Role.CLINIC, "第二门诊", "clinic", TOWNSHIP)
    for _ in range(3):
        registered, child = registration(clinic)
        clinic.submit(registered)
        given = dose(clinic, registered.stream, child, 1)
        clinic.submit(given)
        correct(clinic, registered.stream, child, given)
        claim(parts, registered.stream)
    restricted = {"organisation": str(cdc.organisation), "reason": "consent-withdrawn"}
    record = registered.stream
    version = len(parts.reader.stream(record))
    cdc.submit(Draft("vaccination-record.restricted.v1", record, version, restricted))
    asked = {"organisation": str(cdc.organisation), "ground": "legal-order"}
    cdc.submit(Draft("vaccination-record.shred-requested.v1", record, version + 1, asked))
    city = admit(operator, Role.CITY_CDC, "测试市疾控中心", "city-cdc", COUNTY)
    confirmed = {"organisation": str(city.organisation), "request": version + 2}
    city.submit(Draft("vaccination-record.shredded.v1", record, version + 2, confirmed))
    revoked = {"keyid": other.key.keyid, "reason": "lost"}
    cdc.submit(Draft("organisation.key-revoked.v1", other.organisation, 1, revoked))
    return clinic


def correct(clinic: Author, record: UUID, child: UUID, given: Draft) -> None:
    own = {"clinic": str(clinic.organisation)}
    data = {
        "record": str(record),
        "dose": given.data["dose"],
        "division": TOWNSHIP,
        "kind": "amend",
        "changes": [{"field": "lot", "before": given.data["lot"], "after": "B20140601"}],
        "urgency": "next-day",
        "reason": "wrong-lot",
        "requested_by": "clinic",
        **own,
    }
    private = {child: {"before": {"vaccinator": "赵医生"}, "after": {"vaccinator": "钱医生"}}}
    request = Draft("correction.requested.v1", new_id(), 0, data, private)
    clinic.submit(request)
    clinic.submit(Draft("correction.verified.v1", request.stream, 1, own))
    clinic.submit(Draft("correction.applied.v1", request.stream, 2, own))


def claim(parts: Parts, record: UUID) -> None:
    mother = VerifiedIdentity("李梅", "11010519491231002X", "13800000000", face_verified=True)
    guardian = Principal("guardian", Role.GUARDIAN, None, "", mother)
    asked = {"record": str(record), "has_consented": True}
    parts.desk.certificates.claim(guardian, uuid4(), asked)


@pytest.fixture(scope="module")
def exported(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    write_everything(parts)
    folder: Path = tmp_path_factory.mktemp("export")
    outside = tmp_path_factory.mktemp("outside") / "checkpoint"
    assert parts.settings.database_url
    signer = log_signer(parts.settings, parts.secrets)
    integrator = Integrator(parts.settings.database_url, lambda: [signer], outside)
    lead(integrator)
    while integrator.round():
        pass
    integrator.close()
    export(parts, folder)
    return folder


def trust_of(parts: Parts) -> ProductTrust:
    return ProductTrust.of_keys(log_signer(parts.settings, parts.secrets).verifier_keys())


def export(parts: Parts, folder: Path) -> None:
    LogCopy(folder, trust_of(parts)).extend(StoreSource(parts.reader))


def vkeys(parts: Parts) -> list[str]:
    signer = log_signer(parts.settings, parts.secrets)
    return [key.text() for key in signer.verifier_keys()]


def entries_in(folder: Path) -> list[Entry]:
    (bundle,) = (folder / "tile" / "entries").glob("000.p/*")
    return [Entry.parse(raw) for raw in split_lengths(bundle.read_bytes(), 2, "bundle")]


def test_both_hold_an_installation_s_export_for_true(parts, exported):
    report = verify_log(FolderSource(exported), trust_of(parts))
    assert report.counts.entries == len(entries_in(exported)) == 31
    assert verify(reader(exported), Given(Trust.of_keys(*vkeys(parts)), SCHEMAS)) == []


def test_the_export_names_its_policy(parts, exported):
    trust = Trust.parse((exported / "log.vkey").read_bytes())
    assert trust.judge((exported / "checkpoint").read_bytes())[0].size == 31


def test_every_sealed_value_opens_and_is_what_its_author_committed_to(parts, exported):
    entries = entries_in(exported)
    people = {UUID(subject) for entry in entries for subject in entry.sealed}
    digests = [digest for entry in entries for digest in entry.sealed.values()]
    keys = parts.vault.keys.open(people)
    blobs = parts.reader.blobs(digests)
    assert len(blobs) == len(digests) > 12
    stored = {f"blobs/{digest[:2]}/{digest}": blob for digest, blob in blobs.items()}
    files = reader(exported)
    given = Given(
        Trust.of_keys(*vkeys(parts)),
        SCHEMAS,
        with_blobs=True,
        keys={str(person): key for person, key in keys.items()},
    )
    assert verify(lambda path: stored.get(path) or files(path), given) == []


TABLES = ("entries", "envelopes", "tiles")
EDITED = (
    """convert_to(replace(convert_from(entry, 'utf8'), '"version":2', '"version":3'), 'utf8')"""
)
OTHER = "(SELECT other.entry FROM entries other WHERE other.position = 17 - entries.position)"
ATTACKS = {
    "an entry edited": f"UPDATE entries SET entry = {EDITED}",
    "two entries swapped": f"UPDATE entries SET entry = {OTHER} WHERE position IN (8, 9)",
    "a hash in a tile edited": "UPDATE tiles SET hashes = set_byte(hashes, 300, 7)",
    "an envelope edited": "UPDATE envelopes SET envelope = envelope || ' '",
    "an envelope deleted": "DELETE FROM envelopes WHERE sha256 < decode('40', 'hex')",
    "the tail deleted": "DELETE FROM entries WHERE position > 20",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_superuser_alters_with_triggers_off_is_named_by_both(
    attack, parts, exported, postgres
):
    database = conninfo_to_dict(parts.settings.database_url)["dbname"]
    with psycopg.connect(postgres.superuser_url(database), autocommit=True) as thief:
        thief.execute("SET session_replication_role = replica; SET search_path = ledger")
        for table in TABLES:
            thief.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")
        try:
            thief.execute(ATTACKS[attack])
            product, second = judged_by_both(parts)
        finally:
            for table in TABLES:
                thief.execute(f"DELETE FROM {table}; INSERT INTO {table} TABLE kept_{table}")
    assert product == second
    verify_log(StoreSource(parts.reader), trust_of(parts))


def judged_by_both(parts: Parts) -> tuple[int | None, int]:
    """Return the positions that the product and the second name first, read from the store."""
    source = StoreSource(parts.reader)
    with pytest.raises(RefutedError) as refuted:
        verify_log(source, trust_of(parts))
    second = verify(source.read, Given(Trust.of_keys(*vkeys(parts)), SCHEMAS))
    return refuted.value.position, second[0].position
