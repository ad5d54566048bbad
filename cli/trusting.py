"""Which log is meant and by whose signatures: the options that `verify`, `export`, `tail` share."""

from pathlib import Path
from typing import Annotated

import typer

from bootstrap.policy import POLICY_NAME, with_log_keys
from bootstrap.settings import Settings
from client.errors import TrustError
from client.exchange import Patience
from client.http import Caller
from client.sources import TRUST_FILE
from client.trust import Trust
from ledger.policy import Policy

_PATIENCE = Patience(attempts=5)  # a person waits; about two seconds

TrustOption = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        help="信任文件：策略或公钥（每行一个）。A policy file, or verifier keys, one a line.",
        metavar="FILE",
    ),
]
OriginOption = Annotated[
    str,
    typer.Option(help="日志名称，信任文件含多个日志时必填。The log, if the file has several."),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", help="访问令牌文件。A file with the bearer token.", metavar="FILE"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON。JSON for programs.")]


def load_trust(path: Path | None, origin: str, folder: Path | None = None) -> Trust:
    """Return the trust that was asked for, else that of a copy or of this installation.

    Args:
        path: The file that the caller trusts.
        origin: Name of the log, empty where the file has one only.
        folder: A copy; what its own file says protects against damage, not against its maker.

    Raises:
        TrustError: If neither says which log to trust.
        OSError: If the file cannot be read.
    """
    if path is not None:
        return Trust.load(path, origin)
    if folder is not None and (folder / TRUST_FILE).exists():
        return Trust.load(folder / TRUST_FILE, origin)
    settings = Settings.load()
    keys = settings.data_dir / TRUST_FILE
    if not keys.exists():
        raise TrustError("Say with --trust whose signatures count.")
    trust = Trust.load(keys, origin)
    policy = settings.policy or settings.data_dir / POLICY_NAME
    if not policy.exists():
        return trust
    # Its witnesses, and the keys that the log has now.
    asked = with_log_keys(Policy.parse(policy.read_bytes()), trust.origin, trust.keys)
    return Trust.of_policy(asked, trust.origin)


def reader_of(url: str, token_file: Path | None, trust: Trust) -> Caller:
    """Return who reads a log at a URL; raises OSError if the token cannot be read."""
    return Caller(url, read_secret(token_file), trust, patience=_PATIENCE)


def read_secret(path: Path | None) -> str:
    """Return the one line of a file, empty for no file; raises OSError."""
    return "" if path is None else path.read_text(encoding="utf-8").strip()
