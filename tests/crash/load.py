"""Clinics that register children and record doses over HTTP, all at the same time.

A write is pursued with one idempotency key until it is answered: that is the contract of the
client library (`UnavailableError`: "submit the same write again"), here with an end.
"""

import asyncio
import secrets
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bootstrap.log_keys import installation_secrets, log_signer
from bootstrap.secrets import Secrets
from bootstrap.settings import Settings
from bootstrap.tokens import DevelopmentIssuer, DevelopmentIssuerWarning
from client.errors import UnavailableError
from client.exchange import Patience
from client.http import AsyncClient, Caller
from client.receipt import Receipt
from client.signing import AuthorKey, Draft, SignedWrite
from client.trust import Trust
from commands.principal import Principal, Role
from tests import drafts

COUNTY = "410299"
TOWNSHIP = "410299101"
DOSES_A_CHILD = 8

_CLINICS = 4
_FAMILIES_AT_ONCE = 12  # in each clinic
QUEUES = _CLINICS * _FAMILIES_AT_ONCE
_PURSUED_SECONDS = 120.0
_PAUSE_SECONDS = 0.25
_PATIENCE = Patience(attempts=4, receipt_seconds=20)
_TOKEN_SECONDS = 6 * 3600

_VACCINES = (
    ("HepB", "重组乙型肝炎疫苗", "北京生物", "LA", "IM"),
    ("OPV", "脊髓灰质炎减毒活疫苗", "北京天坛", "ORAL", "PO"),
    ("DTaP", "吸附无细胞百白破联合疫苗", "武汉生物", "RA", "IM"),
    ("MMR", "麻腮风联合减毒活疫苗", "上海生物", "LA", "SC"),
)


@dataclass(frozen=True)
class Acknowledged:
    """A write that was answered, as the client library believed it."""

    write: SignedWrite
    receipt: Receipt

    @property
    def key(self) -> UUID:
        return self.write.statement.idempotency_key

    @property
    def topic(self) -> str:
        return self.write.statement.topic


@dataclass
class Load:
    """What was sent and what was answered.

    Attributes:
        acknowledged: In the order of the answers.
        doses: Number of doses among them.
        pursued: How often a write had to be taken up again by us.
        seconds: How long it took.
        longest: Seconds of the slowest write, all repetitions included.
    """

    acknowledged: list[Acknowledged] = field(default_factory=list)
    doses: int = 0
    pursued: int = 0
    seconds: float = 0.0
    longest: float = 0.0


class Country:
    """Who may sign and call in an installation: taken from its own secrets.

    Args:
        settings: Of the installation.
        base_url: Where it answers.
    """

    def __init__(self, settings: Settings, base_url: str) -> None:
        self.kept: Secrets = installation_secrets(settings)
        signer = log_signer(settings, self.kept)
        seed = self.kept.seeds["log-ed25519"]
        self.log_key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
        self.origin = settings.origin
        self.base_url = base_url
        self.trust = Trust.of_keys(signer.verifier_keys())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DevelopmentIssuerWarning)
            self._issuer = DevelopmentIssuer(self.kept.seeds["issuer"])

    def operator(self) -> "Writer":
        """The operator with its root key."""
        key = AuthorKey(self.kept.operator, self.kept.root_key)
        return self.writer(key, Role.OPERATOR, "")

    def regulator(self) -> "Writer":
        """Who may read everything; signs nothing."""
        key = AuthorKey(self.kept.operator, self.kept.root_key)
        return self.writer(key, Role.REGULATOR, "")

    def writer(self, key: AuthorKey, role: Role, division: str) -> "Writer":
        """An organisation that signs with a key and calls with a token."""
        principal = Principal(f"{role}", role, key.organisation, division)
        token = self._issuer.mint(
            principal, issued_at=int(time.time()), lifetime_seconds=_TOKEN_SECONDS
        )
        caller = Caller(self.base_url, token, self.trust, key, _PATIENCE)
        return Writer(self, key, AsyncClient(caller))


@dataclass
class Writer:
    """An organisation as it writes."""

    country: Country
    key: AuthorKey
    client: AsyncClient

    async def submit(self, load: Load, path: str, draft: Draft) -> Receipt:
        """Sign once, send until it is answered, note the answer."""
        write = self.key.sign(self.country.origin, draft)
        started = time.monotonic()
        while time.monotonic() < started + _PURSUED_SECONDS:
            try:
                receipt = await self.client.submit(path, write)
            except UnavailableError:
                load.pursued += 1
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                load.longest = max(load.longest, time.monotonic() - started)
                load.acknowledged.append(Acknowledged(write, receipt))
                return receipt
        raise AssertionError(f"never answered: {path} {draft.idempotency_key}")

    async def admit(self, load: Load, role: Role, name: str, division: str) -> "Writer":
        """Register an organisation with a fresh key and become it."""
        key, draft = drafts.organisation(self.country.origin, name, str(role), division)
        await self.submit(load, "/v1/organisations", draft)
        return self.country.writer(key, role, division)

    async def follow_family(self, load: Load, number: int, doses: int) -> None:
        """Register a child and record its doses, one after the other."""
        child, draft = registration(self.key.organisation, number)
        await self.submit(load, "/v1/records", draft)
        record = draft.stream
        for version in range(1, doses + 1):
            given = dose(self.key.organisation, record, child, version)
            await self.submit(load, f"/v1/records/{record}/doses", given)
            load.doses += 1


def registration(clinic: UUID, number: int) -> tuple[UUID, Draft]:
    """A child's handle and the draft that registers it."""
    born = f"2014-06-{number % 28 + 1:02d}"
    child = {"name": f"王小{number}", "sex": "male", "birth_date": born}
    draft, handle, _ = drafts.registration(clinic, TOWNSHIP, child, {"name": f"李梅{number}"})
    return handle, draft


def dose(clinic: UUID, record: UUID, child: UUID, version: int) -> Draft:
    """The draft of a child's next dose."""
    vaccine, product, maker, site, route = _VACCINES[version % len(_VACCINES)]
    return drafts.dose(
        clinic,
        record,
        child,
        version,
        vaccine=vaccine,
        product=product,
        maker=maker,
        lot=f"A{secrets.randbelow(10**6):06d}",
        expires_on="2018-01-31",
        occurred_on=f"2015-{version % 12 + 1:02d}-15",
        site=site,
        route=route,
    )


def families(doses: int, is_unfinished: Callable[[], bool] = lambda: False) -> Iterator[int]:
    """Numbers of families: enough for so many doses, and more while something is unfinished."""
    number = 0
    while number * DOSES_A_CHILD < doses or is_unfinished():
        yield number
        number += 1


async def run(country: Country, families: Iterator[int], load: Load, pace: float = 0.0) -> None:
    """Admit a county with its clinics, then record doses from all of them at once.

    Args:
        country: Who may write.
        families: The children, each with `DOSES_A_CHILD` doses.
        load: Filled meanwhile.
        pace: Least seconds from one family to the next in a queue, to hold the load down.
    """
    started = time.monotonic()
    operator = country.operator()
    cdc = await operator.admit(load, Role.COUNTY_CDC, "测试县疾控中心", COUNTY)
    clinics = [
        await cdc.admit(load, Role.CLINIC, f"第{number}门诊", TOWNSHIP)
        for number in range(1, _CLINICS + 1)
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for clinic in clinics:
                for _ in range(_FAMILIES_AT_ONCE):
                    group.create_task(_work(clinic, load, families, pace))
    finally:
        for writer in (operator, cdc, *clinics):
            await writer.client.close()
        load.seconds = time.monotonic() - started


async def _work(clinic: Writer, load: Load, families: Iterator[int], pace: float) -> None:
    for number in families:  # shared: each family is taken once
        started = time.monotonic()
        await clinic.follow_family(load, number, DOSES_A_CHILD)
        rest = pace - (time.monotonic() - started)
        if rest > 0:
            await asyncio.sleep(rest)


def private_values(acknowledged: Acknowledged) -> dict[str, dict[str, Any]]:
    """What a write sealed, by person handle."""
    return {who: dict(part["values"]) for who, part in acknowledged.write.private.items()}
