"""A subscriber's credentials file: what is written comes back, and nobody else may read it."""

import json
import stat

import pytest

from client.credentials import Credentials, durable_of, inbox_prefix_of, name_of
from client.errors import CredentialsError

KEPT = Credentials(
    url="nats://127.0.0.1:4222",
    user="subscriber-zj",
    password="secret",
    durable="subscriber-zj",
    inbox_prefix="_INBOX_subscriber-zj",
    origin="ledger.example.cn/vax",
    division="3301",
)


def test_what_is_saved_is_loaded_and_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "zj.json"
    path.write_text("an older file")
    path.chmod(0o644)
    KEPT.save(path)
    assert Credentials.load(path) == KEPT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["zj.json"]


def test_the_password_is_not_in_its_text():
    assert "secret" not in repr(KEPT)
    assert "secret" not in repr(KEPT.server())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"url": "nats://x"}),
        KEPT.url,
        json.dumps({**dict.fromkeys(Credentials.__slots__, "33"), "division": "3"}),
        json.dumps({**dict.fromkeys(Credentials.__slots__, "33"), "user": 7}),
        json.dumps({**dict.fromkeys(Credentials.__slots__, "33"), "more": "x"}),
    ],
)
def test_another_file_is_refused_in_one_sentence(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(CredentialsError):
        Credentials.load(path)


def test_a_name_and_its_durable_are_one():
    assert durable_of("zj") == "subscriber-zj"
    assert name_of("subscriber-zj") == "zj"
    assert name_of("zj") is None
    assert inbox_prefix_of(durable_of("zj")) == KEPT.inbox_prefix


@pytest.mark.parametrize("name", ["", "-", "a.b", "a*", "a>", "A", "乙", "a b", "a" * 33, "a\n"])
def test_a_name_that_could_mean_more_than_itself_is_refused(name):
    with pytest.raises(ValueError, match="a subscriber's name"):
        durable_of(name)
    assert name_of(f"subscriber-{name}") is None
