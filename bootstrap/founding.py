"""The first start of an installation in earnest: from a reviewed plan, once.

Crash points: a mark in the data directory is durable first and taken away last. While it stands no
start takes the installation for founded, and the next run with the same plan and the root key's
same file goes on where this one was: each step is harmless when repeated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bootstrap.durable import sync_folder
from bootstrap.errors import BootstrapError
from bootstrap.folders import founding_mark, kek_folder, secrets_folder
from bootstrap.migrate import migrate_all
from bootstrap.root_key import RootKeyUnusableError, read_root_key, write_root_key
from bootstrap.secrets import has_public_root, keep, keep_public_root, note_operator
from bootstrap.settings import Settings
from bootstrap.wiring import publish_verifier_keys, wire
from client.signing import AuthorKey, Draft
from commands.errors import CommandError
from commands.genesis import Founder, decide_first, open_log, operator_fields
from commands.principal import Principal, Role
from commands.signed_body import SignedBody
from domain.errors import DomainError
from domain.organisation import Organisation
from ledger.envelope import keyid_of
from ledger.jcs import parse
from ledger.store.restoring import entries_in, keys_in

_MEMBERS = {"origin", "operator", "organisations"}
_OPERATOR = {"name", "division"}


class FoundingUnfinishedError(BootstrapError):
    """`vaxledger init` was interrupted; run it again, with the same plan and root key's file."""

    def __init__(self, reviewed: str) -> None:
        super().__init__()
        self.reviewed = reviewed


class FoundingRefusedError(BootstrapError):
    """The installation was not founded; nothing of it may be used."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__()
        self.reason = reason
        for name, value in facts.items():
            setattr(self, name, value)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is founded.

    Attributes:
        origin: Name of the log.
        name: Of the operator.
        division: Of the operator, six digits.
        organisations: The first ones, registered by the operator: the id that its proof of
            possession names, and the members of `organisation.registered.v1`.
        digest: SHA-256 of the file, hex: what its reviewer tells.
    """

    origin: str
    name: str
    division: str
    organisations: Mapping[UUID, Mapping[str, Any]]
    digest: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a plan, and decide about all of it as founding will.

        Raises:
            FoundingRefusedError: It is none, or one of its organisations would be refused.
            OSError: It cannot be read.
        """
        raw = path.read_bytes()
        try:
            given = json.loads(raw)
            operator, listed = given["operator"], given["organisations"]
            if given.keys() != _MEMBERS or operator.keys() != _OPERATOR:
                raise FoundingRefusedError("the plan has other members", plan=path)
            texts = (given["origin"], operator["name"], operator["division"])
            if not all(type(text) is str for text in texts):
                raise FoundingRefusedError("the plan has other members", plan=path)
            first = {UUID(one.pop("organisation")): one for one in listed}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FoundingRefusedError("the plan is not one", plan=path) from error
        if len(first) < len(listed):
            raise FoundingRefusedError("the plan names an organisation twice", plan=path)
        plan = cls(*texts, first, sha256(raw).hexdigest())
        plan.decide(datetime.now(UTC))
        return plan

    def decide(self, now: datetime) -> None:
        """Decide about operator and organisations, with a root key that nobody keeps."""
        founder = Founder(uuid4(), Ed25519PrivateKey.generate(), self.name, self.division)
        own = {founder.organisation: operator_fields(founder, self.origin)}
        operator = None
        for stream, data in {**own, **self.organisations}.items():
            try:
                decided = decide_first(self.origin, stream, data, operator, now)
            except (DomainError, CommandError) as error:
                raise FoundingRefusedError(
                    str(error), name=data.get("name"), origin=self.origin
                ) from error
            operator = operator or decided


def refuse_unfinished(settings: Settings) -> None:
    """Refuse to start on what `vaxledger init` has begun and not ended.

    Raises:
        FoundingUnfinishedError: It has to be run again.
    """
    mark = founding_mark(settings)
    if mark.exists():
        raise FoundingUnfinishedError(mark.read_text().strip())


def found(settings: Settings, plan: Plan, root_file: Path, passphrase: str) -> str:
    """Make secrets and root key, open the log and register the first organisations.

    What was interrupted goes on.

    Args:
        settings: With the URLs of both databases, none of whose parts runs.
        plan: What is founded.
        root_file: Where the root key goes: on a medium that is taken away.
        passphrase: Of that file.

    Returns:
        The root key's fingerprint: SHA-256 of the public key, hex.

    Raises:
        FoundingRefusedError: Something was founded here before, or was begun with another plan
            or root key; or the plan is another log's.
        RootKeyUnusableError: The root key cannot be written, or the one of before does not open.
        OSError: The root key's folder cannot be written to.
    """
    assert settings.database_url is not None
    assert settings.keys_url is not None
    if plan.origin != settings.origin:
        raise FoundingRefusedError("VAXLEDGER_ORIGIN is another", origin=plan.origin)
    folder, mark = secrets_folder(settings), founding_mark(settings)
    if not mark.exists():
        _refuse_founded(settings.database_url, settings.keys_url, folder)
        if root_file.exists():
            raise RootKeyUnusableError("the file exists", root_file)
    begun = keep(mark, plan.digest)
    if begun != plan.digest:
        raise FoundingRefusedError("it was begun with another plan", reviewed=begun)
    if root_file.exists() or has_public_root(folder):
        root = read_root_key(root_file, passphrase)
    else:
        root = Ed25519PrivateKey.generate()
        write_root_key(root_file, root, passphrase)
    if not keep_public_root(folder, root.public_key()):
        raise FoundingRefusedError("it was begun with another root key", root_key=root_file)
    note_operator(folder, plan.name, plan.division)
    kek_folder(settings).load()
    migrate_all(settings.database_url, settings.keys_url)
    _write_first(settings, plan, root)
    mark.unlink()
    sync_folder(mark.parent)
    return keyid_of(root.public_key().public_bytes_raw())


def _refuse_founded(log_url: str, keys_url: str, folder: Path) -> None:
    if folder.exists():
        raise FoundingRefusedError("something was founded here before", folder=folder)
    if entries_in(log_url) or keys_in(keys_url):
        raise FoundingRefusedError("something was founded in these databases before")


def _write_first(settings: Settings, plan: Plan, root: Ed25519PrivateKey) -> None:
    """Open the log and register the organisations, those that are not there yet."""
    with wire(settings) as parts:
        operator = parts.secrets.operator
        open_log(parts.services, Founder(operator, root, plan.name, plan.division))
        key = AuthorKey(operator, root)
        principal = Principal("operator", Role.OPERATOR, operator, "")
        for stream, data in plan.organisations.items():
            number = uuid5(stream, plan.origin)
            draft = Draft(Organisation.Registered.TOPIC, stream, 0, data, idempotency_key=number)
            body = SignedBody.parse(parse(key.sign(plan.origin, draft).body()))
            parts.desk.submit(body, principal, number)
        publish_verifier_keys(parts)
