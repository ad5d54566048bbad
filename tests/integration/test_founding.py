"""Founding an installation from a reviewed plan: once, with the root key away."""

import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from bootstrap.errors import BootstrapError
from bootstrap.founding import FoundingRefusedError
from bootstrap.log_keys import installation_secrets
from bootstrap.root_key import RootKeyUnusableError, read_root_key, write_root_key
from bootstrap.secrets import RootKeyOfflineError
from bootstrap.settings import Settings
from bootstrap.wiring import wire
from cli.app import app
from ledger.entry import Entry
from ledger.envelope import keyid_of
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


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "log.elsewhere.cn/vax"},
        {"more": 1},
        {"operator": {"name": "x"}},
        {"organisations": [{"name": "no id"}]},
        {"organisations": 7},
    ],
)
def test_another_plan_is_refused_in_one_sentence(init, plan, settings, tmp_path, change):
    plan.write_text(json.dumps(json.loads(plan.read_text()) | change))
    digest = sha256(plan.read_bytes()).hexdigest()
    refused = init(plan, "--reviewed", digest).exception
    assert isinstance(refused, BootstrapError)
    assert not (tmp_path / "root.pem").exists()


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
