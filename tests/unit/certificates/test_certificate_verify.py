"""Verification: every verdict, and everything that an impostor may try."""

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from certificates import base45, cbor
from certificates.claims import StatusReference, encode_claims
from certificates.container import PREFIX, decode_container, encode_container
from certificates.issue import issue
from certificates.signing import ES256, Es256Signer, Sign1, sign
from certificates.status import STATUS_LIST_TYPE
from certificates.trust import Usage
from certificates.verify import Verdict, verify
from tests.unit.certificates.credentials import (
    DAY,
    ISSUER,
    LIST_SIZE,
    NOW,
    OTHER_HOLDER,
    OTHER_ISSUER,
    OTHER_SIGNER,
    SIGNER,
    STATUS,
    check_statement,
    credential,
    history,
    payload,
    private_key,
    school_verdict,
    status_list,
    text,
    trust_list,
    trusted,
    x509_certificate,
)

ROOT_FOLDER = Path(__file__).parents[3]
BOTH = trust_list(trusted(), trusted(OTHER_SIGNER.public_key, OTHER_ISSUER))
SUPERSEDED_URI = ISSUER.superseded_list(STATUS.list)
SECOND = timedelta(seconds=1)


def verdict_of(shown, trust=None, statuses=None, now=NOW, **more):
    statuses = [status_list()] if statuses is None else statuses
    return verify(shown, trust or trust_list(), statuses, now, **more)


def signed_text(content: bytes, signer=SIGNER, type_=None) -> str:
    return encode_container(sign(content, signer, type_))


def assert_tells_nothing(found, verdict):
    """A person whom no issuer vouches for is never shown."""
    assert found.verdict is verdict
    assert (found.credential, found.issuer, found.as_of) == (None, None, None)
    assert found.zh
    assert found.en


@pytest.mark.parametrize("content", [history(1), history(22), school_verdict(), check_statement()])
def test_a_credential_in_force_is_valid_as_of_the_day_of_the_list(content):
    stated = credential(content)
    found = verdict_of(issue(stated, SIGNER))
    assert found.verdict is Verdict.VALID
    assert found.credential == stated
    assert found.issuer == ISSUER
    assert found.as_of == NOW - DAY / 2
    assert found.zh == "有效（依据2026年8月31日的状态名单）。"
    assert found.en == "Valid as of the status list of 2026-08-31."


def test_the_day_is_a_day_in_china():
    listed = status_list(issued_at=NOW - timedelta(hours=10))
    assert verdict_of(text(), statuses=[listed]).zh == "有效（依据2026年9月1日的状态名单）。"


def test_a_set_bit_revokes():
    found = verdict_of(text(), statuses=[status_list(STATUS.index)])
    assert found.verdict is Verdict.REVOKED
    assert found.zh == "已撤销（依据2026年8月31日的状态名单）。"


@pytest.mark.parametrize("neighbour", [STATUS.index - 1, STATUS.index + 1, 0, LIST_SIZE - 1])
def test_a_neighbours_bit_does_not(neighbour):
    assert verdict_of(text(), statuses=[status_list(neighbour)]).verdict is Verdict.VALID


def test_a_replaced_one_says_so():
    statuses = [status_list(STATUS.index), status_list(STATUS.index, uri=SUPERSEDED_URI)]
    found = verdict_of(text(), statuses=statuses)
    assert found.verdict is Verdict.SUPERSEDED
    assert "请出示最新的电子证" in found.zh
    assert "newer one" in found.en


def test_the_list_of_successors_alone_changes_nothing():
    statuses = [status_list(), status_list(STATUS.index, uri=SUPERSEDED_URI)]
    assert verdict_of(text(), statuses=statuses).verdict is Verdict.VALID
    statuses = [status_list(STATUS.index), status_list(uri=SUPERSEDED_URI)]
    assert verdict_of(text(), statuses=statuses).verdict is Verdict.REVOKED


def test_a_revocation_in_a_stale_list_is_still_a_revocation():
    old = status_list(STATUS.index, issued_at=NOW - 90 * DAY)
    found = verdict_of(text(), statuses=[old])
    assert found.verdict is Verdict.REVOKED
    assert found.zh == "已撤销（依据2026年6月3日的状态名单）。"
    assert found.as_of == found.credential.issued_at


def test_an_older_list_handed_over_later_does_not_undo_a_revocation():
    newer, older = status_list(STATUS.index), status_list(issued_at=NOW - DAY)
    for statuses in ([newer, older], [older, newer]):
        assert verdict_of(text(), statuses=statuses).verdict is Verdict.REVOKED


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ([], "no status list"),
        ([status_list(issued_at=NOW - 8 * DAY)], "has expired"),
        ([status_list(uri=ISSUER.status_list(13))], "no status list"),
        ([status_list(uri=OTHER_ISSUER.status_list(12))], "no status list"),
        ([status_list(size=8)], "does not speak of it"),
    ],
    ids=["none", "expired", "of another number", "of another issuer", "too short"],
)
def test_without_a_fresh_list_the_status_is_not_known(statuses, reason):
    found = verdict_of(text(), statuses=statuses)
    assert found.verdict is Verdict.STALE_LIST
    assert reason in found.reason
    assert found.credential == credential(), "it is genuine and may be shown"
    assert "2026年8月31日" in found.zh
    assert "2026-08-31" in found.en


def test_with_an_expired_trust_list_nothing_is_valid():
    found = verdict_of(text(), trust_list(issued_at=NOW - 2 * DAY, days=1))
    assert found.verdict is Verdict.STALE_LIST
    assert "trust list" in found.reason


def test_a_credential_younger_than_the_list_is_valid_as_of_its_own_day():
    young = credential(issued_at=NOW - SECOND, status=StatusReference(12, LIST_SIZE + 5))
    found = verdict_of(issue(young, SIGNER))
    assert found.verdict is Verdict.VALID
    assert found.as_of == young.issued_at
    assert found.zh == "有效（2026年9月1日签发，晚于所持状态名单）。"


def test_time_is_kept_to_the_second_with_five_minutes_of_leeway():
    stated = credential(expires_at=NOW + DAY)
    shown, leeway = issue(stated, SIGNER), timedelta(minutes=5)
    end = stated.expires_at + leeway
    assert verdict_of(shown, now=end - SECOND).verdict is Verdict.VALID
    assert verdict_of(shown, now=end).verdict is Verdict.EXPIRED
    no_leeway = verdict_of(shown, now=stated.expires_at, leeway=timedelta(0))
    assert no_leeway.verdict is Verdict.EXPIRED


def test_a_credential_of_tomorrow_is_not_yet_valid():
    tomorrow = issue(credential(issued_at=NOW + DAY), SIGNER)
    assert verdict_of(tomorrow).verdict is Verdict.NOT_YET_VALID
    begin = NOW + DAY - timedelta(minutes=5)
    assert verdict_of(tomorrow, now=begin - SECOND).verdict is Verdict.NOT_YET_VALID
    assert verdict_of(tomorrow, now=begin).verdict is Verdict.VALID


def test_a_clock_set_back_is_corrected_by_the_lists_at_hand():
    stated = credential(
        issued_at=NOW - 30 * DAY,
        expires_at=NOW - DAY,
        content=replace(history(), effective_on=date(2026, 8, 1)),
    )
    shown = issue(stated, SIGNER)
    back = NOW - 20 * DAY
    assert verdict_of(shown, now=back).verdict is Verdict.EXPIRED
    assert verdict_of(text(), now=back).verdict is Verdict.VALID


def test_a_revoked_credential_that_has_also_expired_reads_revoked():
    found = verdict_of(text(), statuses=[status_list(STATUS.index)], now=NOW + 90 * DAY)
    assert found.verdict is Verdict.REVOKED


def test_every_changed_byte_of_what_was_signed_is_noticed():
    raw = decode_container(text(1))
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 0x01
        found = verdict_of(encode_container(bytes(changed)))
        assert found.verdict in (Verdict.ALTERED, Verdict.UNKNOWN_ISSUER), at
        assert found.credential is None


def test_every_changed_character_of_the_text_is_noticed_or_changes_nothing():
    """The zlib header and its padding have bits without meaning; the signed bytes have none."""
    shown = text(1)
    signed = decode_container(shown)
    for at in range(len(PREFIX), len(shown)):
        for char in base45.ALPHABET[at % 45], base45.ALPHABET[(at + 7) % 45]:
            changed = shown[:at] + char + shown[at + 1 :]
            if verdict_of(changed).verdict is Verdict.VALID:
                assert decode_container(changed) == signed


def test_another_persons_claims_under_a_genuine_signature_are_altered():
    ours = Sign1.parse(decode_container(text()))
    theirs = encode_claims(credential(history(3, OTHER_HOLDER)))
    swapped = encode_container(replace(ours, payload=theirs).encode())
    assert_tells_nothing(verdict_of(swapped), Verdict.ALTERED)


def test_a_signature_of_another_credential_is_altered():
    ours = Sign1.parse(decode_container(text(1)))
    other = Sign1.parse(decode_container(text(3)))
    swapped = replace(ours, signature=other.signature)
    assert_tells_nothing(verdict_of(encode_container(swapped.encode())), Verdict.ALTERED)


def test_another_persons_card_shows_another_persons_name_and_birth():
    """A genuine card in the wrong hand: the verdict is of the card, the eyes compare the person."""
    shown = issue(credential(history(3, OTHER_HOLDER)), SIGNER)
    assert verdict_of(shown).credential.content.holder == OTHER_HOLDER


def test_a_key_not_on_the_list_is_an_unknown_issuer():
    assert_tells_nothing(verdict_of(signed_text(payload(), OTHER_SIGNER)), Verdict.UNKNOWN_ISSUER)


def test_the_key_id_of_a_listed_key_with_a_strangers_signature_is_altered():
    class Impostor:
        algorithm, kid, sign = ES256, SIGNER.kid, OTHER_SIGNER.sign

    assert_tells_nothing(verdict_of(signed_text(payload(), Impostor())), Verdict.ALTERED)


def test_a_wrong_key_id_on_a_genuine_signature_is_refused():
    class Mislabelled:
        algorithm, kid, sign = ES256, OTHER_SIGNER.kid, SIGNER.sign

    shown = signed_text(payload(), Mislabelled())
    assert_tells_nothing(verdict_of(shown), Verdict.UNKNOWN_ISSUER)
    assert_tells_nothing(verdict_of(shown, BOTH), Verdict.ALTERED)


def test_one_listed_issuer_cannot_sign_in_anothers_name():
    assert_tells_nothing(
        verdict_of(signed_text(payload(), OTHER_SIGNER), BOTH), Verdict.UNKNOWN_ISSUER
    )


@pytest.mark.parametrize("algorithm", [0, -8, -36, 5])
def test_alg_none_and_other_algorithms_are_refused(algorithm):
    class Confused:
        kid = SIGNER.kid
        sign = SIGNER.sign

    Confused.algorithm = algorithm
    assert_tells_nothing(verdict_of(signed_text(payload(), Confused())), Verdict.ALTERED)


def test_an_empty_signature_is_refused():
    class Silent:
        algorithm, kid = ES256, SIGNER.kid

        def sign(self, message):
            return b""

    assert_tells_nothing(verdict_of(signed_text(payload(), Silent())), Verdict.ALTERED)


@pytest.mark.parametrize(
    ("usage", "content"),
    [
        (Usage.SCHOOL_VERDICT, history()),
        (Usage.HISTORY, school_verdict()),
        (Usage.HISTORY, check_statement()),
    ],
)
def test_a_key_for_one_kind_of_credential_signs_no_other(usage, content):
    trust = trust_list(trusted(usages=usage | Usage.STATUS_LIST))
    found = verdict_of(issue(credential(content), SIGNER), trust)
    assert_tells_nothing(found, Verdict.UNKNOWN_ISSUER)


def test_a_signed_list_shown_as_a_credential_is_altered():
    for content in (payload(), cbor.encode({2: "x"})):
        assert_tells_nothing(
            verdict_of(signed_text(content, type_=STATUS_LIST_TYPE)), Verdict.ALTERED
        )


def test_a_key_signs_only_within_its_time():
    for valid in ((NOW, NOW + 600 * DAY), (NOW - 300 * DAY, NOW + 58 * DAY)):
        found = verdict_of(text(), trust_list(trusted(valid=valid)))
        assert_tells_nothing(found, Verdict.UNKNOWN_ISSUER)


def test_after_a_rotation_what_the_old_key_signed_still_holds():
    rotated = trust_list(trusted(), trusted(OTHER_SIGNER.public_key))
    for signer in (SIGNER, OTHER_SIGNER):
        assert verdict_of(signed_text(payload(), signer), rotated).verdict is Verdict.VALID


def test_a_compromised_key_falls_with_all_that_it_signed():
    after = trust_list(trusted(OTHER_SIGNER.public_key))
    assert_tells_nothing(verdict_of(text(), after), Verdict.UNKNOWN_ISSUER)


def test_a_signer_with_a_certificate_is_found_by_the_certificates_key_id():
    certificate = x509_certificate(private_key(1001), private_key(1009))
    shown = issue(credential(), Es256Signer(private_key(1001), certificate))
    assert verdict_of(shown, trust_list(trusted(certificate=certificate))).verdict is Verdict.VALID
    assert_tells_nothing(verdict_of(shown), Verdict.UNKNOWN_ISSUER)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        payload() + b"\x00",
        payload().replace(b"\xa4\x01", b"\xb8\x04\x01", 1),
        b"\xa5" + payload()[1:12] + payload()[1:],
        b"\x9b" + b"\xff" * 8,
        b"\x81" * 10_000,
        cbor.encode({1: "CN-320600", 4: 2, 6: 1, -260: {-70: [1, 2], -71: [0] * 4_000}}),
    ],
    ids=["empty", "trailing", "not canonical", "double key", "huge length", "deep", "huge array"],
)
def test_a_genuine_signature_over_a_hostile_payload_is_refused(content):
    assert_tells_nothing(verdict_of(signed_text(content)), Verdict.ALTERED)


@pytest.mark.parametrize(
    "shown",
    ["", "HC1:", "hc1:", "HC1:" + "A" * 10_240, "A" * 10_240, "HC1:6BFOXN\n", "\ud800", "HC1:::::"],
    ids=lambda shown: shown[:8].encode("utf-8", "backslashreplace").decode(),
)
def test_any_other_text_is_altered_and_nothing_raises(shown):
    assert_tells_nothing(verdict_of(shown), Verdict.ALTERED)


def test_every_verdict_has_its_sentence_in_both_languages():
    found = verdict_of(text())
    for verdict in Verdict:
        said = replace(found, verdict=verdict)
        assert said.zh.endswith("。")
        assert said.en.endswith(".")
        assert "{" not in said.zh + said.en


def test_a_verifier_needs_nothing_else_of_this_house():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import certificates.verify;"
        "roots = {name.partition('.')[0] for name in sys.modules};"
        "print(sorted(roots & {'domain', 'ledger', 'projections', 'client', 'psycopg', 'nats',"
        "'eventsourcing', 'pydantic', 'cbor2', 'segno'}))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(ROOT_FOLDER)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path.endswith("-packages"))},
    )
    assert done.stdout == "[]\n", done.stderr
