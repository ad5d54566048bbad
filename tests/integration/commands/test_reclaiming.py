"""Claims told from the log alone are those that the writes took."""

from uuid import UUID, uuid4

import psycopg

from bootstrap.fsck import inspect_and_mend
from client.signing import Draft
from commands.papers import PAPER
from commands.principal import Principal, Role, VerifiedIdentity
from commands.reclaiming import Reclaiming, request_of
from domain.identity import checksum
from ledger.entry import Entry
from ledger.envelope import decode_evidence
from ledger.store.refilling import put_claims_back
from ledger.store.transaction import open_connection
from tests.integration.commands.conftest import County, dose, registration
from tests.integration.commands.test_fsck_shreds import inspected, integrate

NUMBER, MISTYPED, OTHER = (
    first + checksum(first)
    for first in ("41020020140615001", "41020020140615005", "41020020140615003")
)
MOTHER = "11010519491231002X"


def write_all_that_claims(county: County) -> None:
    clinic = county.clinic
    draft, child = registration(clinic, number=NUMBER)
    clinic.submit(draft)
    for version, number in enumerate((MISTYPED, OTHER), 1):
        clinic.submit(amended(draft.stream, version, child, number))
    clinic.submit(registration(clinic, number=MISTYPED)[0])  # whose it is
    given = dose(clinic, draft.stream, child, 3)
    clinic.submit(given)
    correct_package(county, given, child)
    for _ in range(2):
        keep_papers(county, draft.stream)
    mother = VerifiedIdentity("李梅", MOTHER, "13800000000", face_verified=True)
    guardian = Principal("guardian", Role.GUARDIAN, None, "", mother)
    console = county.parts.desk.certificates
    request = {"record": str(draft.stream), "has_consented": True}
    released = console.claim(guardian, uuid4(), request).stream
    console.release(guardian, uuid4(), released, {"reason": "guardianship-ended"})
    console.claim(guardian, uuid4(), request)


def keep_papers(county: County, record: UUID) -> None:
    """Enrol the child and state its check: the first of each kind holds the claim (S-13, X-18)."""
    clinic, school = county.clinic.organisation, county.school.organisation
    said = {"record": str(record), "division": "410299101", "entry_type": "primary"}
    pupil = {"institution": str(school), "school_year": 2020, "class_name": "一班", "number": 1}
    joined = {"admission": "new", "joined_on": "2020-09-03"}
    county.school.submit(Draft("enrolment.enrolled.v1", uuid4(), 0, {**said, **pupil, **joined}))
    audit = {"clinic": str(clinic), "checked_on": "2020-08-20"}
    audit |= {"has_certificate": True, "paper_agrees": True}
    county.clinic.submit(Draft("check-statement.issued.v1", uuid4(), 0, {**said, **audit}))


def amended(record: UUID, version: int, child: UUID, number: str) -> Draft:
    """An amendment of today, which counts from tomorrow on: until then the first number stands."""
    clear = {"person": str(child), "fields": ["id_number"], "reason": "wrong-number"}
    values = {child: {"before": {"id_number": NUMBER}, "after": {"id_number": number}}}
    return Draft("vaccination-record.identity-amended.v1", record, version, clear, values)


def correct_package(county: County, given: Draft, child) -> None:
    clinic = {"clinic": str(county.clinic.organisation)}
    code = given.private[child]["package_code"]
    request = Draft(
        "correction.requested.v1",
        uuid4(),
        0,
        {
            "record": str(given.stream),
            "dose": given.data["dose"],
            "division": "410299101",
            "kind": "amend",
            "changes": [],
            "urgency": "next-day",
            "reason": "wrong-code",
            "requested_by": "clinic",
            **clinic,
        },
        {child: {"before": {"package_code": code}, "after": {"package_code": code[::-1]}}},
    )
    county.clinic.submit(request)
    county.clinic.submit(Draft("correction.verified.v1", request.stream, 1, clinic))
    county.clinic.submit(Draft("correction.applied.v1", request.stream, 2, clinic))


def test_every_claim_is_told_again_twice_over(county: County):
    write_all_that_claims(county)
    parts = county.parts
    url = parts.settings.database_url
    ask = "SELECT kind, key, stream FROM ledger.claims ORDER BY 1, 2"
    with psycopg.connect(url, autocommit=True) as owner:
        taken = owner.execute(ask).fetchall()
        assert {kind for kind, _, _ in taken} >= {
            "person", "id-number", "package-code", "certificate-holder", "school-paper",
        }  # fmt: skip
        owner.execute("TRUNCATE ledger.claims")
        with open_connection(url) as connection:
            for _ in range(2):
                untold = put_claims_back(
                    connection,
                    0,
                    county.head(),
                    Reclaiming(parts.vault, parts.reader).claims_of,
                    lambda _: None,
                )
                assert untold == []
                assert owner.execute(ask).fetchall() == taken


def test_what_a_key_stands_for_is_told_from_the_signed_statement(county: County):
    parts = county.parts
    with psycopg.connect(parts.settings.database_url) as owner:
        rows = owner.execute(
            "SELECT e.entry, i.request FROM ledger.idempotency i"
            " JOIN ledger.entries e ON e.position = i.first_position",
            binary=True,
        ).fetchall()
    told = 0
    for raw, request in rows:
        entry = Entry.decode(raw)
        envelope = parts.reader.envelope(entry.author.envelope)
        found = request_of(entry, decode_evidence(envelope).payload)
        assert found == request if found else "on_behalf_of" in entry.data["derived"]
        told += found is not None
    assert told > len(rows) / 2


def test_papers_that_an_earlier_release_wrote_without_claims_get_them_once_it_is_gone(
    county: County,
):
    parts = county.parts
    draft, _ = registration(county.clinic)
    county.clinic.submit(draft)
    before = county.head()
    keep_papers(county, draft.stream)
    ask = f"SELECT key, stream, position FROM ledger.claims WHERE kind = '{PAPER}' ORDER BY 3"
    with psycopg.connect(parts.settings.database_url, autocommit=True) as owner:
        taken = owner.execute(ask).fetchall()
        owner.execute("DELETE FROM ledger.claims WHERE position > %s", [before])
        keep_papers(county, draft.stream)  # the next release takes the claims meanwhile
        integrate(parts.settings)
        missing = [("claim-missing", position) for position in (before + 1, before + 2)]
        assert inspected(parts)[1] == missing
        other = []
        found = inspect_and_mend(parts, other.append, lambda _done, _size: None, full=True)
        assert (found.mended, other) == (len(missing), [])
        assert owner.execute(ask).fetchall() == taken
    assert inspected(parts)[1] == []
