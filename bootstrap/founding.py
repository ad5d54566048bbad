"""The first start of an installation in earnest: from a reviewed plan, once.

Crash points: the root key's file is durable before anything else; after that, what is half made is
refused by the next run. Nothing was served from it: remove the data directory's secrets, empty
both databases, and begin again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bootstrap.errors import BootstrapError
from bootstrap.folders import kek_folder, secrets_folder
from bootstrap.migrate import migrate_all
from bootstrap.root_key import write_root_key
from bootstrap.secrets import keep_public_root, note_operator
from bootstrap.settings import Settings
from bootstrap.wiring import publish_verifier_keys, wire
from client.signing import AuthorKey, Draft
from commands.genesis import Founder, open_log
from commands.principal import Principal, Role
from commands.signed_body import SignedBody
from domain.errors import DomainError
from domain.organisation import Organisation
from ledger.envelope import keyid_of
from ledger.errors import LedgerError
from ledger.jcs import parse
from ledger.store.restoring import entries_in, keys_in

_MEMBERS = {"origin", "operator", "organisations"}
_OPERATOR = {"name", "division"}


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
        organisations: The first ones, registered by the operator: `organisation` (the id that its
            proof of possession names) and the members of `organisation.registered.v1`.
        digest: SHA-256 of the file, hex: what its reviewer tells.
    """

    origin: str
    name: str
    division: str
    organisations: Sequence[Mapping[str, Any]]
    digest: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a plan.

        Raises:
            FoundingRefusedError: It is none.
            OSError: It cannot be read.
        """
        raw = path.read_bytes()
        try:
            given = json.loads(raw)
            operator, organisations = given["operator"], given["organisations"]
            if given.keys() != _MEMBERS or operator.keys() != _OPERATOR:
                raise FoundingRefusedError("the plan has other members", plan=path)
            for one in organisations:
                UUID(one["organisation"])
            texts = (given["origin"], operator["name"], operator["division"])
            if not all(type(text) is str for text in texts):
                raise FoundingRefusedError("the plan has other members", plan=path)
            return cls(*texts, organisations, sha256(raw).hexdigest())
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FoundingRefusedError("the plan is not one", plan=path) from error


def found(settings: Settings, plan: Plan, root_file: Path, passphrase: str) -> str:
    """Make secrets and root key, open the log and register the first organisations.

    Args:
        settings: With the URLs of both databases, none of whose parts runs.
        plan: What is founded.
        root_file: Where the root key goes: on a medium that is taken away.
        passphrase: Of that file.

    Returns:
        The root key's fingerprint: SHA-256 of the public key, hex.

    Raises:
        FoundingRefusedError: Something was founded here before, or the plan is another log's.
        RootKeyUnusableError: The root key cannot be written.
    """
    assert settings.database_url is not None
    assert settings.keys_url is not None
    if plan.origin != settings.origin:
        raise FoundingRefusedError("VAXLEDGER_ORIGIN is another", origin=plan.origin)
    folder = secrets_folder(settings)
    if folder.exists() or entries_in(settings.database_url) or keys_in(settings.keys_url):
        raise FoundingRefusedError("something was founded here before", folder=folder)
    root = Ed25519PrivateKey.generate()
    write_root_key(root_file, root, passphrase)
    keep_public_root(folder, root.public_key())
    note_operator(folder, plan.name, plan.division)
    kek_folder(settings).load()
    migrate_all(settings.database_url, settings.keys_url)
    with wire(settings) as parts:
        operator = parts.secrets.operator
        open_log(parts.services, Founder(operator, root, plan.name, plan.division))
        key = AuthorKey(operator, root)
        principal = Principal("operator", Role.OPERATOR, operator, "")
        for one in plan.organisations:
            data = {name: value for name, value in one.items() if name != "organisation"}
            stream = UUID(one["organisation"])
            number = uuid5(stream, plan.origin)
            draft = Draft(Organisation.Registered.TOPIC, stream, 0, data, idempotency_key=number)
            body = SignedBody.parse(parse(key.sign(plan.origin, draft).body()))
            try:
                parts.desk.submit(body, principal, number)
            except (DomainError, LedgerError) as error:
                raise FoundingRefusedError(str(error), organisation=stream) from error
        publish_verifier_keys(parts)
    return keyid_of(root.public_key().public_bytes_raw())
