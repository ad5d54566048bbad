"""Founding an installation from a reviewed plan: once, with the root key away."""

import json
from hashlib import sha256

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from bootstrap.diagnosis.of_log import of_founding
from bootstrap.diagnosis.of_machine import of_machine
from bootstrap.errors import BootstrapError
from bootstrap.folders import founding_mark
from bootstrap.founding import FoundingRefusedError, FoundingUnfinishedError
from bootstrap.log_keys import installation_secrets
from bootstrap.root_key import RootKeyUnusableError, read_root_key, write_root_key
from bootstrap.secrets import RootKeyOfflineError
from bootstrap.settings import Settings
from bootstrap.wiring import wire
from cli.app import app
from ledger.entry import Entry
from ledger.envelope import keyid_of
from ledger.store.restoring import entries_in
from tests import drafts

ORIGIN = "log.hn.example.cn/vax"
PASSPHRASE = "correct horse battery"


@pytest.fixture
def plan(tmp_path):
    """A plan with a county's CDC."""
    key, draft = drafts.organisation(ORIGIN, "兰考县疾控中心", "county-cdc", "410225")
    organisation = {"organisation": str(key.organisation), **draft.data}
    operator = {"name": "河南省疾控中心", "division": "410000"}
    path = tmp_path / "plan.json"
    members = {"origin": ORIGIN, "operator": operator, "organisations": [organisation]}
    path.write_text(json.dumps(members, ensure_ascii=False))
    return path


@pytest.fixture
def settings(fresh_database, tmp_path, monkeypatch):
    urls = fresh_database()
    given = {
        "data_dir": str(tmp_path / "data"),
        "database_url": urls.log,
        "keys_url": urls.keys,
        "origin": ORIGIN,
    }
    for name, value in given.items():
        monkeypatch.setenv(f"VAXLEDGER_{name.upper()}", value)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    return Settings(**given)


@pytest.fixture
def init(tmp_path, settings):
    def run(plan, *words):
        where = ("--root-key", str(tmp_path / "root.pem"))
        given = (*where, "--passphrase-file", str(tmp_path / "passphrase"), *words)
        return CliRunner().invoke(app, ["init", str(plan), *given, "--json"])

    return run


def test_a_log_is_founded_once_from_the_file_that_was_reviewed(init, plan, settings, tmp_path):
    shown = json.loads(init(plan).stdout)
    assert shown["digest"] == sha256(plan.read_bytes()).hexdigest()
    assert shown["organisations"] == ["county-cdc 410225 兰考县疾控中心"]
    assert not settings.data_dir.exists(), "showing makes nothing"
    assert isinstance(init(plan, "--reviewed", "0" * 64).exception, FoundingRefusedError)

    done = init(plan, "--reviewed", shown["digest"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    root = read_root_key(tmp_path / "root.pem", PASSPHRASE)
    assert told == {"origin": ORIGIN, "root": keyid_of(root.public_key().public_bytes_raw())}
    with wire(settings) as parts:
        entries = [Entry.decode(parts.reader.recorded(position)) for position in (1, 2, 3)]
        assert [entry.data["name"] for entry in entries] == [
            "河南省疾控中心", "vaxledger", "兰考县疾控中心",
        ]  # fmt: skip
        assert {entry.author.keyid for entry in entries} == {told["root"]}
    again = init(plan, "--reviewed", shown["digest"])
    assert isinstance(again.exception, FoundingRefusedError)
    assert "founded here before" in str(again.exception)


def test_the_root_key_is_away_and_comes_for_a_command(init, plan, settings, tmp_path):
    digest = json.loads(init(plan).stdout)["digest"]
    assert init(plan, "--reviewed", digest).exit_code == 0
    secrets = settings.data_dir / "secrets"
    assert not (secrets / "root").exists()
    root = read_root_key(tmp_path / "root.pem", PASSPHRASE).private_bytes_raw().hex().encode()
    assert all(root not in path.read_bytes() for path in secrets.rglob("*") if path.is_file())
    assert "root-key-kept" not in [trap.name for trap in of_machine(settings)]
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0, "a start needs no root key"
    with pytest.raises(RootKeyOfflineError):
        assert installation_secrets(settings).root_key
    brought = {
        "root_key": tmp_path / "root.pem",
        "root_passphrase_file": tmp_path / "passphrase",
    }
    kept = installation_secrets(settings.model_copy(update=brought))
    assert kept.root_key.private_bytes_raw().hex().encode() == root
    write_root_key(tmp_path / "other.pem", Ed25519PrivateKey.generate(), PASSPHRASE)
    other = brought | {"root_key": tmp_path / "other.pem"}
    with pytest.raises(RootKeyOfflineError):
        installation_secrets(settings.model_copy(update=other))


OTHER = drafts.organisation(ORIGIN, "通许县疾控中心", "county-cdc", "410222")
PROVEN_ELSEWHERE = drafts.organisation("log.elsewhere.cn/vax", "别处", "clinic", "410222101")


def as_planned(key, draft, **change):
    return {"organisation": str(key.organisation), **draft.data, **change}


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "log.elsewhere.cn/vax"},
        {"more": 1},
        {"operator": {"name": "x"}},
        {"operator": {"name": "x", "division": "kaifeng"}},
        {"organisations": [{"name": "no id"}]},
        {"organisations": 7},
        {"organisations": [as_planned(*OTHER), as_planned(*OTHER)]},
        {"organisations": [as_planned(*OTHER, division="4102")]},
        {"organisations": [as_planned(*OTHER, kind="operator")]},
        {"organisations": [as_planned(*OTHER, kind="school")]},
        {"organisations": [as_planned(*OTHER, telephone="0371")]},
        {"organisations": [as_planned(*OTHER), as_planned(*PROVEN_ELSEWHERE)]},
    ],
)
def test_another_plan_is_refused_in_one_sentence(init, plan, settings, tmp_path, change):
    plan.write_text(json.dumps(json.loads(plan.read_text()) | change))
    digest = sha256(plan.read_bytes()).hexdigest()
    refused = init(plan, "--reviewed", digest).exception
    assert isinstance(refused, BootstrapError)
    assert not (tmp_path / "root.pem").exists()
    assert not (settings.data_dir / "secrets").exists()
    assert not founding_mark(settings).exists()


def test_what_was_interrupted_is_refused_by_every_start_and_goes_on(init, plan, settings, tmp_path):
    digest = json.loads(init(plan).stdout)["digest"]
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        lock = f'ALTER DATABASE "{owner.info.dbname}" SET default_transaction_read_only'
        owner.execute(f"{lock} = on")
        broken = init(plan, "--reviewed", digest).exception
        owner.execute(f"{lock} = off")
    assert isinstance(broken, psycopg.errors.ReadOnlySqlTransaction)
    refused = CliRunner().invoke(app, ["migrate"]).exception
    assert isinstance(refused, FoundingUnfinishedError)
    assert digest in str(refused)
    assert [trap.name for trap in of_founding(settings)] == ["half-founded"]

    (tmp_path / "passphrase").write_text("another passphrase\n")
    assert isinstance(init(plan, "--reviewed", digest).exception, RootKeyUnusableError)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    other = tmp_path / "other.json"
    other.write_text(f"{plan.read_text()}\n")
    changed = init(other, "--reviewed", sha256(other.read_bytes()).hexdigest()).exception
    assert isinstance(changed, FoundingRefusedError)
    (tmp_path / "root.pem").rename(tmp_path / "kept.pem")
    assert isinstance(init(plan, "--reviewed", digest).exception, RootKeyUnusableError)
    write_root_key(tmp_path / "root.pem", Ed25519PrivateKey.generate(), PASSPHRASE)
    assert isinstance(init(plan, "--reviewed", digest).exception, FoundingRefusedError)

    (tmp_path / "kept.pem").replace(tmp_path / "root.pem")
    done = init(plan, "--reviewed", digest)
    assert done.exit_code == 0, done.output
    assert list(of_founding(settings)) == []
    assert entries_in(settings.database_url) == 3
    with wire(settings) as parts:
        founded_by = Entry.decode(parts.reader.recorded(1)).author.keyid
    assert founded_by == json.loads(done.stdout)["root"]


def test_a_root_key_s_file_that_was_there_before_is_left_alone(init, plan, settings, tmp_path):
    digest = json.loads(init(plan).stdout)["digest"]
    (tmp_path / "root.pem").write_text("somebody's")
    for _ in range(2):
        assert isinstance(init(plan, "--reviewed", digest).exception, RootKeyUnusableError)
    assert (tmp_path / "root.pem").read_text() == "somebody's"
    assert not founding_mark(settings).exists()


def test_a_root_key_s_file_opens_with_its_passphrase_only(tmp_path):
    path, key = tmp_path / "root.pem", Ed25519PrivateKey.generate()
    with pytest.raises(RootKeyUnusableError, match="12 characters"):
        write_root_key(path, key, "short")
    write_root_key(path, key, PASSPHRASE)
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(RootKeyUnusableError, match="exists"):
        write_root_key(path, key, PASSPHRASE)
    for wrong in ("", "another passphrase"):
        with pytest.raises(RootKeyUnusableError):
            read_root_key(path, wrong)
    assert read_root_key(path, PASSPHRASE).private_bytes_raw() == key.private_bytes_raw()
