"""A whole write side on real databases, with a county, two clinics, a school and their keys."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import pytest

from bootstrap.wiring import Parts
from client.signing import AuthorKey, Draft
from commands.answering import Written
from commands.principal import Principal, Role
from commands.signed_body import SignedBody
from ledger.jcs import parse
from tests import drafts
from tests.conftest import Databases
from tests.founded import founded

COUNTY = "410299"
TOWNSHIP = "410299101"
OTHER_COUNTY = "410288"
MOTHER = "11010519491231002X"


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
    migrated_database: Callable[[], Databases], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parts]:
    with founded(migrated_database(), tmp_path_factory.mktemp("installation")) as parts:
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
    key, draft = drafts.organisation(registrar.parts.settings.origin, name, kind, division, **more)
    registrar.submit(draft)
    principal = Principal(name, role, key.organisation, division)
    return Author(registrar.parts, key.organisation, key, principal)


def registration(
    clinic: Author, *, number: str | None = None, birth_date: str = "2014-06-15"
) -> tuple[Draft, UUID]:
    """A draft that registers a child, and the child's handle."""
    values = {"name": "王小明", "sex": "male", "birth_date": birth_date}
    if number:
        values |= {"id_number": number}
    mother = {"name": "李梅", "id_number": MOTHER}
    draft, child, _ = drafts.registration(clinic.organisation, TOWNSHIP, values, mother)
    return draft, child


def dose(clinic: Author, record: UUID, child: UUID, version: int, **changes: Any) -> Draft:
    """A draft that records a dose."""
    return drafts.dose(clinic.organisation, record, child, version, **changes)


def entry_data(parts: Parts, position: int) -> dict[str, Any]:
    """The clear data of an entry."""
    data: dict[str, Any] = orjson.loads(parts.reader.recorded(position))["data"]
    return data
