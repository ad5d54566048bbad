"""The desk on real databases: what is signed is what is stored, and what is refused leaves none."""

from dataclasses import replace
from uuid import uuid4

import pytest

from client.signing import AuthorKey, Draft
from commands.desk import Desk
from commands.directory import Directory
from commands.errors import (
    CommitmentMismatch,
    KeyUnknown,
    NotFound,
    Restricted,
    SignatureRefused,
    WrongOrigin,
)
from commands.signed_body import SignedBody
from domain.dose_policy import DoseBeforeBirth, DoseInFuture
from domain.errors import InvalidIdNumber
from ledger.entry import Entry
from ledger.jcs import parse
from ledger.store.errors import ClaimTaken, KeyReused, VersionConflict
from tests.integration.commands.conftest import (
    OTHER_COUNTY,
    County,
    admit,
    dose,
    entry_data,
    registration,
)


def test_a_child_is_registered_and_given_a_dose(county: County):
    draft, child = registration(county.clinic)
    registered = county.clinic.submit(draft)
    given = county.clinic.submit(dose(county.clinic, draft.stream, child, 1))
    assert (registered.version, given.version) == (1, 2)
    entry = Entry.decode(county.parts.reader.recorded(given.position))
    assert entry.author.org == str(county.clinic.organisation)
    assert entry.division == "410299101"
    assert {seal.subject for seal in entry.sealed} == {str(child)}
    assert "赵医生" not in county.parts.reader.recorded(given.position).decode()


def test_the_same_write_again_gets_the_first_answer(county: County):
    draft, _ = registration(county.clinic)
    first = county.clinic.submit(draft)
    body = county.clinic.body(draft)
    head = county.head()
    # The same envelope bytes: Ed25519 is deterministic, the salts are not, so the body is reused.
    with pytest.raises(KeyReused):
        county.clinic.parts.desk.submit(body, county.clinic.principal, draft.idempotency_key)
    assert county.head() == head
    assert first.replayed is False


def test_a_replayed_body_is_answered_and_not_stored_twice(county: County):
    draft, _ = registration(county.clinic)
    body = county.clinic.body(draft)
    desk = county.parts.desk
    first = desk.submit(body, county.clinic.principal, draft.idempotency_key)
    head = county.head()
    again = desk.submit(body, county.clinic.principal, draft.idempotency_key)
    assert (again.position, again.version, again.replayed) == (first.position, 1, True)
    assert county.head() == head


def test_two_doses_from_one_version_have_one_winner(county: County):
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    county.clinic.submit(dose(county.clinic, draft.stream, child, 1))
    with pytest.raises(VersionConflict):
        county.clinic.submit(dose(county.clinic, draft.stream, child, 1, vaccine="BCG"))


def test_what_another_process_wrote_meanwhile_is_seen(county: County):
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    county.clinic.submit(dose(county.clinic, draft.stream, child, 1))
    directory = Directory(county.parts.journal)
    elsewhere = Desk(replace(county.parts.services, directory=directory))
    other = dose(county.clinic, draft.stream, child, 2)
    elsewhere.submit(county.clinic.body(other), county.clinic.principal, other.idempotency_key)
    with pytest.raises(VersionConflict) as refused:
        county.clinic.submit(dose(county.clinic, draft.stream, child, 2, vaccine="BCG"))
    assert refused.value.actual == 3
    assert county.clinic.submit(dose(county.clinic, draft.stream, child, 3)).version == 4


def test_a_record_that_another_process_restricted_takes_no_dose(county: County):
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    county.clinic.submit(dose(county.clinic, draft.stream, child, 1))
    directory = Directory(county.parts.journal)
    elsewhere = Desk(replace(county.parts.services, directory=directory))
    data = {"organisation": str(county.cdc.organisation), "reason": "accuracy-disputed"}
    restricted = Draft("vaccination-record.restricted.v1", draft.stream, 2, data)
    elsewhere.submit(county.cdc.body(restricted), county.cdc.principal, restricted.idempotency_key)
    with pytest.raises(Restricted):
        county.clinic.submit(dose(county.clinic, draft.stream, child, 2))


def test_a_package_is_given_once(county: County):
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    first = dose(county.clinic, draft.stream, child, 1)
    county.clinic.submit(first)
    second = dose(county.clinic, draft.stream, child, 2)
    stolen = {
        child: {**second.private[child], "package_code": first.private[child]["package_code"]}
    }
    with pytest.raises(ClaimTaken):
        county.clinic.submit(replace(second, private=stolen))


def test_a_number_belongs_to_one_record(county: County):
    number = "410200201602290016"
    first, _ = registration(county.clinic, number=number, birth_date="2016-02-29")
    county.clinic.submit(first)
    second, _ = registration(county.clinic, number=number, birth_date="2016-02-29")
    with pytest.raises(ClaimTaken):
        county.clinic.submit(second)


def test_siblings_share_a_guardian_and_a_stranger_cannot_be_attached(county: County):
    first, child = registration(county.clinic)
    county.clinic.submit(first)
    mother = next(who for who in first.private if who != child)
    second, second_child = registration(county.clinic)
    own = next(who for who in second.private if who != second_child)
    shared = {
        second_child: second.private[second_child],
        mother: first.private[mother],
    }
    data = {**second.data, "guardians": [{"person": str(mother), "relation": "mother"}]}
    assert county.clinic.submit(replace(second, data=data, private=shared)).version == 1
    third, third_child = registration(county.clinic)
    attack = {
        third_child: third.private[third_child],
        mother: {**second.private[own], "id_number": "410200201602290016"},
    }
    data = {**third.data, "guardians": [{"person": str(mother), "relation": "mother"}]}
    with pytest.raises(ClaimTaken):
        county.clinic.submit(replace(third, data=data, private=attack))


def test_dates_and_numbers_that_cannot_be_are_refused(county: County):
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    head = county.head()
    with pytest.raises(DoseBeforeBirth):
        county.clinic.submit(dose(county.clinic, draft.stream, child, 1, occurred_on="2014-06-14"))
    with pytest.raises(DoseInFuture):
        county.clinic.submit(
            dose(
                county.clinic,
                draft.stream,
                child,
                1,
                occurred_on="2999-01-01",
                expires_on="2999-12-31",
            )
        )
    wrong, _ = registration(county.clinic, number="410200201602290017", birth_date="2016-02-29")
    with pytest.raises(InvalidIdNumber):
        county.clinic.submit(wrong)
    assert county.head() == head


def test_a_clinic_of_another_county_is_refused(county: County):
    stranger = admit(
        county.operator, county.clinic.principal.role, "外县门诊", "clinic", OTHER_COUNTY
    )
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    with pytest.raises(NotFound):
        stranger.submit(dose(stranger, draft.stream, child, 1))


def test_a_key_that_is_not_the_callers_is_unknown(county: County):
    draft, _ = registration(county.clinic)
    signed = AuthorKey.from_seed(county.clinic.organisation, b"\1" * 32)
    with pytest.raises(KeyUnknown):
        replace(county.clinic, key=signed).submit(draft)


def test_a_changed_payload_does_not_verify(county: County):
    draft, _ = registration(county.clinic)
    body = county.clinic.body(draft)
    other = county.clinic.body(registration(county.clinic)[0])
    forged = replace(body, envelope=replace(other.envelope, payload=body.envelope.payload))
    with pytest.raises(SignatureRefused):
        county.parts.desk.submit(forged, county.clinic.principal, draft.idempotency_key)


def test_a_statement_for_another_log_is_refused(county: County):
    draft, _ = registration(county.clinic)
    signed = county.clinic.key.sign("other.example/log", draft)
    body = SignedBody.parse(parse(signed.body()))
    with pytest.raises(WrongOrigin):
        county.parts.desk.submit(body, county.clinic.principal, draft.idempotency_key)


def test_values_that_were_not_committed_to_are_refused(county: County):
    draft, child = registration(county.clinic)
    signed = county.clinic.key.sign(county.parts.settings.origin, draft)
    raw = parse(signed.body())
    raw["private"][str(child)]["values"]["name"] = "张三"
    with pytest.raises(CommitmentMismatch):
        SignedBody.parse(raw)


def test_a_revoked_key_signs_nothing_more(county: County):
    clinic = admit(county.cdc, county.clinic.principal.role, "第三门诊", "clinic", "410299101")
    draft, _ = registration(clinic)
    clinic.submit(draft)
    revoked = {"keyid": clinic.key.keyid, "reason": "lost"}
    county.cdc.submit(Draft("organisation.key-revoked.v1", clinic.organisation, 1, revoked))
    with pytest.raises(KeyUnknown):
        clinic.submit(registration(clinic)[0])


def test_a_revoked_key_gives_its_organisation_no_other_key(county: County):
    clinic = admit(county.cdc, county.clinic.principal.role, "第四门诊", "clinic", "410299101")
    clinic.submit(registration(clinic)[0])  # the organisation is in memory, with its key
    revoked = {"keyid": clinic.key.keyid, "reason": "lost"}
    revocation = Draft("organisation.key-revoked.v1", clinic.organisation, 1, revoked)
    directory = Directory(county.parts.journal)
    elsewhere = Desk(replace(county.parts.services, directory=directory))  # as in another process
    elsewhere.submit(county.cdc.body(revocation), county.cdc.principal, revocation.idempotency_key)
    another = AuthorKey.from_seed(clinic.organisation, bytes(range(32)))
    data = {
        "public_key": another.public.hex(),
        "key_proof": another.proof_of_possession(county.parts.settings.origin),
    }
    with pytest.raises(KeyUnknown):
        clinic.submit(Draft("organisation.key-registered.v1", clinic.organisation, 2, data))


def test_an_applied_correction_restates_the_dose_in_the_same_transaction(county: County):
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    given = dose(county.clinic, draft.stream, child, 1)
    county.clinic.submit(given)
    clinic = {"clinic": str(county.clinic.organisation)}
    correction = Draft(
        "correction.requested.v1",
        uuid4(),
        0,
        {
            "record": str(draft.stream),
            "dose": given.data["dose"],
            "division": "410299101",
            "kind": "amend",
            "changes": [{"field": "lot", "before": "A20140601", "after": "B20140601"}],
            "urgency": "next-day",
            "reason": "wrong-lot",
            "requested_by": "clinic",
            **clinic,
        },
        {child: {"before": {"vaccinator": "赵医生"}, "after": {"vaccinator": "钱医生"}}},
    )
    county.clinic.submit(correction)
    county.clinic.submit(Draft("correction.verified.v1", correction.stream, 1, clinic))
    applied = county.clinic.submit(Draft("correction.applied.v1", correction.stream, 2, clinic))
    restated = Entry.decode(county.parts.reader.recorded(applied.position + 1))
    assert restated.topic == "vaccination-record.dose-corrected.v1"
    assert restated.author.org == str(county.parts.secrets.platform)
    assert restated.data["derived"]["cause"] == {"stream": str(correction.stream), "version": 3}
    assert {seal.subject for seal in restated.sealed} == {str(child)}
    effective = entry_data(county.parts, applied.position)["derived"]["effective_on"]
    assert restated.data["derived"]["effective_on"] == effective
