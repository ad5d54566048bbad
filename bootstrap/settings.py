"""The settings, and the only reader of the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from bootstrap.errors import SettingsError
from bootstrap.secret_files import SECRETS, read_secrets

PREFIX = "VAXLEDGER_"
_NATS_MONITOR_PORT = 8222
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ORIGIN = r"^[!-*,-~]{1,200}$"


class Settings(BaseSettings):
    """What an installation can be told, each as `VAXLEDGER_` and the name in capitals.

    Nothing given means a complete installation on this machine alone: embedded servers, loopback,
    a development issuer.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    production: bool = Field(
        default=False,
        description="Whether to refuse to start with what is fit for a demonstration only; "
        "`vaxledger doctor` names all of it.",
    )
    data_dir: Path = Field(
        default=Path(".vaxledger"),
        description="Directory of secrets, the outside checkpoint and the embedded servers; "
        "relative to the current directory.",
    )
    database_url: str | None = Field(
        default=None,
        repr=False,
        description="libpq URL of the log's database. Not given: the embedded PostgreSQL.",
    )
    keys_url: str | None = Field(
        default=None,
        repr=False,
        description="libpq URL of the key database, in production on another server than the "
        "log's. Given exactly when `VAXLEDGER_DATABASE_URL` is.",
    )
    database_url_file: Path | None = Field(
        default=None, description="File that holds `VAXLEDGER_DATABASE_URL`."
    )
    keys_url_file: Path | None = Field(
        default=None, description="File that holds `VAXLEDGER_KEYS_URL`."
    )
    nats_url: str | None = Field(
        default=None,
        description="URL of NATS, `nats://host:port`, several joined by commas for a cluster. Not "
        "given: the embedded server.",
    )
    nats_monitor_url: str | None = Field(
        default=None,
        description="HTTP monitoring endpoints of NATS, joined by commas for a cluster, where the "
        "publisher checks that messages are synced before they are acknowledged. Not given: port "
        "8222 of the same hosts.",
    )
    nats_replicas: int = Field(
        default=1, ge=1, le=5, description="Copies of each stream: 3 for a cluster of three."
    )
    nats_user: str | None = Field(
        default=None,
        description="User of the publisher at NATS. The embedded server makes its own.",
    )
    nats_password: str | None = Field(
        default=None, repr=False, description="Password of that user."
    )
    nats_password_file: Path | None = Field(
        default=None, description="File that holds `VAXLEDGER_NATS_PASSWORD`."
    )
    root_key: Path | None = Field(
        default=None,
        description="File of the operator's root key, where `vaxledger init` took it away; for the "
        "commands alone that sign with it.",
    )
    root_passphrase_file: Path | None = Field(
        default=None, description="File that holds that key's passphrase."
    )
    host: str = Field(
        default="127.0.0.1", description="Address that the HTTP interface listens on."
    )
    port: int = Field(
        default=8420, ge=1, le=65535, description="Port that the HTTP interface listens on."
    )
    origin: str = Field(
        default="ledger.example.cn/vax/kaifeng-demo",
        pattern=_ORIGIN,
        description="Name of the log in its checkpoints (C2SP tlog-checkpoint): a URL without "
        "scheme, printable ASCII without space and `+`. Changes only after `log recover "
        "--new-origin`.",
    )
    policy: Path | None = Field(
        default=None,
        description="Trust policy (C2SP tlog-policy): the witnesses that are asked for "
        "cosignatures, by URL, and how many are needed. Not given: `policy` in the data "
        "directory, which `serve` makes for a witness of its own.",
    )
    issuer: str | None = Field(
        default=None,
        description="OAuth 2.0 issuer of access tokens. Not given: a development issuer of our "
        "own, which works on a loopback address only.",
    )
    certificate_rules: str = Field(
        default="kaifeng-demo",
        pattern=r"^[a-z0-9-]{1,64}$",
        description="Rule file of electronic certificates: who may claim one, and where. "
        "`nantong-2024` is the source's own.",
    )
    booking_rules: str = Field(
        default="yongzhou-2021",
        pattern=r"^[a-z0-9-]{1,64}$",
        description="Rule file of bookings: who may book what, where. `kaifeng-demo` is the same "
        "for the demo's county.",
    )
    school_rules: str = Field(
        default="kaifeng-2018",
        pattern=r"^[a-z0-9-]{1,64}$",
        description="Rule file of registers and roll-ups: deadlines and targets of the school "
        "check. `kaifeng-2021` adds the national re-check by the end of December.",
    )
    credential_issuer: str = Field(
        default="CN-410000",
        pattern=r"^[A-Z]{2}(-[0-9A-Z]{1,9})?$",
        description="In whose name offline credentials are signed: a country (ISO 3166) and a "
        "division of it.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[!-~]{1,150}[^/]$",
        description="URL under which others reach the HTTP interface, without a slash at its end; "
        "names the status lists in the trust list. Not given: where it listens.",
    )
    issuer_keys: str | None = Field(
        default=None,
        description="File or URL of the issuer's public keys (JWKS). Not given: "
        "`/.well-known/jwks.json` below the issuer.",
    )
    personal_keys: Path | None = Field(
        default=None,
        description="JSON file of organisation (id) and X25519 public key (32 bytes, base64), read "
        "at start: `POST /v1/personal` then answers sealed to the caller's key, and nobody "
        "without one. Not given: answers in clear.",
    )
    notices_url: str | None = Field(
        default=None,
        pattern=r"^https?://[!-~]{1,500}$",
        description="URL of the service that delivers notices about bookings, `https` beyond "
        "loopback; `docs/booking.md` says what it gets. Not given: one file a notice in "
        "`notices` in the data directory.",
    )
    notices_token: str | None = Field(
        default=None, repr=False, description="Bearer token for that service."
    )
    notices_token_file: Path | None = Field(
        default=None, description="File that holds `VAXLEDGER_NOTICES_TOKEN`."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severity that is logged."
    )
    traces_url: str | None = Field(
        default=None,
        pattern=r"^https?://[!-~]{1,500}[^/]$",
        description="OpenTelemetry collector that gets traces of writes (OTLP over HTTP), such as "
        "`http://127.0.0.1:4318`. Not given: no traces.",
    )
    traces_share: float = Field(
        default=0.01, ge=0, le=1, description="Share of the writes that are traced."
    )
    append_queue: int = Field(
        default=5000,
        ge=1,
        description="Submissions that may wait for the log's writer; more are refused with 503 "
        "and Retry-After.",
    )
    unpublished_entries: int = Field(
        default=50_000,
        ge=1,
        description="Entries that may wait for a signed checkpoint; while more do, writes are "
        "refused with 503 and Retry-After.",
    )
    receipt_wait_seconds: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="How long a write waits for the checkpoint that covers it before it is "
        "answered with 202 and the address of the receipt.",
    )
    log_key_overlap_hours: float = Field(
        default=168,
        ge=0,
        description="How long both pairs of log keys sign at least before the older one may be "
        "retired; whoever looks at the log less often must be told of a rotation.",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: Any) -> Any:
        """Read the secrets that stand in files."""
        return {**given, **read_secrets(given, PREFIX)}

    @field_validator(
        "data_dir",
        "policy",
        "personal_keys",
        "root_key",
        "root_passphrase_file",
        *(f"{name}_file" for name in SECRETS),
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        """Fix the place now: parts may run elsewhere."""
        return None if value is None else value.expanduser().absolute()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.database_url is None) != (self.keys_url is None):
            raise ValueError("DATABASE_URL and KEYS_URL are given together or not at all")
        if self.nats_url is None and self.nats_monitor_url is not None:
            raise ValueError("NATS_MONITOR_URL means nothing without NATS_URL")
        if (self.nats_user is None) != (self.nats_password is None):
            raise ValueError("NATS_USER and NATS_PASSWORD are given together or not at all")
        if (self.root_key is None) != (self.root_passphrase_file is None):
            raise ValueError("ROOT_KEY and ROOT_PASSPHRASE_FILE are given together or not at all")
        if self.issuer is None and self.issuer_keys is not None:
            raise ValueError("ISSUER_KEYS means nothing without ISSUER")
        if self.issuer is None and self.host not in _LOOPBACK:
            raise ValueError("HOST beyond loopback needs ISSUER: the development issuer is local")
        return self

    @model_validator(mode="after")
    def _notices_are_private(self) -> Self:
        if self.notices_url is None and self.notices_token is not None:
            raise ValueError("NOTICES_TOKEN means nothing without NOTICES_URL")
        if self.notices_url is not None and not _is_private(self.notices_url):
            raise ValueError("NOTICES_URL carries telephone numbers: https beyond loopback")
        return self

    @property
    def status_uri(self) -> str:
        """Where the status lists of credentials lie."""
        return f"{self.public_url or f'http://{self.host}:{self.port}'}/certificates/status"

    @property
    def monitor_url(self) -> str | None:
        """The monitoring endpoints of NATS; None when NATS is embedded and not yet started."""
        if self.nats_monitor_url is not None or self.nats_url is None:
            return self.nats_monitor_url
        hosts = (urlsplit(url).hostname for url in self.nats_url.split(","))
        return ",".join(f"http://{host}:{_NATS_MONITOR_PORT}" for host in hosts)

    @property
    def issuer_keys_source(self) -> str | None:
        """Where the issuer's keys are; None for the development issuer."""
        if self.issuer is None:
            return None
        return self.issuer_keys or f"{self.issuer.rstrip('/')}/.well-known/jwks.json"

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """Read the environment; `overrides` (a command line's) win where they are not None.

        Raises:
            SettingsError: with one sentence for each problem, never with a value.
        """
        unknown = sorted(
            name
            for name in os.environ  # noqa: TID251  this is the reader
            if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in cls.model_fields
        )
        if unknown:
            raise SettingsError(tuple(f"{name} is not a setting" for name in unknown))
        given: dict[str, Any] = {k: v for k, v in overrides.items() if v is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            raise SettingsError(tuple(map(_sentence, found))) from None

    def environment(self) -> Mapping[str, str]:
        """The environment for a part of ours: this process's, with exactly these settings."""
        inherited = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251  this is the reader
            if not name.startswith(PREFIX)
        }
        own = {
            f"{PREFIX}{name.upper()}": str(value)
            for name, value in self.model_dump().items()
            if value is not None and not (name in SECRETS and getattr(self, f"{name}_file"))
        }
        return inherited | own


def _is_private(url: str) -> bool:
    """Whether nobody on the way can read what is sent there."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _sentence(problem: ErrorDetails) -> str:
    """What is wrong, after the variable's name if it is one variable's."""
    said = problem["msg"].removeprefix("Value error, ")
    return ": ".join([*(f"{PREFIX}{part}".upper() for part in problem["loc"]), said])


def is_origin(text: str) -> bool:
    """Whether a text may be the name of a log."""
    return re.search(_ORIGIN, text) is not None and not text.endswith("\n")
