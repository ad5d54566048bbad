from pathlib import Path

import pytest

from bootstrap.errors import SettingsError
from bootstrap.settings import Settings
from bootstrap.settings_page import settings_markdown


@pytest.fixture(autouse=True)
def forget_all(monkeypatch):
    def forget():
        for name in Settings.model_fields:
            monkeypatch.delenv(f"VAXLEDGER_{name.upper()}", raising=False)

    forget()
    return forget


def test_without_a_variable_everything_is_embedded_and_on_loopback():
    settings = Settings.load()
    assert (settings.database_url, settings.keys_url, settings.nats_url) == (None, None, None)
    assert (settings.host, settings.port, settings.issuer) == ("127.0.0.1", 8420, None)
    assert settings.data_dir == Path.cwd() / ".vaxledger"


def test_variables_are_read_and_a_command_line_wins(monkeypatch):
    monkeypatch.setenv("VAXLEDGER_PORT", "9000")
    monkeypatch.setenv("VAXLEDGER_LOG_LEVEL", "ERROR")
    assert Settings.load(port=9001, log_level=None).port == 9001
    assert Settings.load().log_level == "ERROR"


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    monkeypatch.setenv("VAXLEDGER_NATS_URL", "")
    assert Settings.load().nats_url is None


def test_a_misspelt_variable_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("VAXLEDGER_DATABSE_URL", "postgresql://u:secret@h/d")
    with pytest.raises(SettingsError, match="VAXLEDGER_DATABSE_URL is not a setting") as refused:
        Settings.load()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "0"),
        ("PORT", "eighty"),
        ("ORIGIN", "has space"),
        ("ORIGIN", "has+plus"),
        ("ORIGIN", "有字"),
        ("APPEND_QUEUE", "0"),
        ("RECEIPT_WAIT_SECONDS", "nan"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_out_of_range_is_refused_and_the_variable_named(monkeypatch, variable, value):
    monkeypatch.setenv(f"VAXLEDGER_{variable}", value)
    with pytest.raises(SettingsError, match=f"VAXLEDGER_{variable}"):
        Settings.load()


@pytest.mark.parametrize(
    "given",
    [
        {"DATABASE_URL": "postgresql://u:hidden-word@h/d"},
        {"KEYS_URL": "postgresql://u:hidden-word@h/d"},
        {"NATS_MONITOR_URL": "http://h:8222"},
        {"NATS_USER": "publisher"},
        {"NATS_PASSWORD": "hidden-word"},
        {"HOST": "0.0.0.0"},
    ],
)
def test_settings_that_need_each_other_are_refused_alone_and_secrets_stay_hidden(
    monkeypatch, given
):
    for name, value in given.items():
        monkeypatch.setenv(f"VAXLEDGER_{name}", value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert "hidden-word" not in str(refused.value)


def test_the_monitor_is_expected_beside_a_given_nats():
    assert Settings.load(nats_url="nats://n1:4222").monitor_url == "http://n1:8222"
    assert Settings.load().monitor_url is None


def test_secrets_are_not_in_the_repr():
    settings = Settings.load(
        database_url="postgresql://u:p1@h/a",
        keys_url="postgresql://u:p2@h/b",
        nats_user="u",
        nats_password="p3",
    )
    assert not any(secret in repr(settings) for secret in ("p1", "p2", "p3"))


def test_a_part_gets_exactly_these_settings_through_its_environment(monkeypatch, forget_all):
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    monkeypatch.setenv("VAXLEDGER_ISSUER", "https://issuer.example.cn")
    settings = Settings.load().model_copy(update={"port": 9002, "issuer": None})
    environment = settings.environment()
    assert "VAXLEDGER_ISSUER" not in environment
    assert environment["SOMETHING_ELSE"] == "kept"
    forget_all()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().port = 1


def test_every_setting_is_described_on_the_generated_page():
    page = settings_markdown()
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"`VAXLEDGER_{name.upper()}`" in page
