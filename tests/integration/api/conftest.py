"""A served installation on real databases: HTTP on loopback, integrator and projector running."""

import secrets
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api import health, parameters
from api.__main__ import server_of
from api.app import create_app
from bootstrap.log_keys import log_signers
from bootstrap.settings import Settings
from bootstrap.tokens import DevelopmentIssuerWarning
from bootstrap.views import Views, open_views
from bootstrap.wiring import Parts, wire
from client.signing import AuthorKey, Draft, SignedWrite
from client.sources import StoreSource
from client.trust import Trust
from client.verify import verify_log
from commands.genesis import open_log
from commands.principal import Principal, Role, VerifiedIdentity
from ledger.jcs import canonical
from ledger.store.integration import Integrator
from projections.loop import Projector
from tests import drafts
from tests.conftest import Databases
from tests.days import begin_within_a_day
from workers import projector

# As in `tests.patience`: what is answered "not now" after seconds is waited for here.
parameters.WAIT_SECONDS = health.CHECK_SECONDS = 60.0
health.LATE_SECONDS = 600.0

COUNTY = "410299"
TOWNSHIP = "410299101"
OTHER_TOWNSHIP = "410288101"
MOTHER = "11010519491231002X"


@dataclass
class Served:
    """The installation as its callers and its tests see it."""

    parts: Parts
    views: Views
    url: str
    http: httpx.Client

    def head(self) -> int:
        """How many entries the log has: what a refused write must not change."""
        return self.parts.journal.recorder.max_notification_id() or 0

    def token(self, principal: Principal, *, issued_at: int | None = None) -> str:
        return self.parts.issuer.mint(principal, issued_at=issued_at or int(time.time()))

    def verified(self) -> None:
        """Wait until all is published, and verify the whole log as an integrator would."""
        self.caught_up()
        trust = Trust.parse(self.http.get("/log.vkey").content)
        verify_log(StoreSource(self.parts.reader), trust)

    def caught_up(self) -> int:
        """Wait until the views show everything, and the server knows it."""
        head = self.head()
        asked = {"product": "none", "division": COUNTY, "at_least": head}
        answer = self.http.get("/v1/offers", params=asked)
        assert answer.status_code == 200, answer.text
        return head


@dataclass
class Author:
    """An organisation with its key and its token."""

    served: Served
    key: AuthorKey
    principal: Principal

    @property
    def organisation(self) -> UUID:
        return self.key.organisation

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.served.token(self.principal)}"}

    def sign(self, draft: Draft) -> SignedWrite:
        return self.key.sign(self.served.parts.settings.origin, draft)

    def post(self, path: str, write: Draft | SignedWrite, **headers: str | None) -> httpx.Response:
        """Submit a write; headers given as keywords replace the usual ones, None drops one."""
        signed = self.sign(write) if isinstance(write, Draft) else write
        return self.send(path, signed.body(), signed, **headers)

    def send(
        self, path: str, body: bytes, signed: SignedWrite, **headers: str | None
    ) -> httpx.Response:
        statement = signed.statement
        usual: dict[str, str | None] = {
            **self.bearer,
            "Content-Type": "application/json",
            "Idempotency-Key": str(statement.idempotency_key),
        }
        if statement.expected_version:
            usual["If-Match"] = f'"{statement.expected_version}"'
        usual |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        kept = {name: value for name, value in usual.items() if value is not None}
        return self.served.http.post(path, content=body, headers=kept)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.served.http.get(path, headers=self.bearer, params=params or None)

    def call(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """POST plain JSON."""
        sent = {
            **self.bearer,
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.served.http.post(path, content=canonical(body), headers=sent)


@pytest.fixture(scope="session")
def trust(served: Served) -> Trust:
    """What whoever verifies the log was given."""
    return Trust.parse(served.http.get("/log.vkey").content)


@dataclass
class County:
    """Everyone who writes and reads."""

    served: Served
    operator: Author
    cdc: Author
    clinic: Author
    other_clinic: Author
    far_clinic: Author
    school: Author
    kindergarten: Author
    regulator: Author


@pytest.fixture(scope="module", autouse=True)
def one_day() -> None:
    """A file sees one day: what it writes on a day it may read as of that day."""
    begin_within_a_day()


@pytest.fixture(scope="session")
def databases(migrated_database: Callable[[], Databases]) -> Databases:
    return migrated_database()


@pytest.fixture(scope="session")
def served(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data_dir: Path = tmp_path_factory.mktemp("installation")
    settings = Settings(
        data_dir=data_dir,
        database_url=databases.log,
        keys_url=databases.keys,
        receipt_wait_seconds=30,
    )
    with wire(settings) as parts, open_views(settings) as views:
        open_log(parts.services, parts.founder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DevelopmentIssuerWarning)
            assert parts.issuer
        with (
            working(parts),
            listening(parts, views) as url,
            httpx.Client(base_url=url, timeout=60) as http,
        ):
            yield Served(parts, views, url, http)


@contextmanager
def working(parts: Parts) -> Iterator[None]:
    """Integrator and projector, as workers run them."""
    settings = parts.settings
    assert settings.database_url
    assert settings.keys_url
    outside = settings.data_dir / "outside" / "checkpoint"
    outside.parent.mkdir()
    integrator = Integrator(settings.database_url, log_signers(settings), outside)
    views = Projector(parts.reader, settings.database_url, settings.keys_url, parts.vault)
    stop = threading.Event()
    threads = [
        threading.Thread(target=integrator.run, args=(stop,)),
        threading.Thread(target=projector.run, args=(views, settings.database_url, stop)),
    ]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()


@contextmanager
def listening(parts: Parts, views: Views) -> Iterator[str]:
    """The HTTP server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = server_of(create_app(parts, views), "127.0.0.1", port)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.01)
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def county(served: Served) -> County:
    parts = served.parts
    operator = Author(
        served,
        AuthorKey(parts.secrets.operator, parts.secrets.root_key),
        Principal("operator", Role.OPERATOR, parts.secrets.operator, ""),
    )
    cdc = admit(operator, Role.COUNTY_CDC, "测试县疾控中心", "county-cdc", COUNTY)
    school = {"institution_type": "primary", "ownership": "public"}
    kindergarten = {"institution_type": "kindergarten", "ownership": "private"}
    return County(
        served,
        operator,
        cdc,
        admit(cdc, Role.CLINIC, "第一门诊", "clinic", TOWNSHIP),
        admit(cdc, Role.CLINIC, "第二门诊", "clinic", TOWNSHIP),
        admit(operator, Role.CLINIC, "外县门诊", "clinic", OTHER_TOWNSHIP),
        admit(cdc, Role.SCHOOL, "中心小学", "school", TOWNSHIP, **school),
        admit(cdc, Role.SCHOOL, "中心幼儿园", "school", TOWNSHIP, **kindergarten),
        replace(operator, principal=replace(operator.principal, role=Role.REGULATOR)),
    )


def admit(
    registrar: Author, role: Role, name: str, kind: str, division: str, **more: Any
) -> Author:
    """Register an organisation with a fresh key, over HTTP."""
    served = registrar.served
    key, draft = drafts.organisation(served.parts.settings.origin, name, kind, division, **more)
    answer = registrar.post("/v1/organisations", draft)
    assert answer.status_code == 201, answer.text
    return Author(served, key, Principal(name, role, key.organisation, division))


@dataclass
class Child:
    """A registered child."""

    record: UUID
    handle: UUID
    mother: UUID
    mother_number: str
    version: int = 1


def registration(
    clinic: Author,
    *,
    number: str | None = None,
    mother_number: str = MOTHER,
    birth_date: str = "2014-06-15",
    name: str = "王小明",
) -> tuple[Draft, Child]:
    """A draft that registers a child."""
    values = {"name": name, "sex": "male", "birth_date": birth_date}
    if number:
        values |= {"id_number": number}
    guardian = {"name": "李梅", "id_number": mother_number}
    draft, child, mother = drafts.registration(
        clinic.organisation, clinic.principal.division, values, guardian
    )
    return draft, Child(draft.stream, child, mother, mother_number)


def register(clinic: Author, **options: Any) -> Child:
    draft, child = registration(clinic, **options)
    answer = clinic.post("/v1/records", draft)
    assert answer.status_code == 201, answer.text
    return child


def dose(clinic: Author, child: Child, *, at: str = "T09:30:00+08:00", **changes: Any) -> Draft:
    """A draft that records a dose."""
    return drafts.dose(
        clinic.organisation, child.record, child.handle, child.version, at=at, **changes
    )


def doses_path(child: Child) -> str:
    return f"/v1/records/{child.record}/doses"


def citizen(
    served: Served, number: str, *, role: Role = Role.GUARDIAN, name: str = "李梅"
) -> Author:
    """Someone with a verified identity and no key."""
    identity = VerifiedIdentity(name, number, "13812345678", face_verified=True)
    nobody = AuthorKey.from_seed(uuid4(), secrets.token_bytes(32))
    return Author(served, nobody, Principal(f"citizen-{number[-6:]}", role, None, "", identity))
