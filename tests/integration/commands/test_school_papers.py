"""What schools keep is asked before a record is shredded, and at the very moment (S-13, X-18)."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from client.signing import Draft
from commands import recording
from commands.desk import HANDLERS
from commands.errors import Erased
from commands.principal import Role
from commands.writing import Handler, Writing
from domain.codec import statement_fields
from domain.errors import DomainError
from domain.shredding import RegisterKept, StatementKept
from domain.topics import EVENTS
from ledger.store.errors import ClaimTaken, GuardFailed
from tests.days import today
from tests.integration.commands.conftest import TOWNSHIP, Author, County, admit, registration

Paper = Callable[[County, UUID], Draft]
THIS_YEAR = today().year


@pytest.fixture(scope="module")
def city(county: County) -> Author:
    return admit(county.operator, Role.CITY_CDC, "测试市疾控中心", "city-cdc", "410299")


@pytest.fixture
def record(county: County) -> UUID:
    draft, _ = registration(county.clinic)
    county.clinic.submit(draft)
    return draft.stream


def statement(county: County, record: UUID) -> Draft:
    data = {
        "record": str(record),
        "division": TOWNSHIP,
        "clinic": str(county.clinic.organisation),
        "checked_on": "2018-08-20",
        "entry_type": "primary",
        "has_certificate": True,
        "paper_agrees": True,
    }
    return Draft("check-statement.issued.v1", uuid4(), 0, data)


def enrolment(county: County, record: UUID, school_year: int = THIS_YEAR) -> Draft:
    data = {
        "record": str(record),
        "institution": str(county.school.organisation),
        "division": TOWNSHIP,
        "school_year": school_year,
        "class_name": "一年级一班",
        "entry_type": "primary",
        "admission": "new",
        "number": 1,
        "joined_on": f"{school_year}-09-03",
    }
    return Draft("enrolment.enrolled.v1", uuid4(), 0, data)


def author_of(county: County, draft: Draft) -> Author:
    return county.school if draft.topic.startswith("enrolment") else county.clinic


def keep(county: County, paper: Draft) -> None:
    author_of(county, paper).submit(paper)


def asked(county: County, record: UUID, version: int = 1, ground: str = "erasure-requested"):
    data = {"organisation": str(county.cdc.organisation), "ground": ground}
    return county.cdc.submit(
        Draft("vaccination-record.shred-requested.v1", record, version, data)
    ).version


def confirmation(city: Author, record: UUID, version: int) -> Draft:
    data = {"organisation": str(city.organisation), "request": version}
    return Draft("vaccination-record.shredded.v1", record, version, data)


def decided(by: Author, draft: Draft, handler: Handler) -> Callable[[], object]:
    """Decide as the desk does, and return what stores the decision later."""
    body, services = by.body(draft), by.parts.services
    decision = handler(
        Writing(
            services=services,
            statement=body.statement,
            fields=statement_fields(EVENTS[draft.topic], body.statement.data),
            private=body.private,
            principal=by.principal,
            recorded_at=services.clock(),
        )
    )
    return lambda: recording.record(
        services,
        decision,
        key=draft.idempotency_key,
        request=recording.request_digest(body.envelope.payload),
        signed=recording.signed_of(body, by.organisation),
    )


@pytest.mark.parametrize(
    ("paper", "refusal", "until"),
    [(statement, StatementKept, None), (enrolment, RegisterKept, f"{THIS_YEAR + 6}-08-31")],
)
def test_what_a_school_keeps_is_not_shredded(
    county: County, city: Author, record: UUID, paper: Paper, refusal: type[DomainError], until
):
    keep(county, paper(county, record))
    with pytest.raises(refusal) as refused:
        asked(county, record)
    assert refused.value.facts["kept_until"] == until
    version = asked(county, record, ground="legal-order")
    city.submit(confirmation(city, record, version))


def test_registers_of_those_who_graduated_keep_nobody(county: County, city: Author, record: UUID):
    keep(county, enrolment(county, record, THIS_YEAR - 7))
    city.submit(confirmation(city, record, asked(county, record)))


def test_what_was_merged_into_a_record_counts_with_it(county: County, record: UUID):
    draft, _ = registration(county.clinic)
    county.clinic.submit(draft)
    keep(county, statement(county, draft.stream))
    merged = {
        "organisation": str(county.clinic.organisation),
        "duplicate": str(draft.stream),
        "duplicate_version": 1,
        "reason": "same-person",
    }
    county.clinic.submit(Draft("vaccination-record.merged.v1", record, 1, merged))
    with pytest.raises(StatementKept):
        asked(county, record, version=2)


@pytest.mark.parametrize(
    ("paper", "refusal"), [(statement, StatementKept), (enrolment, RegisterKept)]
)
def test_a_paper_that_comes_while_the_shred_is_decided_wins(
    county: County, city: Author, record: UUID, paper: Paper, refusal: type[DomainError]
):
    draft = confirmation(city, record, asked(county, record))
    store = decided(city, draft, HANDLERS[draft.topic])
    keep(county, paper(county, record))
    head = county.head()
    with pytest.raises(ClaimTaken):
        store()
    with pytest.raises(refusal):
        city.submit(draft)
    assert county.head() == head


@pytest.mark.parametrize("paper", [statement, enrolment])
def test_a_shred_that_comes_while_a_paper_is_decided_wins(
    county: County, city: Author, record: UUID, paper: Paper
):
    draft, author = paper(county, record), author_of(county, paper(county, record))
    store = decided(author, draft, HANDLERS[draft.topic])
    city.submit(confirmation(city, record, asked(county, record)))
    with pytest.raises(GuardFailed):
        store()
    with pytest.raises(Erased):
        author.submit(draft)
