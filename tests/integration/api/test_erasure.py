"""Shredding for good: what goes, what stays provable, killed anywhere, and old backups."""

import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from bootstrap.embedded.binaries import postgres_programs
from bootstrap.embedded.postgres import EmbeddedPostgres
from bootstrap.erasure import Eraser
from bootstrap.log_keys import log_signers
from bootstrap.settings import Settings
from bootstrap.shred_list import apply_shred_list, shred_list
from bootstrap.wiring import wire
from cli.app import app
from client.sources import StoreSource
from client.trust import Trust
from client.verify import verify_log
from commands.desk import HANDLERS
from commands.reading import Seen
from commands.recording import record, request_digest
from commands.signed_body import SignedBody
from ledger.jcs import parse
from ledger.store.errors import GuardFailed, ShredListUnreadable
from ledger.store.mapping import Signed
from projections.loop import Projector
from tests.integration.api.conftest import County, Served, dose, doses_path, registration
from tests.integration.api.family import YEAR, Family, family

PG_DUMP = postgres_programs(None) / "pg_dump"
POINTS = ["listed", "keys destroyed", "rows deleted", "blobs destroyed"]


class Died(Exception):
    pass


def eraser(served: Served, at: Callable[[str], None] = lambda _: None) -> Eraser:
    parts = served.parts
    return Eraser(parts.settings, parts.services, served.views.records, served.views.positions, at)


def dying_at(point: str) -> Callable[[str], None]:
    def at(name: str) -> None:
        if name == point:
            raise Died

    return at


def count(url: str | None, query: str, *parameters: Any) -> int:
    assert url is not None
    with psycopg.connect(url) as connection:
        if "people.people" in query:
            connection.execute("SET ROLE vaxledger_people")
        return connection.execute(query, parameters).fetchone()[0]


def remains(kin: Family, served: Served) -> dict[str, int]:
    """What there is of the elder child, the mother through this child, and the grandmother."""
    settings, child = served.parts.settings, kin.child
    streams = served.views.records.streams_of(child.record)
    with psycopg.connect(settings.database_url) as log:
        entries = log.execute(
            "SELECT entry FROM ledger.entries WHERE stream = ANY(%s)", [streams]
        ).fetchall()
    seals = [seal for (raw,) in entries for seal in parse(bytes(raw))["sealed"]]
    gone = list({seal["subject"] for seal in seals} - {str(child.mother)})
    digests = [bytes.fromhex(seal["sha256"]) for seal in seals]
    keys = settings.keys_url
    return {
        "keys": count(
            keys, "SELECT count(*) FROM keys.people_keys WHERE handle = ANY(%s::uuid[])", gone
        ),
        "index": count(
            keys,
            "SELECT count(*) FROM keys.blind_index WHERE handle = ANY(%s::uuid[])"
            " OR record = ANY(%s)",
            gone,
            streams,
        ),
        "names": count(
            keys,
            "SELECT count(*) FROM people.people WHERE handle = ANY(%s::uuid[]) OR stream = ANY(%s)",
            gone,
            streams,
        ),
        "blobs": count(
            settings.database_url,
            "SELECT count(*) FROM ledger.blobs WHERE sha256 = ANY(%s)",
            digests,
        ),
    }


def digests(served: Served, *, rebuilt: bool = False) -> dict[str, str]:
    settings = served.parts.settings
    with closing(
        Projector(served.parts.reader, settings.database_url, settings.keys_url, served.parts.vault)
    ) as projector:
        names = list(projector.positions())
        for name in names if rebuilt else ():
            projector.rebuild(name)
        return {name: projector.digest(name)[1] for name in names}


def verified(served: Served) -> int:
    """Verify the whole log; returns its size."""
    signers = log_signers(served.parts.settings)()
    trust = Trust.of_keys([key for signer in signers for key in signer.verifier_keys()])
    return verify_log(StoreSource(served.parts.reader), trust).checkpoint.size


NOTHING = {"keys": 0, "index": 0, "names": 0, "blobs": 0}


@pytest.fixture(autouse=True)
def nothing_left_over(served: Served):
    """Carry out first what other tests of the same installation have decided."""
    eraser(served).round()


def test_a_shred_leaves_the_proofs_and_nothing_personal(county: County, served: Served):
    kin = family(county)
    assert min(remains(kin, served).values()) > 0
    row = county.school.get(kin.register_path, school_year=YEAR).json()
    kin.shred()
    (shred,) = eraser(served).round()
    assert set(shred.persons) >= {kin.child.handle}
    assert kin.child.mother not in shred.persons
    assert remains(kin, served) == NOTHING
    # The sibling's mother is still who she was.
    brother = county.clinic.get(f"/v1/records/{kin.sibling.record}").json()
    assert brother["guardians"][0]["name"] == "李梅"
    candidates = kin.mother.get("/v1/certificates/candidates").json()["candidates"]
    assert [one["record"] for one in candidates] == [str(kin.sibling.record)]
    # The register keeps its counts and reads deleted.
    after = county.school.get(kin.register_path, school_year=YEAR).json()
    assert after["rows"] == [["1", *["已删除"] * 4, *row["rows"][0][5:]]]
    assert after["subtotals"] == row["subtotals"]
    # Proofs hold, and replay gives what the live views have.
    assert verified(served) >= shred.position
    live = digests(served)
    assert digests(served, rebuilt=True) == live
    assert eraser(served).round() == ()


def test_what_was_shredded_answers_gone(
    county: County, served: Served, monkeypatch: pytest.MonkeyPatch
):
    kin = family(county)
    version = kin.version() + 2
    kin.shred()
    for carried_out in (False, True):
        if carried_out:
            eraser(served).round()
        late = dose(county.clinic, kin.child, occurred_on="2015-01-05")
        answers = [
            county.clinic.get(kin.path),
            county.clinic.get(f"{kin.path}/timeline"),
            county.clinic.get(f"/v1/certificates/{kin.certificate}"),
            kin.mother.get(f"/v1/certificates/{kin.certificate}"),
            county.clinic.post(doses_path(kin.child), late),
            kin.decide(county.cdc, "restricted", reason="legal-order"),
        ]
        assert [one.status_code for one in answers] == [410] * len(answers)
        assert {one.json()["type"] for one in answers} == {"/problems/erased"}
        assert kin.number not in str([one.text for one in answers])
    standing = county.cdc.get(f"{kin.path}/protection").json()
    assert (standing["state"], standing["version"]) == ("shredded", version)
    for name, value in served.parts.settings.environment().items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(app, ["shred", "check", str(kin.child.record)])
    assert (told.exit_code, "已销毁" in told.stdout) == (1, True), told.output


def test_the_number_of_a_shredded_child_may_be_registered_anew(county: County, served: Served):
    kin = family(county)
    kin.shred()
    eraser(served).round()
    draft, _ = registration(county.clinic, number=kin.number)
    assert county.clinic.post("/v1/records", draft).status_code == 201


def test_the_last_record_of_a_guardian_takes_the_guardian_along(county: County, served: Served):
    kin = family(county)
    kin.shred()
    eraser(served).round()
    brother = replace(kin, child=kin.sibling)
    brother.shred()
    (shred,) = eraser(served).round()
    assert kin.child.mother in shred.persons
    who, keys = kin.child.mother, served.parts.settings.keys_url
    assert count(keys, "SELECT count(*) FROM keys.people_keys WHERE handle = %s", who) == 0
    assert count(keys, "SELECT count(*) FROM people.people WHERE handle = %s", who) == 0


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_the_next_start_finishes_it(point: str, county: County, served: Served):
    kin = family(county)
    kin.shred()
    with pytest.raises(Died):
        eraser(served, dying_at(point)).round()
    with wire(served.parts.settings):  # any process that starts
        assert remains(kin, served) == NOTHING


def test_killed_before_the_list_the_custodian_finds_the_event(county: County, served: Served):
    kin = family(county)
    kin.shred()
    assert min(remains(kin, served).values()) > 0
    assert [shred.record for shred in eraser(served).round()] == [kin.child.record]
    assert remains(kin, served) == NOTHING


def test_a_decision_that_the_views_do_not_show_yet_waits(county: County, served: Served):
    class Behind:
        def lowest(self) -> int:
            return 0

    kin = family(county)
    kin.shred()
    parts = served.parts
    early = Eraser(parts.settings, parts.services, served.views.records, Behind())
    assert early.round() == ()
    assert len(eraser(served).round()) == 1


def dumped(url: str, *tables: str) -> str:
    """The rows of tables as pg_dump writes them."""
    asked = [word for table in tables for word in ("--table", table)]
    done = subprocess.run(
        [PG_DUMP, "--data-only", "--inserts", "--on-conflict-do-nothing", *asked, url],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    kept = (line for line in done.stdout.splitlines() if not line.startswith("\\"))
    return "\n".join(line for line in kept if "search_path" not in line)


def test_restored_backups_open_nothing_once_a_process_has_started(
    county: County, served: Served, postgres: EmbeddedPostgres
):
    kin, settings = family(county), served.parts.settings
    before = remains(kin, served)
    log_url, keys_url = (
        postgres.superuser_url(conninfo_to_dict(url or "")["dbname"])
        for url in (settings.database_url, settings.keys_url)
    )
    keys = dumped(keys_url, "keys.people_keys", "keys.blind_index", "people.people")
    blobs = dumped(log_url, "ledger.blobs")
    kin.shred()
    eraser(served).round()
    for url, dump in ((keys_url, keys), (log_url, blobs)):
        with psycopg.connect(url) as restoring:
            restoring.execute(dump)
    assert remains(kin, served) == before
    with wire(settings) as parts:
        assert remains(kin, served) == NOTHING
        assert parts.vault.keys.open([kin.child.handle]) == {}
    assert apply_shred_list(settings) == 0


def test_a_damaged_list_keeps_every_process_from_starting(tmp_path: Path, served: Served):
    settings: Settings = served.parts.settings
    list_of = shred_list(settings)
    eraser(served).round()
    damaged = settings.model_copy(update={"data_dir": tmp_path})
    file = tmp_path / "outside" / "shred-list"
    file.parent.mkdir()
    lines = "".join(f"{one.line()}\n" for one in list_of.read())
    file.write_text(lines + '{"record": "')
    with pytest.raises(ShredListUnreadable), wire(damaged):
        pass
    assert str(shred_list(damaged)._path) == str(file)


def test_a_brother_who_comes_at_that_moment_does_not_lose_his_mother(county: County):
    """His registration was decided on the record that is shredded before it is stored."""
    kin = family(county)
    desk, clinic = county.served.parts.desk, county.clinic
    draft, brother = registration(clinic, mother_number=kin.child.mother_number, name="王小三")
    private = dict(draft.private)
    private[kin.child.mother] = private.pop(brother.mother)
    guardians = [{"person": str(kin.child.mother), "relation": "mother"}]
    draft = replace(draft, data={**draft.data, "guardians": guardians}, private=private)
    signed = clinic.key.sign(county.served.parts.settings.origin, draft)
    body = SignedBody.parse(parse(signed.body()))
    decision = HANDLERS[body.statement.topic](desk._writing(body, clinic.principal, Seen()))
    guarded = {guard.stream for guard in decision.guards}
    (resting_on,) = guarded & {kin.child.record, kin.sibling.record}
    shredded = kin if resting_on == kin.child.record else replace(kin, child=kin.sibling)
    shredded.shred()
    author = Signed(clinic.organisation, clinic.key.keyid, body.envelope.encode())
    with pytest.raises(GuardFailed):
        record(
            desk._services,
            decision,
            key=draft.idempotency_key,
            request=request_digest(body.envelope.payload),
            signed=author,
        )
