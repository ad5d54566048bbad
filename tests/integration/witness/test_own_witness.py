"""The installation's own witness: made once, found again, and never made anew beside its log."""

import threading
from pathlib import Path

import pytest

from bootstrap.policy import POLICY_NAME
from bootstrap.settings import Settings
from client.trust import Trust
from ledger.checkpoint import LogSigner
from workers.own_witness import FOLDER, serve_own


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path, origin="log.example/own")
    keys = LogSigner(settings.origin, b"e" * 32, b"m" * 32).verifier_keys()
    (tmp_path / "log.vkey").write_text("".join(f"{key.text()}\n" for key in keys))
    return settings


def serve_once(settings: Settings) -> bool:
    """Serve until it is ready, which it must become; tell whether a witness listened."""
    stop = threading.Event()
    listened: list[bool] = []

    def ready() -> None:
        listened.append((settings.data_dir / POLICY_NAME).exists())
        stop.set()

    serve_own(settings, stop, ready)
    assert listened
    return listened[0]


def policy(settings: Settings) -> bytes:
    return (settings.data_dir / POLICY_NAME).read_bytes()


def test_it_writes_the_policy_that_this_machine_trusts(settings):
    assert serve_once(settings)
    trust = Trust.parse(policy(settings))
    assert trust.origin == settings.origin
    assert {one.key.name for one in trust.policy.witnesses} == {"log.example/own/witness"}
    assert {one.url for one in trust.policy.witnesses}
    assert not trust.policy.is_quorum(["own-ed25519"])
    assert trust.policy.is_quorum(["own-ed25519", "own-mldsa44"])


def test_it_keeps_its_keys_and_its_address(settings):
    assert serve_once(settings)
    before = policy(settings)
    assert serve_once(settings)
    assert [line.split()[:3] for line in policy(settings).decode().splitlines()] == [
        line.split()[:3] for line in before.decode().splitlines()
    ]


def test_without_its_state_it_signs_nothing_stops_nothing_and_is_not_made_anew(settings):
    assert serve_once(settings)
    state = settings.data_dir / FOLDER / "state.sqlite3"
    state.unlink()
    (settings.data_dir / POLICY_NAME).unlink()
    assert not serve_once(settings)
    assert not state.exists()
