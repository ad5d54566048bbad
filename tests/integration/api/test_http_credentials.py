"""Offline credentials over HTTP: issued, verified without us, corrected, revoked, rotated."""

import json
import os
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import cbor2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from certificates.errors import UnknownIssuer
from certificates.history import History
from certificates.school_verdict import EntryType, Outcome, SchoolVerdict
from certificates.signing import ES256, PublicKey
from certificates.status import verify_status_list
from certificates.trust import verify_trust_list
from certificates.verify import Verdict, Verification, verify
from client.signing import Draft
from commands.credentials import Outdated, Wanted
from domain.credential import Content
from domain.vocabulary import EntryType as Entry
from tests.days import today, tomorrow
from tests.drafts import id_number
from tests.integration.api.conftest import (
    Author,
    Child,
    County,
    citizen,
    dose,
    doses_path,
    register,
)
from tests.integration.api.family import ok
from tests.integration.api.grants import grant, revoke
from tests.pdfs import image_of, text_of
from tests.qr_codes import blotted, pixels, read_back


@dataclass
class Carrier:
    """A child with two doses whose mother holds the certificate."""

    county: County
    child: Child
    mother: Author
    certificate: UUID
    doses: list[str]

    @property
    def path(self) -> str:
        return f"/v1/certificates/{self.certificate}/credential"

    def carried(self) -> dict:
        answer = self.mother.get(self.path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def verdict(self, entry_type: str = "primary") -> dict:
        answer = self.mother.get(
            f"/v1/certificates/{self.certificate}/school-verdict", entry_type=entry_type
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


def carrier(county: County) -> Carrier:
    mother_number = id_number("19880303", is_female=True)
    child = register(county.clinic, number=id_number(), mother_number=mother_number)
    drafts = [
        dose(county.clinic, replace(child, version=version), occurred_on=day)
        for version, day in ((1, "2014-08-15"), (2, "2014-09-20"))
    ]
    for draft in drafts:
        ok(county.clinic.post(doses_path(child), draft))
    mother = citizen(county.served, mother_number)
    body = {"record": str(child.record), "has_consented": True}
    claimed = ok(mother.call("/v1/certificates", body))
    county.served.caught_up()
    return Carrier(
        county,
        replace(child, version=3),
        mother,
        UUID(claimed.json()["stream"]),
        [draft.data["dose"] for draft in drafts],
    )


def lists_of(county: County, number: int = 0):
    """What a verifier fetches and keeps: root, trust list, both status lists."""
    http = county.served.http
    pem = http.get("/certificates/root").content
    spki = load_pem_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    trust = verify_trust_list(
        http.get("/certificates/trust-list").content, [PublicKey(ES256, spki)]
    )
    paths = (f"/certificates/status/{number}", f"/certificates/status/{number}/superseded")
    return trust, [verify_status_list(http.get(path).content, trust) for path in paths]


def verified(county: County, text: str) -> Verification:
    trust, statuses = lists_of(county)
    return verify(text, trust, statuses, datetime.now(UTC))


def verdict_within_a_minute(county: County, text: str, expected: Verdict) -> Verification:
    """Lists are signed anew when something changed, at most once a second."""
    deadline = time.monotonic() + 60
    while (found := verified(county, text)).verdict is not expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def held(county: County) -> Carrier:
    return carrier(county)


def test_a_credential_holds_all_doses_and_verifies_without_us(county: County, held: Carrier):
    carried = held.carried()
    found = verified(county, carried["credential"])
    assert found.verdict is Verdict.VALID, found
    assert found.credential is not None
    shown = found.credential.content
    assert isinstance(shown, History)
    assert shown.holder.name == "王小明"
    assert shown.holder.birth_date.isoformat() == "2014-06-15"
    assert [one.day.isoformat() for one in shown.doses] == ["2014-08-15", "2014-09-20"]
    assert {one.clinic for one in shown.doses} == {
        f"410299101-{county.clinic.organisation.hex[-6:].upper()}"
    }
    assert shown.effective_on == today()
    root = county.served.parts.reader.root(carried["position"])
    assert (shown.log.position, shown.log.root_prefix) == (carried["position"], root[:8])
    assert carried["expires_at"] > carried["issued_at"]


def test_nothing_of_a_number_is_in_a_credential(county: County, held: Carrier):
    """C-3: the identifier is random; no number, and no digest of one, is in the signed bytes."""
    from hashlib import sha256

    from certificates.container import decode_container

    raw = decode_container(held.carried()["credential"])
    for number in (held.child.mother_number,):
        for trace in (number.encode(), sha256(number.encode()).digest()[:8], number[-8:].encode()):
            assert trace not in raw
    record = held.child.record
    assert record.bytes not in raw
    assert held.child.handle.bytes not in raw


def test_what_is_unchanged_is_handed_out_again_byte_for_byte(held: Carrier):
    first, again = held.carried(), held.carried()
    assert first["credential"] == again["credential"]
    assert first["position"] == again["position"]


def test_sixteen_who_ask_at_once_get_one_credential(county: County):
    family = carrier(county)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: family.carried()["credential"], range(16)))
    assert len(set(answers)) == 1
    events = county.served.parts.reader.stream(family.certificate)
    assert sum(b"credential-issued" in raw for _, raw, _ in events) == 1


def test_a_new_dose_makes_a_new_credential_and_leaves_the_old_one_true(county: County):
    family = carrier(county)
    old = family.carried()["credential"]
    given = dose(county.clinic, family.child, occurred_on="2014-12-20")
    ok(county.clinic.post(doses_path(family.child), given))
    new = family.carried()["credential"]
    content = verified(county, new).credential.content
    assert len(content.doses) == 3
    assert verified(county, old).verdict is Verdict.VALID


def test_the_code_is_read_back_by_another_decoder_also_with_a_blot(held: Carrier):
    text = held.carried()["credential"]
    headers = held.mother.bearer | {"Accept": "image/png"}
    answer = held.county.served.http.get(held.path, headers=headers)
    assert answer.headers["content-type"] == "image/png"
    image = pixels(answer.content)
    assert read_back(image) == text
    assert read_back(blotted(image, 0.03)) == text
    drawn = held.county.served.http.get(held.path, headers=headers | {"Accept": "image/svg+xml"})
    assert b"<svg" in drawn.content


def test_a_school_verdict_names_what_is_to_be_made_up_and_nothing_else(
    county: County, held: Carrier
):
    carried = held.verdict("primary")
    found = verified(county, carried["credential"])
    assert found.verdict is Verdict.VALID
    said = found.credential.content
    assert isinstance(said, SchoolVerdict)
    assert said.outcome is Outcome.TO_MAKE_UP
    assert said.entry_type is EntryType.PRIMARY
    assert ("HepB", (3,)) in {(gap.vaccine_group, gap.dose_numbers) for gap in said.missing}
    assert (found.credential.expires_at - found.credential.issued_at).days <= 60
    assert held.verdict("primary")["credential"] == carried["credential"]
    assert held.verdict("kindergarten")["credential"] != carried["credential"]


def test_a_verdict_says_nothing_of_a_contraindication_but_that_nothing_is_to_be_made_up(
    county: County,
):
    family = carrier(county)
    before = verified(county, family.verdict()["credential"]).credential.content
    data = {
        "contraindication": str(uuid4()),
        "vaccine_groups": sorted({gap.vaccine_group for gap in before.missing}),
        "lasting": True,
        "valid_from": "2016-01-05",
        "clinic": str(county.clinic.organisation),
    }
    against = Draft(
        "vaccination-record.contraindication-recorded.v1",
        family.child.record,
        family.child.version,
        data,
        {family.child.handle: {"kind": "allergy"}},
    )
    path = f"/v1/records/{family.child.record}/contraindications"
    ok(county.clinic.post(path, against))
    after = verified(county, family.verdict()["credential"]).credential.content
    assert after.outcome is Outcome.NOT_TO_MAKE_UP
    assert after.missing == ()


def test_who_may_not_see_a_certificate_learns_nothing_of_credentials(county: County, held: Carrier):
    stranger = citizen(county.served, id_number("19790101"), name="赵六")
    answers = [
        stranger.get(f"/v1/certificates/{which}/{what}", **params)
        for which in (held.certificate, uuid4())
        for what, params in (("credential", {}), ("school-verdict", {"entry_type": "primary"}))
    ]
    told = [
        {name: value for name, value in answer.json().items() if name != "request_id"}
        for answer in answers
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert told[1:] == told[:-1]
    assert county.clinic.get(held.path).status_code == 403
    assert county.served.http.get(held.path).status_code == 401


def test_a_grantee_carries_the_same_credential_until_the_grant_ends(county: County):
    family = carrier(county)
    number = id_number("19600101", is_female=True)
    granted = ok(grant(family.mother, family.certificate, number))
    county.served.caught_up()
    grandmother = citizen(county.served, number, name="张桂英")
    answer = grandmother.get(family.path)
    assert answer.status_code == 200
    assert answer.json()["credential"] == family.carried()["credential"]
    ok(revoke(family.mother, family.certificate, granted))
    assert grandmother.get(family.path).status_code == 404


# Corrections -----------------------------------------------------------------------------------


def correct(family: Carrier, which: str, urgency: str) -> None:
    """Another lot, asked for, verified and applied by the clinic."""
    clinic, correction = family.county.clinic, uuid4()
    acting = {"clinic": str(clinic.organisation)}
    asked = {
        "record": str(family.child.record),
        "dose": which,
        "division": clinic.principal.division,
        "kind": "amend",
        "changes": [{"field": "lot", "before": "202311A01", "after": "202399X99"}],
        "urgency": urgency,
        "reason": "typing-error",
        "requested_by": "clinic",
        **acting,
    }
    shown = clinic.get(f"/v1/records/{family.child.record}").json()
    asked["changes"][0]["before"] = shown["doses"][0]["lot"]
    path = "/v1/corrections"
    ok(clinic.post(path, Draft("correction.requested.v1", correction, 0, asked)))
    for version, step, place in ((1, "verified", "verification"), (2, "applied", "application")):
        draft = Draft(f"correction.{step}.v1", correction, version, acting)
        ok(clinic.post(f"{path}/{correction}/{place}", draft))
    family.county.served.caught_up()


def renew(county: County) -> int:
    """The custodian's round."""
    parts, views = county.served.parts, county.served.views
    found = [
        Outdated(row.certificate, row.credential, Content(row.content), row.entry_type)
        for row in views.credentials.outdated(today())
    ]
    return parts.issuing.renew(found, views.positions.lowest())


def test_an_urgent_correction_revokes_at_once_and_reissues_in_one_event(county: County):
    family = carrier(county)
    old, old_verdict = family.carried()["credential"], family.verdict()["credential"]
    correct(family, family.doses[0], "immediate")
    verdict_within_a_minute(county, old, Verdict.REVOKED)
    assert renew(county) == 2
    county.served.caught_up()
    verdict_within_a_minute(county, old, Verdict.SUPERSEDED)
    verdict_within_a_minute(county, old_verdict, Verdict.SUPERSEDED)
    held = family.mother.get(f"/my/{family.certificate}/credentials").text
    assert held.count("更正后已换新") == 2
    new = family.carried()
    assert {one.lot for one in verified(county, new["credential"]).credential.content.doses} > {
        "202399X99"
    }
    head = county.served.head()
    assert renew(county) == 0
    assert county.served.head() == head


def test_a_correction_of_today_leaves_todays_credential_in_force_until_midnight(county: County):
    """C-21."""
    family = carrier(county)
    old = family.carried()
    correct(family, family.doses[0], "next-day")
    credentials = county.served.views.credentials
    day, next_day = today(), tomorrow()
    assert verified(county, old["credential"]).verdict is Verdict.VALID
    assert credentials.outdated(day, family.certificate) == []
    (found,) = credentials.outdated(next_day, family.certificate)
    index = old["status_index"]
    assert index not in credentials.status(0, day).ended
    assert index in credentials.status(0, next_day).ended
    assert index not in credentials.status(0, next_day).superseded
    # Asked for again before midnight it is issued anew, still with today's content.
    asked = family.carried()["credential"]
    assert len(credentials.outdated(next_day, family.certificate)) >= 1
    assert verified(county, asked).verdict is Verdict.VALID
    assert found.content == "history"


def test_what_was_merged_is_shown_and_a_separation_takes_it_out(county: County):
    family = carrier(county)
    clinic = county.clinic
    other = register(clinic, mother_number=family.child.mother_number)
    given = dose(clinic, other, occurred_on="2015-03-01")
    ok(clinic.post(doses_path(other), given))
    alone = family.carried()["credential"]
    asked = {
        "organisation": str(clinic.organisation),
        "duplicate": str(other.record),
        "duplicate_version": 2,
        "reason": "same-person",
    }
    path = f"/v1/records/{family.child.record}/merges"
    merged = Draft("vaccination-record.merged.v1", family.child.record, 3, asked)
    ok(clinic.post(path, merged))
    both = family.carried()["credential"]
    assert len(verified(county, both).credential.content.doses) == 3
    assert verified(county, alone).verdict is Verdict.VALID
    correct(replace(family, child=other), given.data["dose"], "immediate")
    verdict_within_a_minute(county, both, Verdict.REVOKED)
    corrected = family.carried()["credential"]
    verdict_within_a_minute(county, both, Verdict.SUPERSEDED)
    del asked["duplicate_version"]
    asked["reason"] = "another-person"
    parted = Draft("vaccination-record.separated.v1", family.child.record, 4, asked)
    ok(clinic.post(path, parted))
    verdict_within_a_minute(county, corrected, Verdict.REVOKED)
    again = family.carried()["credential"]
    assert len(verified(county, again).credential.content.doses) == 2


def test_a_released_certificate_takes_its_credentials_with_it(county: County):
    family = carrier(county)
    text = family.carried()["credential"]
    released = f"/v1/certificates/{family.certificate}/release"
    ok(family.mother.call(released, {"reason": "change-of-holder"}))
    verdict_within_a_minute(county, text, Verdict.REVOKED)
    assert family.mother.get(family.path).status_code == 404


def test_a_lost_credential_is_revoked_and_the_next_one_is_another(county: County):
    family = carrier(county)
    first, verdict = family.carried(), family.verdict()
    path = f"/v1/certificates/{family.certificate}/credential-revocations"
    lost = {"credential": first["id"], "reason": "lost"}
    stranger = citizen(county.served, id_number("19790101"), name="赵六")
    assert stranger.call(path, lost).status_code == 404
    ok(family.mother.call(path, lost))
    verdict_within_a_minute(county, first["credential"], Verdict.REVOKED)
    assert verified(county, verdict["credential"]).verdict is Verdict.VALID
    second = family.carried()
    assert second["id"] != first["id"]
    assert verified(county, second["credential"]).verdict is Verdict.VALID
    again = family.mother.call(path, lost)
    assert again.json()["type"] == "/problems/unknown_credential"


def test_two_renewals_at_once_supersede_once(county: County):
    family = carrier(county)
    family.carried()
    correct(family, family.doses[0], "immediate")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: renew(county), range(4)))
    county.served.caught_up()
    events = county.served.parts.reader.stream(family.certificate)
    assert sum(b"credential-issued" in raw for _, raw, _ in events) == 2


# Keys and lists --------------------------------------------------------------------------------


def test_after_a_rotation_both_keys_verify_and_the_newest_signs(county: County):
    family = carrier(county)
    keys = county.served.parts.credential_keys
    old, first = family.carried()["credential"], keys.newest.key_id
    keys.rotate()
    assert keys.newest.key_id != first
    new = family.carried()["credential"]
    assert new != old
    assert [verified(county, text).verdict for text in (old, new)] == [Verdict.VALID] * 2
    trust, _ = lists_of(county)
    assert len(trust.keys) == len(keys.signers())


def test_a_signer_that_was_taken_away_takes_with_it_what_it_signed(
    county: County, tmp_path_factory
):
    family = carrier(county)
    text = family.carried()["credential"]
    keys = county.served.parts.credential_keys
    compromised = keys.newest
    keys.rotate()
    folder = county.served.parts.settings.data_dir / "secrets" / "credentials"
    (path,) = [
        file for file in folder.glob("signer-*") if compromised.der == _der(file.read_bytes())
    ]
    path.unlink()
    assert keys.find(compromised.key_id) is None
    deadline = time.monotonic() + 60
    while "the lists are still the other signer's":
        try:
            lists_of(county)
        except UnknownIssuer:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            break
    assert verified(county, text).verdict is Verdict.UNKNOWN_ISSUER
    assert verified(county, family.carried()["credential"]).verdict is Verdict.VALID


def _der(pem: bytes) -> bytes:
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_the_signers_certificates_are_of_the_root(county: County):
    keys = county.served.parts.credential_keys
    for key in keys.signers():
        key.certificate.verify_directly_issued_by(keys._root.certificate)


def test_a_list_tells_its_age_and_nothing_of_how_many_there_are(county: County, held: Carrier):
    held.carried()
    _, (ended, superseded) = lists_of(county)
    assert ended.size == superseded.size == 2**20
    assert ended.issued_at <= datetime.now(UTC) < ended.expires_at
    assert ended.expires_at - ended.issued_at == timedelta(days=7)
    assert county.served.http.get("/certificates/status/1").status_code == 404
    told = county.served.http.get("/certificates/status/0").headers
    assert told["content-type"] == "application/statuslist+cwt"
    assert told["cache-control"] == "public, max-age=60"


def test_a_bit_that_another_has_is_drawn_again(county: County):
    family, other = carrier(county), carrier(county)
    family.carried()
    parts = county.served.parts
    draws = [b"\x00\x00\x30\x39"] * 2 + [b"\x00\x00\x30\x3a"]

    def random(count: int) -> bytes:
        return draws.pop(0) if count == 4 and draws else parts.services.random(count)

    services = replace(parts.services, random=random)
    issuing = replace(parts.issuing, services=services)
    wanted = Wanted(Content.SCHOOL_VERDICT, county.served.views.positions.lowest(), Entry.PRIMARY)
    first = issuing.current(family.certificate, wanted)
    second = issuing.current(other.certificate, wanted)
    assert (first.status_index, second.status_index) == (12345, 12346)
    assert draws == []


# On the command line -----------------------------------------------------------------------------


def vaxledger(county: County, *words: str) -> subprocess.CompletedProcess[str]:
    settings = county.served.parts.settings
    return subprocess.run(
        [sys.executable, "-m", "cli", "certificate", *words],
        env={**os.environ, "VAXLEDGER_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_verifies_with_lists_it_has_fetched_and_then_without_a_network(
    county: County, held: Carrier, tmp_path
):
    text = held.carried()["credential"]
    file = tmp_path / "credential.txt"
    file.write_text(f"{text}\n")
    root = tmp_path / "root.pem"
    root.write_bytes(county.served.http.get("/certificates/root").content)
    given = ("--root", str(root), "--lists", str(tmp_path / "lists"))
    assert vaxledger(county, "verify", str(file), *given).returncode == 2
    online = vaxledger(county, "verify", str(file), *given, "--url", county.served.url)
    assert online.returncode == 0, online.stderr
    assert "王小明" in online.stdout
    offline = vaxledger(county, "verify", text, *given, "--json")
    facts = json.loads(offline.stdout)
    assert (offline.returncode, facts["verdict"]) == (0, "valid")
    assert len(facts["doses"]) == 2
    altered = vaxledger(county, "verify", f"{text}00", *given)
    assert altered.returncode == 1
    assert "Traceback" not in altered.stderr


def test_the_certificate_is_printed_for_whoever_may_read_it_and_noted(
    county: County, tmp_path, held: Carrier
):
    path = f"/v1/certificates/{held.certificate}/certificate.pdf"
    answer = held.mother.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    told = text_of(answer.content)
    assert "王小明" in told
    assert "共2剂次，已全部打印" in told
    assert "不等于没有接种" in told
    assert "前往外省前" in told
    with_code = image_of(answer.content)
    assert verified(county, zxingcpp.read_barcode(with_code).text).verdict is Verdict.VALID
    stranger = citizen(county.served, id_number("19790101"), name="赵六")
    assert stranger.get(path).status_code == 404
    assert "王小明" in text_of(county.clinic.get(path).content)
    token, trust, file = (tmp_path / name for name in ("token", "trust", "certificate.pdf"))
    token.write_text(county.served.token(held.mother.principal))
    trust.write_bytes(county.served.http.get("/log.vkey").content)
    given = ("--url", county.served.url, "--token-file", str(token), "--trust", str(trust))
    printed = vaxledger(county, "print", str(held.certificate), str(file), *given)
    assert printed.returncode == 0, printed.stderr
    assert "王小明" in text_of(file.read_bytes())
    seen = held.mother.get(f"/v1/records/{held.child.record}/access").json()["reads"]
    assert {"printed"} <= {one["what"] for one in seen if one["role"] == "clinic"}


def test_a_status_list_is_read_by_another_reader(county: County, held: Carrier):
    held.carried()
    claims = cbor2.loads(
        cbor2.loads(county.served.http.get("/certificates/status/0").content).value[2]
    )
    assert claims[65533]["bits"] == 1
    bits = zlib.decompress(claims[65533]["lst"])
    assert len(bits) == 2**17
    ended = county.served.views.credentials.status(0, today()).ended
    assert {n for n in range(2**20) if bits[n >> 3] >> (n & 7) & 1} == set(ended)


def test_the_holder_sees_who_carried_it_away_and_why(county: County):
    family = carrier(county)
    family.carried()
    family.verdict()
    county.clinic.get(f"/v1/records/{family.child.record}")
    answer = family.mother.get(f"/v1/records/{family.child.record}/access")
    assert answer.status_code == 200
    seen = [(one["what"], one["role"], one["purpose"]) for one in answer.json()["reads"]]
    assert ("history", "guardian", "own-record") in seen
    assert ("school-verdict", "guardian", "own-record") in seen
    assert ("record", "clinic", "care") in seen
