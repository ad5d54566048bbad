"""Signed writes over HTTP: answered with proofs, once however often they are sent."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

from client.http import Caller, Client
from client.receipt import Receipt
from client.signing import Draft
from client.trust import Trust
from ledger.proof import TlogProof, verify_proof
from tests.integration.api.conftest import (
    County,
    dose,
    doses_path,
    register,
    registration,
)


def test_a_write_is_answered_with_a_receipt_that_proves_it(county: County, trust: Trust):
    draft, _ = registration(county.clinic)
    write = county.clinic.sign(draft)
    answer = county.clinic.post("/v1/records", write)

    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert answer.headers["location"] == f"/v1/receipts/{body['position']}"
    Receipt.verify(body, trust).verify_write(write, county.clinic.key)
    for key in trust.keys:  # Ed25519 and ML-DSA-44, each alone
        proof = TlogProof.parse(body["proof"].encode())
        verify_proof(proof, body["entry"].encode(), [key], trust.origin)


def test_the_client_submits_and_verifies(county: County, trust: Trust):
    clinic = county.clinic
    token = county.served.token(clinic.principal)
    draft, child = registration(clinic)
    with Client(Caller(county.served.url, token, trust, clinic.key)) as client:
        assert client.submit("/v1/records", draft).entry.version == 1
        assert client.submit(doses_path(child), dose(clinic, child)).entry.version == 2


def test_the_clinic_near_the_school_makes_up_as_well_as_the_one_that_manages(county: County):
    """S-15: each in its own name, on the one record that both see."""
    child = register(county.clinic)
    for version, author in enumerate((county.clinic, county.other_clinic), 1):
        given = dose(author, replace(child, version=version), occurred_on=f"2014-0{version + 6}-15")
        assert author.post(doses_path(child), given).status_code == 201
    county.served.caught_up()
    for author in (county.clinic, county.other_clinic):
        assert len(author.get(f"/v1/records/{child.record}").json()["doses"]) == 2


def test_the_same_write_again_gets_the_same_answer(county: County):
    child = register(county.clinic)
    write = county.clinic.sign(dose(county.clinic, child))
    first = county.clinic.post(doses_path(child), write)
    head = county.served.head()

    again = county.clinic.post(doses_path(child), write)

    assert again.status_code == first.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    for member in ("position", "stream", "version", "recorded_at", "leaf", "entry"):
        assert again.json()[member] == first.json()[member]
    assert county.served.head() == head


def test_a_replayed_registration_gets_the_same_answer(county: County):
    write = county.clinic.sign(registration(county.clinic)[0])
    first = county.clinic.post("/v1/records", write)
    again = county.clinic.post("/v1/records", write)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["position"] == first.json()["position"]


def test_whoever_arrives_together_gets_an_own_answer(county: County):
    child, clinic = register(county.clinic), county.clinic
    new = [clinic.sign(registration(clinic)[0]) for _ in range(6)]
    twice = clinic.sign(registration(clinic)[0])
    late = clinic.sign(dose(clinic, replace(child, version=7)))
    sent = [
        *((write, "/v1/records", write.body(), 201) for write in (*new, twice, twice)),
        (late, doses_path(child), late.body(), 412),
        (new[0], "/v1/records", b"{", 400),
        (new[0], doses_path(child), new[0].body(), 422),
    ]
    with ThreadPoolExecutor(len(sent)) as threads:
        answers = list(
            threads.map(lambda one: clinic.send(one[1], one[2], one[0]).status_code, sent)
        )
    assert answers == [status for *_, status in sent]


def test_a_used_key_with_other_content_is_refused(county: County):
    child = register(county.clinic)
    draft = dose(county.clinic, child)
    assert county.clinic.post(doses_path(child), draft).status_code == 201
    head = county.served.head()

    # Signed anew at the stream's new version, so that nothing but the key stands in the way.
    other = replace(
        dose(county.clinic, replace(child, version=2), lot="B20140602", occurred_on="2014-10-15"),
        idempotency_key=draft.idempotency_key,
    )
    answer = county.clinic.post(doses_path(child), other)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert county.served.head() == head


def test_who_does_not_want_to_wait_gets_the_address_of_the_receipt(county: County, trust: Trust):
    write = county.clinic.sign(registration(county.clinic)[0])
    answer = county.clinic.post("/v1/records", write, prefer="respond-async")
    assert answer.status_code == 202
    location = answer.headers["location"]
    assert answer.json()["receipt"] == location

    county.served.caught_up()
    receipt = county.clinic.get(location)
    assert receipt.status_code == 200
    Receipt.verify(receipt.json(), trust).verify_write(write, county.clinic.key)


def test_receipts_go_to_authors_and_regulators_only(county: County):
    position = county.clinic.post("/v1/records", registration(county.clinic)[0]).json()["position"]
    address = f"/v1/receipts/{position}"
    assert county.regulator.get(address).status_code == 200
    refused = county.other_clinic.get(address)
    missing = county.other_clinic.get("/v1/receipts/99999999")
    assert refused.status_code == missing.status_code == 404
    assert _told(refused) == _told(missing)


def test_a_bare_proof_is_text(county: County, trust: Trust):
    body = county.clinic.post("/v1/records", registration(county.clinic)[0]).json()
    answer = county.served.http.get(
        f"/v1/receipts/{body['position']}",
        headers={**county.clinic.bearer, "Accept": "text/plain"},
    )
    assert answer.headers["content-type"].startswith("text/plain")
    proof = TlogProof.parse(answer.content)
    verify_proof(proof, body["entry"].encode(), trust.keys, trust.origin)


def test_a_contraindication_a_roll_change_and_an_amendment(county: County):
    clinic, child = county.clinic, register(county.clinic)
    base = f"/v1/records/{child.record}"
    contraindication = Draft(
        "vaccination-record.contraindication-recorded.v1",
        child.record,
        1,
        {
            "contraindication": str(uuid4()),
            "vaccine_groups": ["MCV"],
            "lasting": True,
            "valid_from": "2018-01-01",
            "clinic": str(clinic.organisation),
        },
        {child.handle: {"kind": "allergy"}},
    )
    assert_written(clinic.post(f"{base}/contraindications", contraindication))
    amendment = Draft(
        "vaccination-record.identity-amended.v1",
        child.record,
        2,
        {"person": str(child.mother), "fields": ["phone"], "reason": "new-number"},
        {child.mother: {"before": {}, "after": {"phone": "13912345678"}}},
    )
    assert_written(clinic.post(f"{base}/amendments", amendment))
    moved = Draft(
        "vaccination-record.roll-changed.v1",
        child.record,
        3,
        {"status": "moved-out", "on": "2018-06-01"},
    )
    assert_written(clinic.post(f"{base}/roll", moved))


def assert_written(answer) -> None:
    assert answer.status_code == 201, answer.text


def _told(answer) -> dict:
    """A problem without what is each request's own."""
    return {name: value for name, value in answer.json().items() if name != "request_id"}


def test_what_deserves_a_second_look_is_told_beside_the_receipt_once(county: County):
    clinic, child = county.clinic, register(county.clinic)
    late = {"vaccine": "MPSV-A", "route": "SC", "occurred_on": "2023-08-15"}
    signed = clinic.sign(dose(clinic, child, **late, expires_on="2026-01-31"))
    first = clinic.post(doses_path(child), signed)
    assert first.status_code == 201, first.text
    [remark] = first.json()["remarks"]
    assert (remark["id"], remark["severity"]) == ("older-than-scheduled", "warn")
    assert remark["zh"]
    again = clinic.post(doses_path(child), signed)
    assert again.headers["idempotency-replayed"] == "true"
    assert "remarks" not in again.json()
    quiet = clinic.post(doses_path(child), dose(clinic, replace(child, version=2)))
    assert "remarks" not in quiet.json()
