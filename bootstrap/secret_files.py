"""Secrets that come from files, so that no environment holds them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECRETS = ("database_url", "keys_url", "nats_password", "notices_token")
"""Settings that may come from a file: the variable with `_FILE` after its name says which."""


def read_secrets(given: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Read the secrets whose files are given, each without its line's end.

    Args:
        given: Settings by name.
        prefix: Of their variables.

    Raises:
        ValueError: A file cannot be read, or a secret is given beside it.
    """
    named = [name for name in SECRETS if given.get(f"{name}_file") is not None]
    return {name: _read(given[f"{name}_file"], name, given, prefix) for name in named}


def _read(path: str | Path, name: str, given: Mapping[str, Any], prefix: str) -> str:
    variable = f"{prefix}{name.upper()}"
    if given.get(name) is not None:
        raise ValueError(f"{variable} and {variable}_FILE are not given together")
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{variable}_FILE cannot be read ({type(error).__name__})") from error
