"""Bad input one by one: each has its own problem, and changes nothing."""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.body import MAX_BODY_BYTES
from client.signing import AuthorKey, Draft, SignedWrite
from commands.principal import Role
from ledger.envelope import sign_payload
from tests.drafts import id_number
from tests.integration.api.conftest import (
    Author,
    Child,
    County,
    admit,
    dose,
    doses_path,
    register,
    registration,
)


@pytest.fixture(scope="module")
def child(county: County) -> Child:
    return register(county.clinic)


@pytest.fixture
def unchanged(county: County):
    """The log is as long as before."""
    head = county.served.head()
    yield
    assert county.served.head() == head


def refused(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Check a refusal, in both languages, with a page that explains it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert any("一" <= character <= "鿿" for character in body["title"])
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


Body = Callable[[bytes], bytes]
BODIES: dict[str, tuple[Body, int, str]] = {
    "cut off": (lambda raw: raw[:-10], 400, "malformed-json"),
    "not JSON": (lambda _: b"<dose/>", 400, "malformed-json"),
    "empty": (lambda _: b"", 400, "malformed-json"),
    "not UTF-8": (lambda raw: raw + b"\xff", 400, "malformed-json"),
    "UTF-16": (lambda raw: raw.decode().encode("utf-16"), 400, "malformed-json"),
    "a member twice": (
        lambda raw: raw.replace(b'"private":', b'"private":{},"private":', 1),
        400,
        "malformed-json",
    ),
    "a float": (lambda raw: b'{"x":1.5,' + raw[1:], 400, "malformed-json"),
    "NaN": (lambda raw: b'{"x":NaN,' + raw[1:], 400, "malformed-json"),
    "a huge integer": (lambda raw: b'{"x":' + b"9" * 5000 + b"," + raw[1:], 400, "malformed-json"),
    "a lone surrogate": (lambda raw: b'{"x":"\\ud800",' + raw[1:], 400, "malformed-json"),
    "nesting bomb": (lambda _: b"[" * 30_000 + b"]" * 30_000, 400, "nested-too-deep"),
    "nesting bomb of objects": (lambda _: b'{"a":' * 10_000, 400, "nested-too-deep"),
    "all brackets": (lambda _: b"[" + b"[]," * 3_000 + b"1]", 400, "malformed-json"),
    "one member more": (lambda raw: b'{"x":1,' + raw[1:], 400, "malformed-statement"),
    "an array": (lambda raw: b"[" + raw + b"]", 400, "malformed-statement"),
    "null": (lambda _: b"null", 400, "malformed-statement"),
    "over the limit": (lambda raw: raw + b" " * MAX_BODY_BYTES, 413, "body-too-large"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_no_signed_write(county: County, child: Child, case: str):
    change, status, slug = BODIES[case]
    signed = county.clinic.sign(dose(county.clinic, child))
    answer = county.clinic.send(doses_path(child), change(signed.body()), signed)
    refused(answer, status, slug)


@pytest.mark.usefixtures("unchanged")
def test_a_body_over_the_limit_without_a_declared_length(county: County, child: Child):
    signed = county.clinic.sign(dose(county.clinic, child))

    def endless():
        for _ in range(64):
            yield b" " * 8192

    headers = {
        **county.clinic.bearer,
        "Content-Type": "application/json",
        "Idempotency-Key": str(signed.statement.idempotency_key),
        "If-Match": '"1"',
    }
    with httpx.Client(
        base_url=county.served.url, timeout=60
    ) as http:  # the server closes the connection
        answer = http.post(doses_path(child), content=endless(), headers=headers)
    refused(answer, 413, "body-too-large")
    assert answer.headers["connection"] == "close"


HEADERS: dict[str, tuple[dict[str, str | None], int, str]] = {
    "wrong media type": ({"content_type": "text/plain"}, 415, "unsupported-media-type"),
    "no media type": ({"content_type": None}, 415, "unsupported-media-type"),
    "form": ({"content_type": "multipart/form-data; boundary=x"}, 415, "unsupported-media-type"),
    "compressed": ({"content_encoding": "gzip"}, 415, "unsupported-media-type"),
    "no idempotency key": ({"idempotency_key": None}, 400, "idempotency-key-missing"),
    "idempotency key of another form": ({"idempotency_key": "1"}, 400, "idempotency-key-missing"),
    "another idempotency key": (
        {"idempotency_key": str(UUID(int=7))},
        400,
        "idempotency-key-mismatch",
    ),
    "no If-Match": ({"if_match": None}, 428, "precondition-required"),
    "If-Match of another version": ({"if_match": '"7"'}, 412, "precondition-failed"),
    "If-Match of anything": ({"if_match": "*"}, 412, "precondition-failed"),
    "no token": ({"authorization": None}, 401, "unauthenticated"),
    "not a bearer": ({"authorization": "Basic dTpw"}, 401, "unauthenticated"),
    "an empty token": ({"authorization": "Bearer"}, 401, "unauthenticated"),
    "nonsense as token": ({"authorization": "Bearer a.b.c"}, 401, "unauthenticated"),
    "a token too long": ({"authorization": "Bearer " + "a" * 9000}, 401, "unauthenticated"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_do_not_fit(county: County, child: Child, case: str):
    headers, status, slug = HEADERS[case]
    answer = county.clinic.post(doses_path(child), dose(county.clinic, child), **headers)
    refused(answer, status, slug)


def test_a_stale_version_is_answered_with_the_current_one(county: County):
    clinic, child = county.clinic, register(county.clinic)
    assert clinic.post(doses_path(child), dose(clinic, child)).status_code == 201
    head = county.served.head()
    answer = clinic.post(doses_path(child), dose(clinic, child, occurred_on="2014-10-15"))
    body = refused(answer, 412, "precondition-failed")
    assert answer.headers["etag"] == '"2"'
    assert body["facts"] == {"expected": 1, "actual": 2}
    assert county.served.head() == head


def test_a_stream_cannot_be_opened_twice(county: County):
    draft, child = registration(county.clinic)
    assert county.clinic.post("/v1/records", draft).status_code == 201
    head = county.served.head()
    again, _ = registration(county.clinic)
    answer = county.clinic.post("/v1/records", replace(again, stream=child.record))
    refused(answer, 409, "version-conflict")
    assert county.served.head() == head


# Signatures ------------------------------------------------------------------------------------


def resigned(write: SignedWrite, **changes: Any) -> SignedWrite:
    """The same signature over another payload, or what else is named."""
    return replace(write, envelope=replace(write.envelope, **changes))


@pytest.mark.usefixtures("unchanged")
def test_a_payload_changed_after_signing(county: County, child: Child):
    write = county.clinic.sign(dose(county.clinic, child))
    changed = write.envelope.payload.replace(b"A20140601", b"A20140602")
    answer = county.clinic.post(doses_path(child), resigned(write, payload=changed))
    refused(answer, 403, "signature-refused")


@pytest.mark.usefixtures("unchanged")
def test_a_flipped_bit_in_the_signature(county: County, child: Child):
    write = county.clinic.sign(dose(county.clinic, child))
    (signature,) = write.envelope.signatures
    flipped = bytes([signature.sig[0] ^ 1]) + signature.sig[1:]
    answer = county.clinic.post(
        doses_path(child), resigned(write, signatures=(replace(signature, sig=flipped),))
    )
    refused(answer, 403, "signature-refused")


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_key(county: County, child: Child):
    stranger = AuthorKey.from_seed(county.clinic.organisation, secrets.token_bytes(32))
    author = replace(county.clinic, key=stranger)
    refused(author.post(doses_path(child), dose(author, child)), 403, "key-unknown")


@pytest.mark.usefixtures("unchanged")
def test_the_key_of_another_clinic(county: County, child: Child):
    author = replace(county.clinic, key=county.other_clinic.key)
    refused(author.post(doses_path(child), dose(county.clinic, child)), 403, "key-unknown")


@pytest.mark.usefixtures("unchanged")
def test_an_envelope_of_another_payload_type(county: County, child: Child):
    write = county.clinic.sign(dose(county.clinic, child))
    other = resigned(write, payload_type="application/json")
    refused(county.clinic.post(doses_path(child), other), 400, "malformed-statement")


@pytest.mark.usefixtures("unchanged")
def test_two_signatures(county: County, child: Child):
    draft = dose(county.clinic, child)
    ours, theirs = county.clinic.sign(draft), county.other_clinic.sign(draft)
    both = (*ours.envelope.signatures, *theirs.envelope.signatures)
    answer = county.clinic.post(doses_path(child), resigned(ours, signatures=both))
    refused(answer, 400, "malformed-statement")


def test_a_revoked_key(county: County):
    clinic = admit(county.cdc, Role.CLINIC, "将撤销密钥", "clinic", "410299101")
    child = register(clinic)
    data = {"keyid": clinic.key.keyid, "reason": "compromised"}
    revocation = Draft("organisation.key-revoked.v1", clinic.organisation, 1, data)
    path = f"/v1/organisations/{clinic.organisation}/revocations"
    assert county.cdc.post(path, revocation).status_code == 201
    head = county.served.head()
    refused(clinic.post(doses_path(child), dose(clinic, child)), 403, "key-unknown")
    assert county.served.head() == head


# Statements ------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], Any]


def signed_by(author: Author, payload: dict[str, Any], write: SignedWrite) -> SignedWrite:
    """A statement of any members, signed with the author's key."""
    raw = json.dumps(payload).encode()
    return replace(write, envelope=sign_payload(raw, author.key._key))


STATEMENTS: dict[str, tuple[Change, int, str]] = {
    "another origin": (lambda s: s.update(origin="log.example/other"), 422, "wrong-origin"),
    "a topic of another address": (
        lambda s: s.update(topic="vaccination-record.roll-changed.v1"),
        422,
        "wrong-topic",
    ),
    "a topic that does not exist": (lambda s: s.update(topic="dose.v9"), 422, "wrong-topic"),
    "a topic of the platform": (
        lambda s: s.update(topic="vaccination-record.dose-corrected.v1"),
        422,
        "wrong-topic",
    ),
    "another stream than the address": (
        lambda s: s.update(stream=str(uuid4())),
        422,
        "wrong-stream",
    ),
    "a stream in capitals": (
        lambda s: s.update(stream="A" + s["stream"][1:].upper()),
        400,
        "malformed-statement",
    ),
    "a negative version": (lambda s: s.update(expected_version=-1), 400, "malformed-statement"),
    "a version as text": (lambda s: s.update(expected_version="1"), 400, "malformed-statement"),
    "a version that is true": (
        lambda s: s.update(expected_version=True),
        400,
        "malformed-statement",
    ),
    "a member too many": (lambda s: s.update(extra=1), 400, "malformed-statement"),
    "a member too few": (lambda s: s.pop("commitments"), 400, "malformed-statement"),
    "a float within": (lambda s: s["data"].update(dose_number=1.5), 400, "malformed-statement"),
    "an unknown field": (lambda s: s["data"].update(colour="red"), 422, "malformed-data"),
    "a field missing": (lambda s: s["data"].pop("lot"), 422, "malformed-data"),
    "a field of another type": (lambda s: s["data"].update(dose_number="1"), 422, "malformed-data"),
    "a server-made field": (
        lambda s: s["data"].update(derived={"effective_on": "2018-01-01"}),
        422,
        "malformed-data",
    ),
    "an impossible date": (
        lambda s: s["data"].update(occurred_on="2018-02-30"),
        422,
        "malformed-data",
    ),
    "a date of another form": (
        lambda s: s["data"].update(occurred_on="20180228"),
        422,
        "malformed-data",
    ),
    "an unknown person": (
        lambda s: s.update(commitments={str(uuid4()): next(iter(s["commitments"].values()))}),
        422,
        "commitment-mismatch",
    ),
    "another commitment": (
        lambda s: s.update(commitments=dict.fromkeys(s["commitments"], "0" * 64)),
        422,
        "commitment-mismatch",
    ),
    "no commitment": (lambda s: s.update(commitments={}), 422, "commitment-mismatch"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("case", STATEMENTS)
def test_a_statement_that_does_not_fit(county: County, child: Child, case: str):
    change, status, slug = STATEMENTS[case]
    write = county.clinic.sign(dose(county.clinic, child))
    payload = json.loads(write.statement.encode())
    change(payload)
    answer = county.clinic.post(doses_path(child), signed_by(county.clinic, payload, write))
    refused(answer, status, slug)


@pytest.mark.usefixtures("unchanged")
def test_private_values_that_do_not_open_the_commitment(county: County, child: Child):
    write = county.clinic.sign(dose(county.clinic, child))
    part = write.private[str(child.handle)]
    forged = {str(child.handle): {**part, "values": {**part["values"], "vaccinator": "钱医生"}}}
    answer = county.clinic.post(doses_path(child), replace(write, private=forged))
    refused(answer, 422, "commitment-mismatch")


@pytest.mark.usefixtures("unchanged")
def test_values_for_someone_whom_the_record_does_not_know(county: County, child: Child):
    draft = dose(county.clinic, child)
    (values,) = draft.private.values()
    answer = county.clinic.post(doses_path(child), replace(draft, private={uuid4(): values}))
    refused(answer, 422, "malformed-data")


# Doses -----------------------------------------------------------------------------------------

DOSES: dict[str, tuple[dict[str, str], str]] = {
    "in the future": ({"occurred_on": "2099-01-01", "expires_on": "2100-01-01"}, "dose-in-future"),
    "before birth": ({"occurred_on": "2014-06-14"}, "dose-before-birth"),
    "unknown vaccine": ({"vaccine": "HepZ"}, "unknown-vaccine"),
    "expired lot": ({"expires_on": "2014-08-14"}, "lot-expired"),
    "site where it is not given": ({"site": "ORAL"}, "site-not-allowed"),
    "route by which it is not given": ({"route": "PO"}, "route-not-allowed"),
    "code of another vaccine": ({"national_code": "0101"}, "national-code-mismatch"),
    "from paper without evidence": ({"source_system": "paper"}, "evidence-required"),
    "at a time of another day": ({"at": "T23:30:00-08:00"}, "time-not-on-day"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("case", DOSES)
def test_a_dose_that_cannot_be(county: County, child: Child, case: str):
    changes, slug = DOSES[case]
    answer = county.clinic.post(doses_path(child), dose(county.clinic, child, **changes))
    refused(answer, 422, slug)


def test_a_package_is_given_once(county: County):
    clinic, child = county.clinic, register(county.clinic)
    first = dose(clinic, child)
    assert clinic.post(doses_path(child), first).status_code == 201
    head = county.served.head()
    second = dose(clinic, replace(child, version=2), occurred_on="2014-10-15")
    code = first.private[child.handle]["package_code"]
    private = {child.handle: {**second.private[child.handle], "package_code": code}}
    answer = clinic.post(doses_path(child), replace(second, private=private))
    assert refused(answer, 409, "claim-taken")["facts"] == {"kind": "package-code"}
    assert county.served.head() == head


# Persons ---------------------------------------------------------------------------------------

WRONG_NUMBERS = {
    "wrong checksum": ("410299201406150010", "checksum"),
    "fifteen digits": ("410299140615001", "fifteen-digits"),
    "an impossible birth date": ("410299201402300015", "birth-date"),
    "letters": ("41029920140615ABCD", "characters"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("case", WRONG_NUMBERS)
def test_an_identity_number_that_is_none(county: County, case: str):
    number, reason = WRONG_NUMBERS[case]
    draft, _ = registration(county.clinic, number=number)
    body = refused(county.clinic.post("/v1/records", draft), 422, "invalid-id-number")
    assert body["facts"]["reason"] == reason
    assert number not in str(body)


@pytest.mark.usefixtures("unchanged")
def test_an_identity_number_of_another_birth_date(county: County):
    draft, _ = registration(county.clinic, number=id_number("20140616"))
    refused(county.clinic.post("/v1/records", draft), 422, "birth-date-mismatch")


def test_a_number_stands_in_one_record_only(county: County):
    number = id_number()
    register(county.clinic, number=number)
    head = county.served.head()
    draft, _ = registration(county.other_clinic, number=number)
    answer = county.other_clinic.post("/v1/records", draft)
    body = refused(answer, 409, "claim-taken")
    assert body["facts"] == {"kind": "id-number"}
    assert county.served.head() == head


# Permissions -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
def test_a_school_gives_no_doses(county: County, child: Child):
    answer = county.school.post(doses_path(child), dose(county.school, child))
    refused(answer, 403, "forbidden")


@pytest.mark.usefixtures("unchanged")
def test_a_clinic_in_the_name_of_another(county: County, child: Child):
    draft = dose(county.clinic, child)
    refused(county.other_clinic.post(doses_path(child), draft), 403, "forbidden")


@pytest.mark.usefixtures("unchanged")
def test_a_record_of_another_clinic_is_not_moved(county: County, child: Child):
    data = {"status": "moved-out", "on": "2018-06-01"}
    draft = Draft("vaccination-record.roll-changed.v1", child.record, 1, data)
    answer = county.other_clinic.post(f"/v1/records/{child.record}/roll", draft)
    refused(answer, 403, "forbidden")


@pytest.mark.usefixtures("unchanged")
def test_a_record_of_another_county(county: County, child: Child):
    answer = county.far_clinic.post(doses_path(child), dose(county.far_clinic, child))
    refused(answer, 404, "not-found")


@pytest.mark.usefixtures("unchanged")
def test_a_record_that_does_not_exist(county: County):
    nobody = Child(uuid4(), uuid4(), uuid4(), "")
    answer = county.clinic.post(doses_path(nobody), dose(county.clinic, nobody))
    refused(answer, 404, "not-found")


@pytest.mark.usefixtures("unchanged")
def test_a_clinic_admits_no_organisations(county: County):
    stream = uuid4()
    data = {"name": "假门诊", "kind": "clinic", "division": "410299101"}
    draft = Draft("organisation.registered.v1", stream, 0, data)
    refused(county.clinic.post("/v1/organisations", draft), 403, "forbidden")


@pytest.mark.usefixtures("unchanged")
def test_a_county_admits_nobody_elsewhere(county: County):
    data = {"name": "外县门诊", "kind": "clinic", "division": "410288101"}
    draft = Draft("organisation.registered.v1", uuid4(), 0, data)
    refused(county.cdc.post("/v1/organisations", draft), 403, "forbidden")


@pytest.mark.usefixtures("unchanged")
def test_a_key_whose_private_half_nobody_showed(county: County):
    stream, key = uuid4(), AuthorKey.from_seed(uuid4(), secrets.token_bytes(32))
    data = {
        "name": "新门诊",
        "kind": "clinic",
        "division": "410299101",
        "public_key": key.public.hex(),
        "key_proof": key.proof_of_possession(county.served.parts.settings.origin),
    }
    draft = Draft("organisation.registered.v1", stream, 0, data)
    refused(county.cdc.post("/v1/organisations", draft), 422, "key-refused")


# What the caller reads -------------------------------------------------------------------------


def test_titles_come_in_english_for_those_who_ask(county: County, child: Child):
    path, draft = doses_path(child), dose(county.clinic, child, vaccine="HepZ")
    chinese = county.clinic.post(path, draft)
    english = county.clinic.post(path, draft, accept_language="en-GB,en;q=0.9,zh;q=0.1")
    assert chinese.headers["content-language"] == "zh-CN"
    assert chinese.json()["title"] == "疫苗目录中没有该疫苗。"
    assert english.headers["content-language"] == "en"
    assert english.json()["title"] == "The catalogue has no such vaccine."


def test_addresses_and_methods_that_do_not_exist(county: County):
    refused(county.served.http.get("/v1/nothing"), 404, "not-found")
    wrong = county.served.http.delete("/v1/records")
    refused(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"
