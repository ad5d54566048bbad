"""Schools check, clinics state, guardians claim: each through the desk, on real databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from client.identifiers import new_id
from client.signing import Draft
from commands import recording, statements
from commands.answering import Written
from commands.certificates import Console
from commands.errors import Forbidden, NotFound
from commands.principal import Principal, Role, VerifiedIdentity
from commands.writing import Writing
from domain.certificate import Certificate
from domain.check_statement import NotServing, PaperDiffers
from domain.claim import AlreadyClaimed, NoConsent, ParentIdMismatch
from domain.codec import statement_fields
from domain.grant import AlreadyGranted, GrantLimit, MissingPhone
from domain.identity import checksum
from domain.topics import EVENTS
from ledger.store.errors import ClaimTaken, VersionConflict
from tests.days import today
from tests.drafts import id_number
from tests.integration.commands.conftest import TOWNSHIP, County, dose, entry_data, registration

MOTHER = "11010519491231002X"
FATHER = "410200201602290016"


def guardian(number: str = MOTHER) -> Principal:
    return Principal(
        f"guardian-{number}",
        Role.GUARDIAN,
        None,
        "",
        VerifiedIdentity("李梅", number, "13800000000", face_verified=True),
    )


def child_of(county: County) -> tuple[UUID, UUID]:
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    return draft.stream, child


def enrol(county: County, record: UUID) -> UUID:
    stream = new_id()
    data = {
        "record": str(record),
        "institution": str(county.school.organisation),
        "division": TOWNSHIP,
        "school_year": 2018,
        "class_name": "一年级一班",
        "entry_type": "primary",
        "admission": "new",
        "number": 1,
        "joined_on": "2018-09-03",
    }
    county.school.submit(Draft("enrolment.enrolled.v1", stream, 0, data))
    return stream


def test_a_check_carries_the_verdict_of_the_rules(county: County):
    record, child = child_of(county)
    county.clinic.submit(dose(county.clinic, record, child, 1))
    enrolment = enrol(county, record)
    data = {"checked_on": "2018-09-03", "has_certificate": True}
    written = county.school.submit(Draft("enrolment.checked.v1", enrolment, 1, data))
    derived = entry_data(county.parts, written.position)["derived"]
    assert derived["age_years"] == 4
    assert derived["complete"] is False
    assert {"vaccine_group": "HepB", "dose_numbers": [2, 3]} in derived["missing"]
    assert derived["record_version"] == 2


def test_a_made_up_dose_is_found_by_the_recheck(county: County):
    record, child = child_of(county)
    enrolment = enrol(county, record)
    data = {"checked_on": "2018-09-03", "has_certificate": False}
    county.school.submit(Draft("enrolment.checked.v1", enrolment, 1, data))
    made_up = dose(
        county.clinic, record, child, 1, occurred_on="2018-10-08", expires_on="2019-10-31"
    )
    county.clinic.submit(made_up)
    again = Draft("enrolment.rechecked.v1", enrolment, 2, {"rechecked_on": "2018-11-20"})
    written = county.school.submit(again)
    derived = entry_data(county.parts, written.position)["derived"]
    assert derived["made_up"] == [{"vaccine_group": "HepB", "dose_number": 1, "date": "2018-10-08"}]
    assert derived["completed"] is False
    reissued = Draft(
        "enrolment.certificate-reissued.v1", enrolment, 3, {"reissued_on": "2018-10-12"}
    )
    assert county.school.submit(reissued).version == 4


def test_only_a_school_checks(county: County):
    record, _ = child_of(county)
    enrolment = enrol(county, record)
    data = {"checked_on": "2018-09-03", "has_certificate": True}
    with pytest.raises(Forbidden):
        county.clinic.submit(Draft("enrolment.checked.v1", enrolment, 1, data))


def statement(county: County, record: UUID, clinic: UUID) -> Draft:
    data = {
        "record": str(record),
        "division": TOWNSHIP,
        "clinic": str(clinic),
        "checked_on": "2018-08-20",
        "entry_type": "primary",
        "has_certificate": True,
        "paper_agrees": True,
    }
    return Draft("check-statement.issued.v1", new_id(), 0, data)


def test_the_managing_clinic_issues_the_statement_and_another_does_not(county: County):
    record, _ = child_of(county)
    written = county.clinic.submit(statement(county, record, county.clinic.organisation))
    assert entry_data(county.parts, written.position)["derived"]["template"] == "2"
    with pytest.raises(NotServing):
        county.other_clinic.submit(statement(county, record, county.other_clinic.organisation))


def difference(county: County, record: UUID) -> Draft:
    data = {
        "record": str(record),
        "division": TOWNSHIP,
        "clinic": str(county.clinic.organisation),
        "compared_on": "2018-08-20",
        "differences": ["date"],
    }
    return Draft("paper-comparison.differed.v1", new_id(), 0, data)


def test_a_difference_that_comes_while_a_statement_is_written_wins(county: County):
    """S-9."""
    record, _ = child_of(county)
    draft = statement(county, record, county.clinic.organisation)
    body, services = county.clinic.body(draft), county.parts.services
    signed = body.statement
    decided = statements.issue(
        Writing(
            services=services,
            statement=signed,
            fields=statement_fields(EVENTS[signed.topic], signed.data),
            private=body.private,
            principal=county.clinic.principal,
            recorded_at=services.clock(),
        )
    )
    county.clinic.submit(difference(county, record))
    head = county.head()
    with pytest.raises(ClaimTaken):
        recording.record(
            services,
            decided,
            key=draft.idempotency_key,
            request=recording.request_digest(body.envelope.payload),
            signed=recording.signed_of(body, county.clinic.organisation),
        )
    with pytest.raises(PaperDiffers):
        county.clinic.submit(draft)
    assert county.head() == head


def claim(county: County, record: UUID, who: Principal, **changes: Any) -> Written:
    request = {"record": str(record), "has_consented": True, **changes}
    return county.parts.desk.certificates.claim(who, uuid4(), request)


def test_one_of_two_parents_claims_and_the_other_is_told_to_ask_for_a_grant(county: County):
    record, _ = child_of(county)
    written = claim(county, record, guardian())
    data = entry_data(county.parts, written.position)
    assert data["derived"]["on_behalf_of"] == data["holder"]
    assert len(data["derived"]["identifier"]) == 32
    with pytest.raises(AlreadyClaimed):
        claim(county, record, guardian())


def test_two_claims_at_once_have_one_winner(county: County):
    record, _ = child_of(county)

    def attempt(_: int) -> str:
        try:
            claim(county, record, guardian())
        except AlreadyClaimed:
            return "lost"
        return "won"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(8))) == ["lost"] * 7 + ["won"]


def test_who_comes_of_age_takes_the_certificate_over(county: County):
    own = id_number()
    draft, child = registration(county.clinic, number=own)
    county.clinic.submit(draft)
    given = dose(county.clinic, draft.stream, child, 1, occurred_on="2021-01-05")
    county.clinic.submit(replace(given, data={**given.data, "expires_on": "2022-01-31"}))
    held = claim(county, draft.stream, guardian()).stream
    services = county.parts.desk.certificates._services
    rules = services.rules
    later = replace(rules.certificates, claims=replace(rules.claims, adult_age=10))
    console = Console(replace(services, rules=replace(rules, certificates=later)))
    grown = replace(guardian(own), role=Role.ADULT)
    for who in (guardian(), grown):
        with pytest.raises(NotFound):
            console.use.shown(who, held)
    assert draft.stream not in {one.record for one in console.candidates(guardian())}
    (candidate,) = console.candidates(grown)
    assert candidate.record == draft.stream
    request = {"record": str(draft.stream), "has_consented": True}
    taken_over = console.claim(grown, uuid4(), request).stream
    assert console.use.shown(grown, taken_over).holder == child
    former = county.parts.desk.certificates._reading().load(Certificate, held)
    assert former.is_released
    with pytest.raises(AlreadyClaimed):
        console.claim(grown, uuid4(), request)


def test_a_stranger_cannot_claim_and_consent_is_needed(county: County):
    record, _ = child_of(county)
    with pytest.raises(ParentIdMismatch):
        claim(county, record, guardian(FATHER))
    with pytest.raises(NoConsent):
        claim(county, record, guardian(), has_consented=False)
    with pytest.raises(Forbidden):
        claim(county, record, county.clinic.principal)


def grantee(n: int) -> dict[str, str]:
    body = f"41029919800101{n:03}"
    return {
        "name": f"亲属{n}",
        "id_number": body + checksum(body),
        "phone": f"138000{n:05}",
        "relation": "祖父",
    }


def grant(county: County, certificate: UUID, values: dict[str, str], who: Principal) -> Written:
    request = {"relation": "grandfather", "scope": ["view"], "grantee": values}
    return county.parts.desk.certificates.grant(who, uuid4(), certificate, request)


def test_ten_persons_and_no_eleventh_and_the_same_person_is_not_an_eleventh(county: County):
    record, _ = child_of(county)
    certificate = claim(county, record, guardian()).stream
    for n in range(10):
        grant(county, certificate, grantee(n), guardian())
    with pytest.raises(AlreadyGranted):
        grant(county, certificate, grantee(3), guardian())
    with pytest.raises(GrantLimit):
        grant(county, certificate, grantee(10), guardian())
    without_phone = {name: value for name, value in grantee(11).items() if name != "phone"}
    with pytest.raises(MissingPhone):
        grant(county, certificate, without_phone, guardian())


def test_of_many_grants_at_once_one_is_the_tenth_and_none_the_eleventh(county: County):
    record, _ = child_of(county)
    certificate = claim(county, record, guardian()).stream
    for n in range(9):
        grant(county, certificate, grantee(n), guardian())

    def grant_to(n: int) -> bool:
        try:
            grant(county, certificate, grantee(n), guardian())
        except (GrantLimit, VersionConflict):  # who lost the race thrice is told to ask again
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        granted = list(pool.map(grant_to, range(9, 15)))
    assert sum(granted) == 1
    loaded = county.parts.journal.repository.get(certificate)
    assert isinstance(loaded, Certificate)
    assert len(loaded.active_grants(today())) == 10


def test_only_the_holder_grants_and_grantees_may_view(county: County):
    record, _ = child_of(county)
    certificate = claim(county, record, guardian()).stream
    grant(county, certificate, grantee(1), guardian())
    console = county.parts.desk.certificates
    loaded = county.parts.journal.repository.get(certificate)
    assert isinstance(loaded, Certificate)
    viewer = replace(
        guardian(),
        subject="viewer",
        identity=VerifiedIdentity("亲属1", grantee(1)["id_number"], None, face_verified=True),
    )
    assert console.use.may_view(viewer, loaded)
    assert not console.use.may_view(guardian(FATHER), loaded)
    with pytest.raises(NotFound):
        grant(county, certificate, grantee(2), viewer)


def test_a_released_certificate_can_be_claimed_again(county: County):
    record, _ = child_of(county)
    certificate = claim(county, record, guardian()).stream
    console = county.parts.desk.certificates
    console.release(guardian(), uuid4(), certificate, {"reason": "guardianship-ended"})
    assert claim(county, record, guardian()).stream != certificate


def test_a_claim_sent_twice_is_answered_once(county: County):
    record, _ = child_of(county)
    console, key = county.parts.desk.certificates, uuid4()
    request = {"record": str(record), "has_consented": True}
    first = console.claim(guardian(), key, request)
    head = county.head()
    again = console.claim(guardian(), key, request)
    assert (again.position, again.stream, again.replayed) == (first.position, first.stream, True)
    assert county.head() == head


def test_the_pending_list_shows_ones_children(county: County):
    record, _ = child_of(county)
    found = county.parts.desk.certificates.candidates(guardian())
    assert record in {candidate.record for candidate in found}
