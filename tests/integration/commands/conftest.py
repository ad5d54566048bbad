"""A whole write side on real databases, with a county, two clinics, a school and their keys."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from bootstrap.migrate import migrate_all
from bootstrap.settings import Settings
from bootstrap.wiring import Parts, new_id, wire
from client.signing import AuthorKey, Draft
from commands.answering import Written
from commands.genesis import open_log
from commands.principal import Principal, Role
from commands.signed_body import SignedBody
from ledger.jcs import parse
from tests.conftest import Databases

COUNTY = "410299"
TOWNSHIP = "410299101"
OTHER_COUNTY = "410288"


@dataclass
class Author:
    """An organisation with its key, as it writes at the desk."""

    parts: Parts
    organisation: UUID
    key: AuthorKey
    principal: Principal

    def body(self, draft: Draft) -> SignedBody:
        signed = self.key.sign(self.parts.settings.origin, draft)
        return SignedBody.parse(parse(signed.body()))

    def submit(self, draft: Draft) -> Written:
        body = self.body(draft)
        return self.parts.desk.submit(body, self.principal, draft.idempotency_key)


@dataclass
class County:
    """The running parts and everyone who writes."""

    parts: Parts
    operator: Author
    cdc: Author
    clinic: Author
    other_clinic: Author
    school: Author
    versions: dict[UUID, int] = field(default_factory=dict)

    def head(self) -> int:
        """How many entries the log has."""
        return self.parts.journal.recorder.max_notification_id() or 0


@pytest.fixture(scope="module")
def parts(
    fresh_database: Callable[[], Databases], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parts]:
    urls = fresh_database()
    migrate_all(urls.log, urls.keys)
    data_dir: Path = tmp_path_factory.mktemp("installation")
    settings = Settings(data_dir=data_dir, database_url=urls.log, keys_url=urls.keys)
    with wire(settings) as parts:
        open_log(parts.services, parts.founder)
        yield parts


@pytest.fixture(scope="module")
def county(parts: Parts) -> County:
    operator = Author(
        parts,
        parts.secrets.operator,
        AuthorKey(parts.secrets.operator, parts.secrets.root_key),
        Principal("operator", Role.OPERATOR, parts.secrets.operator, ""),
    )
    cdc = admit(operator, Role.COUNTY_CDC, "测试县疾控中心", "county-cdc", COUNTY)
    return County(
        parts,
        operator,
        cdc,
        admit(cdc, Role.CLINIC, "第一门诊", "clinic", TOWNSHIP),
        admit(cdc, Role.CLINIC, "第二门诊", "clinic", TOWNSHIP),
        admit(
            cdc,
            Role.SCHOOL,
            "中心小学",
            "school",
            TOWNSHIP,
            institution_type="primary",
            ownership="public",
        ),
    )


def admit(
    registrar: Author, role: Role, name: str, kind: str, division: str, **more: Any
) -> Author:
    """Register an organisation with a fresh key."""
    stream = new_id()
    key = AuthorKey.from_seed(stream, secrets.token_bytes(32))
    data = {
        "name": name,
        "kind": kind,
        "division": division,
        "public_key": key.public.hex(),
        "key_proof": key.proof_of_possession(registrar.parts.settings.origin),
        **more,
    }
    registrar.submit(Draft("organisation.registered.v1", stream, 0, data))
    return Author(registrar.parts, stream, key, Principal(name, role, stream, division))


def registration(
    clinic: Author, *, number: str | None = None, birth_date: str = "2014-06-15"
) -> tuple[Draft, UUID]:
    """A draft that registers a child, and the child's handle."""
    child, mother = uuid4(), uuid4()
    data = {
        "kind": "child",
        "recipient": str(child),
        "guardians": [{"person": str(mother), "relation": "mother"}],
        "birth_year": int(birth_date[:4]),
        "managing_organisation": str(clinic.organisation),
        "division": TOWNSHIP,
        "roll": "active",
    }
    values = {"name": "王小明", "sex": "male", "birth_date": birth_date}
    if number:
        values |= {"id_number": number}
    private = {child: values, mother: {"name": "李梅", "id_number": "11010519491231002X"}}
    return Draft("vaccination-record.registered.v1", new_id(), 0, data, private), child


def dose(clinic: Author, record: UUID, child: UUID, version: int, **changes: Any) -> Draft:
    """A draft that records a dose of OPV."""
    data = {
        "dose": str(new_id()),
        "vaccine": "HepB",
        "product": "重组乙型肝炎疫苗",
        "maker": "北京生物",
        "lot": "A20140601",
        "expires_on": "2017-01-31",
        "occurred_on": "2014-08-15",
        "site": "LA",
        "route": "IM",
        "quantity": "0.5 mL",
        "clinic": str(clinic.organisation),
        "source_system": "programme",
        **changes,
    }
    private = {
        child: {
            "vaccinator": "赵医生",
            "occurred_at": f"{data['occurred_on']}T09:30:00+08:00",
            "package_code": f"81{secrets.randbelow(10**18):018}",
        }
    }
    return Draft("vaccination-record.dose-administered.v1", record, version, data, private)


def entry_data(parts: Parts, position: int) -> dict[str, Any]:
    """The clear data of an entry."""
    data: dict[str, Any] = orjson.loads(parts.reader.recorded(position))["data"]
    return data
