"""Organisations' keys over HTTP: made, registered, rotated, revoked; a revocation holds at once."""

import json
import stat
from dataclasses import replace

import httpx
import pytest
from typer.testing import CliRunner

from bootstrap.views import open_views
from bootstrap.wiring import publish_verifier_keys, wire
from cli.key import app
from client.signing import AuthorKey
from commands.principal import Role
from tests.integration.api.conftest import (
    TOWNSHIP,
    County,
    Served,
    admit,
    listening,
    registration,
)


class Keys:
    """`vaxledger key` against the running installation, in a folder of its own."""

    def __init__(self, served: Served, folder) -> None:
        publish_verifier_keys(served.parts)
        self._served, self._folder = served, folder
        self._trust = served.parts.settings.data_dir / "log.vkey"

    def path(self, name: str):
        return self._folder / name

    def run(self, *words, caller=None):
        arguments = [str(word) for word in words]
        if caller is not None:
            token = self.path("token")
            token.write_text(self._served.token(caller.principal))
            arguments += ["--url", self._served.url, "--token-file", str(token)]
            arguments += ["--trust", str(self._trust), "--organisation", str(caller.organisation)]
        return CliRunner().invoke(app, [*arguments, "--json"])

    def new(self, name: str, organisation) -> dict:
        origin = self._served.parts.settings.origin
        made = self.run("new", self.path(name), "--organisation", organisation, "--origin", origin)
        assert made.exit_code == 0, made.output
        return told(made)


def told(result) -> dict:
    """What a command says last; the server of this process logs to the same place."""
    found: dict = json.loads(result.stdout.splitlines()[-1])
    return found


def said(result) -> list[str]:
    """The lines that a command says of an error; a server of this process may log between them."""
    return [line for line in result.stderr.splitlines() if not line.startswith("{")]


@pytest.fixture
def keys(served, tmp_path) -> Keys:
    return Keys(served, tmp_path)


@pytest.fixture
def clinic(county: County):
    return admit(county.cdc, Role.CLINIC, "换钥门诊", "clinic", TOWNSHIP)


def saved(keys: Keys, author, name: str):
    author.key.save(keys.path(name))
    return keys.path(name)


def test_a_new_key_file_is_its_owner_s_alone_and_is_never_overwritten(keys, clinic):
    made = keys.new("a.pem", clinic.organisation)
    mode = stat.S_IMODE(keys.path("a.pem").stat().st_mode)
    assert mode == 0o600
    key = AuthorKey.load(clinic.organisation, keys.path("a.pem"))
    assert (key.keyid, key.public.hex()) == (made["keyid"], made["public_key"])
    before = keys.path("a.pem").read_bytes()
    again = keys.run("new", keys.path("a.pem"))
    assert (again.exit_code, keys.path("a.pem").read_bytes()) == (1, before)
    assert len(said(again)) == 1


def test_a_key_under_a_passphrase_opens_with_that_alone(keys, clinic):
    keys.path("word").write_text("correct horse\n")
    keys.path("other").write_text("battery staple\n")
    where = keys.path("a.pem")
    made = keys.run("new", where, "--passphrase-file", keys.path("word"))
    assert made.exit_code == 0
    assert b"ENCRYPTED" in where.read_bytes()
    more = ["--public-key", "00" * 32, "--key-proof", "00" * 64]
    for given in ([], ["--passphrase-file", keys.path("other")]):
        refused = keys.run("register", where, *more, *given, caller=clinic)
        assert (refused.exit_code, len(said(refused))) == (2, 1)
        assert "PEM" in refused.stderr


def test_a_county_cdc_registers_a_key_and_it_signs(keys, county, clinic):
    made = keys.new("second.pem", clinic.organisation)
    given = [
        "--for",
        clinic.organisation,
        "--public-key",
        made["public_key"],
        "--key-proof",
        made["key_proof"],
    ]
    cdc = saved(keys, county.cdc, "cdc.pem")
    done = keys.run("register", cdc, *given, caller=county.cdc)
    assert done.exit_code == 0, done.output
    assert told(done)["version"] == 2
    second = AuthorKey.load(clinic.organisation, keys.path("second.pem"))
    draft, _ = registration(clinic)
    assert replace(clinic, key=second).post("/v1/records", draft).status_code == 201


def test_a_neighbour_cannot_register_a_key_for_a_clinic(keys, county, clinic):
    made = keys.new("mallory.pem", clinic.organisation)
    given = ["--public-key", made["public_key"], "--key-proof", made["key_proof"]]
    mine = saved(keys, county.other_clinic, "other.pem")
    refused = keys.run(
        "register", mine, "--for", clinic.organisation, *given, caller=county.other_clinic
    )
    assert (refused.exit_code, len(said(refused))) == (1, 1)


def test_a_rotation_ends_the_old_key_and_goes_on_after_an_interruption(keys, clinic):
    old = saved(keys, clinic, "old.pem")
    made = keys.new("new.pem", clinic.organisation)
    given = ["--public-key", made["public_key"], "--key-proof", made["key_proof"]]
    # As if the first attempt had died between registration and revocation.
    assert keys.run("register", old, *given, caller=clinic).exit_code == 0
    done = keys.run("rotate", old, keys.path("new.pem"), caller=clinic)
    assert done.exit_code == 0, done.output
    assert told(done)["keyid"] == made["keyid"]
    draft, _ = registration(clinic)
    refused = clinic.post("/v1/records", draft)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/key-unknown")
    new = replace(clinic, key=AuthorKey.load(clinic.organisation, keys.path("new.pem")))
    assert new.post("/v1/records", draft).status_code == 201
    again = keys.run("register", keys.path("new.pem"), *given, caller=clinic)
    assert again.exit_code == 1


def test_what_was_signed_before_a_revocation_and_comes_after_it_is_refused(keys, county, clinic):
    draft, _ = registration(clinic)
    early = clinic.sign(draft)
    revoke(keys, county, clinic)
    head = clinic.served.head()
    refused = clinic.post("/v1/records", early)
    assert (refused.status_code, clinic.served.head()) == (403, head)


def revoke(keys: Keys, county: County, clinic) -> None:
    cdc = saved(keys, county.cdc, "cdc.pem")
    words = ["--for", clinic.organisation, "--keyid", clinic.key.keyid, "--reason", "lost"]
    done = keys.run("revoke", cdc, *words, caller=county.cdc)
    assert done.exit_code == 0, done.output


@pytest.mark.filterwarnings("ignore::bootstrap.tokens.DevelopmentIssuerWarning")
def test_a_revocation_through_one_server_holds_at_once_in_another(keys, county, clinic):
    """The other has the organisation in memory, and is told nothing: the append finds out."""
    with (
        wire(clinic.served.parts.settings) as parts,
        open_views(parts.settings) as views,
        listening(parts, views) as url,
        httpx.Client(base_url=url, timeout=60) as http,
    ):
        elsewhere = replace(clinic, served=Served(parts, views, url, http))
        warm, _ = registration(clinic)
        assert elsewhere.post("/v1/records", warm).status_code == 201
        assert parts.directory.organisation(clinic.organisation).is_key_valid(clinic.key.keyid)

        revoke(keys, county, clinic)
        head = clinic.served.head()
        for _ in range(2):  # by the guard of the append, then from memory
            draft, _ = registration(clinic)
            refused = elsewhere.post("/v1/records", draft)
            assert (refused.status_code, refused.json()["type"]) == (403, "/problems/key-unknown")
        assert clinic.served.head() == head


def lines_of(result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_everything_that_a_key_has_signed_since_a_position(keys, county, clinic):
    written = [clinic.post("/v1/records", registration(clinic)[0]).json() for _ in range(3)]
    token = keys.path("regulator")
    token.write_text(clinic.served.token(county.regulator.principal))
    trust = clinic.served.parts.settings.data_dir / "log.vkey"
    more = ["--url", clinic.served.url, "--token-file", token, "--trust", trust]
    found = keys.run("signed-by", clinic.key.keyid, *more)
    assert found.exit_code == 0, found.output
    lines = lines_of(found)
    assert [line["position"] for line in lines] == [one["position"] for one in written]
    assert [line["leaf"] for line in lines] == [one["leaf"] for one in written]
    assert {line["organisation"] for line in lines} == {str(clinic.organisation)}
    assert {line["topic"] for line in lines} == {"vaccination-record.registered.v1"}
    later = keys.run("signed-by", clinic.key.keyid, "--since", written[1]["position"], *more)
    assert lines_of(later) == lines[1:]
    assert lines_of(keys.run("signed-by", "0" * 64, *more)) == []
    assert keys.run("signed-by", "../../livez", *more).exit_code == 1


def test_the_signatures_of_a_key_come_in_pages(county):
    key = county.cdc.key.keyid
    path = f"/v1/keys/{key}/entries"
    whole = county.regulator.get(path).text.splitlines()
    assert len(whole) > 3
    paged, after = [], 0
    while page := county.regulator.get(path, after=after, limit=2).text.splitlines():
        paged += page
        after = json.loads(page[-1])["position"]
    assert paged == whole


def test_what_a_key_has_signed_is_no_neighbour_s_business(county, clinic):
    path = f"/v1/keys/{clinic.key.keyid}/entries"
    for caller in (clinic, county.cdc, county.school):
        refused = caller.get(path)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    assert county.operator.get(path).status_code == 200
    assert county.operator.get("/v1/keys/xyz/entries").status_code == 422


def test_the_index_of_keys_is_used_and_its_place_is_that_of_the_key(served, clinic):
    """The place of the key's id in an entry is fixed; were it to move, nothing would be found."""
    position = clinic.post("/v1/records", registration(clinic)[0]).json()["position"]
    raw = served.parts.reader.recorded(position)
    assert raw[98 : 98 + 64].decode() == clinic.key.keyid
    with served.parts.pool.connection() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(
            "EXPLAIN SELECT position FROM ledger.entries"
            " WHERE substring(entry FROM 99 FOR 16) = %b ORDER BY position LIMIT 5",
            [clinic.key.keyid.encode()[:16]],
        ).fetchall()
        connection.rollback()
    assert "entries_of_key" in str(plan)
