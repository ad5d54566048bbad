"""Every parser of credentials: what was written comes back, and nothing else ever crashes it.

A parser may return or raise a ``CertificateError``; what it returns it must write again exactly.
"""

import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates import base45, cbor
from certificates.check_statement import CheckStatement
from certificates.claims import (
    CHECK_STATEMENT,
    HCERT,
    HISTORY,
    SCHOOL_VERDICT,
    STATUS,
    Credential,
    StatusReference,
    decode_claims,
    encode_claims,
)
from certificates.container import PREFIX, decode_container, encode_container
from certificates.errors import CertificateError
from certificates.history import CLINIC_FORM, Dose, History, Provenance
from certificates.holder import Holder, LogState, RuleFile
from certificates.issue import issue
from certificates.school_verdict import EntryType, Missing, Outcome, SchoolVerdict
from certificates.signing import Sign1, sign
from certificates.status import STATUS_LIST_TYPE, sign_status_list, verify_status_list
from certificates.trust import TRUST_LIST_TYPE, sign_trust_list, verify_trust_list
from certificates.verify import Verdict, verify
from tests.unit.certificates.credentials import (
    NOW,
    ROOT,
    SIGNER,
    check_statement,
    credential,
    history,
    payload,
    school_verdict,
    status_list,
    text,
    trust_list,
)

TRUST = trust_list()
in_its_own_time = settings(deadline=None)  # other processes share the machine
PAYLOADS = {
    HISTORY: payload(),
    SCHOOL_VERDICT: encode_claims(credential(school_verdict())),
    CHECK_STATEMENT: encode_claims(credential(check_statement())),
}

KEYS = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.text("欧阳若曦·abc ", min_size=1, max_size=30)
CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", fullmatch=True)
DAYS = st.dates(date(1990, 1, 1), date(2026, 8, 31))
HOLDERS = st.builds(Holder, st.binary(min_size=16, max_size=16), NAMES, DAYS)
RULES = st.builds(RuleFile, CODES, st.integers(1, 2**31 - 1))
LOGS = st.builds(LogState, st.integers(1, 2**63 - 1), st.binary(min_size=8, max_size=8))
DOSES = st.builds(
    Dose,
    CODES,
    DAYS,
    st.none() | st.from_regex(r"[0-9A-Za-z][0-9A-Za-z ()/._-]{0,39}", fullmatch=True),
    st.from_regex(r"[0-9A-Z][0-9A-Z-]{0,15}", fullmatch=True),
    st.sampled_from(Provenance),
)
HISTORIES = st.builds(
    History,
    HOLDERS,
    DAYS,
    RULES,
    LOGS,
    st.lists(DOSES, max_size=12).map(
        lambda doses: tuple(sorted(doses, key=lambda dose: dose.order))
    ),
)
GAPS = st.builds(
    Missing,
    CODES,
    st.sets(st.integers(1, 20), min_size=1, max_size=4).map(lambda one: tuple(sorted(one))),
)


@st.composite
def verdicts(draw):
    missing = draw(st.lists(GAPS, max_size=4, unique_by=lambda gap: gap.vaccine_group))
    settled = st.sampled_from((Outcome.COMPLETE, Outcome.NOT_TO_MAKE_UP))
    return SchoolVerdict(
        draw(HOLDERS),
        draw(DAYS),
        draw(st.sampled_from(EntryType)),
        draw(st.none() | NAMES),
        draw(st.integers(0, 30)),
        Outcome.TO_MAKE_UP if missing else draw(settled),
        tuple(missing),
        draw(RULES),
        draw(LOGS),
    )


def statements():
    clinics = st.from_regex(CLINIC_FORM, fullmatch=True)
    return st.builds(
        lambda verdict, clinic: CheckStatement(replace(verdict, class_name=None), clinic),
        verdicts(),
        clinics,
    )


CREDENTIALS = st.builds(
    Credential,
    issuer=st.from_regex(r"[A-Z]{2}(-[0-9A-Z]{1,9})?", fullmatch=True),
    issued_at=st.just(NOW),
    expires_at=st.integers(1, 60 * 86_400).map(lambda life: NOW + timedelta(seconds=life)),
    status=st.builds(StatusReference, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
    content=HISTORIES | verdicts() | statements(),
)
EDITS = st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=3)), min_size=1, max_size=4)


def edited(raw: bytes, edits) -> bytes:
    """Bytes with pieces replaced, lengthened or cut."""
    for at, piece in edits:
        place = at % (len(raw) + 1)
        raw = raw[:place] + piece + raw[place + max(1, at % 3) :]
    return raw


def outcome(parse, raw):
    """What a parser returns, or None where it refuses; any other exception fails the test."""
    try:
        return parse(raw)
    except CertificateError:
        return None


@in_its_own_time
@given(CREDENTIALS)
def test_what_is_stated_comes_back(stated):
    assert decode_claims(encode_claims(stated)) == stated


@in_its_own_time
@given(CREDENTIALS)
def test_what_is_issued_can_be_verified_whoever_it_speaks_of(stated):
    shown = outcome(lambda one: issue(one, SIGNER), stated)
    if shown is not None:
        found = verify(shown, TRUST, [status_list()], NOW)
        assert found.verdict is not Verdict.ALTERED
        assert found.credential in (stated, None)


@in_its_own_time
@given(VALUES)
def test_cbor_comes_back_and_another_library_reads_the_same(value):
    raw = outcome(cbor.encode, value)
    if raw is None:
        return
    assert cbor2.loads(raw) == value
    read = outcome(cbor.decode, raw)
    assert read == value or read is None


@in_its_own_time
@given(st.binary(max_size=60) | EDITS.map(lambda edits: edited(payload(), edits)))
def test_cbor_has_one_spelling(raw):
    value = outcome(cbor.decode, raw)
    if value is not None:
        assert cbor.encode(value) == raw


@in_its_own_time
@given(st.binary(max_size=100))
def test_base45_comes_back(raw):
    assert base45.decode(base45.encode(raw)) == raw


@in_its_own_time
@given(st.text(max_size=20) | st.text(base45.ALPHABET, max_size=20))
def test_base45_has_one_spelling(spelled):
    raw = outcome(base45.decode, spelled)
    if raw is not None:
        assert base45.encode(raw) == spelled


@in_its_own_time
@given(st.binary(max_size=200))
def test_any_bytes_travel_in_a_container(raw):
    assert decode_container(encode_container(raw)) == raw


@in_its_own_time
@given(st.binary(max_size=80) | st.binary(max_size=80).map(zlib.compress))
def test_a_container_of_anything_is_read_or_refused(raw):
    outcome(decode_container, PREFIX + base45.encode(raw))


@in_its_own_time
@given(st.binary(max_size=60) | EDITS.map(lambda edits: edited(sign(payload(), SIGNER), edits)))
def test_a_signed_structure_is_written_again_as_it_was_read(raw):
    signed = outcome(Sign1.parse, raw)
    if signed is not None:
        assert signed.encode() == raw


@in_its_own_time
@given(st.sampled_from(sorted(PAYLOADS.values())), EDITS)
def test_edited_claims_are_read_or_refused(raw, edits):
    changed = edited(raw, edits)
    stated = outcome(decode_claims, changed)
    if stated is not None:
        assert encode_claims(stated) == changed


@in_its_own_time
@given(st.sampled_from(sorted(PAYLOADS)), st.integers(0, 13), VALUES, st.booleans())
def test_any_value_in_any_place_is_read_or_refused(kind, place, value, deeper):
    claims = cbor2.loads(PAYLOADS[kind])
    target = claims[HCERT][kind]
    if deeper and isinstance(target[place], list):
        target, place = target[place], 0
    target[place] = value
    raw = outcome(cbor.encode, claims)
    stated = raw and outcome(decode_claims, raw)
    if stated:
        assert encode_claims(stated) == raw


@in_its_own_time
@given(VALUES, VALUES)
def test_any_genuinely_signed_content_gives_a_verdict(status, content):
    claims = {1: "CN-320600", 4: 1_790_000_000, 6: 1_788_000_000}
    for own in (
        {STATUS: status, HISTORY: content},
        {STATUS: [1, 2], SCHOOL_VERDICT: content},
        {STATUS: [1, 2], CHECK_STATEMENT: content},
    ):
        raw = outcome(cbor.encode, claims | {HCERT: own})
        shown = raw and outcome(encode_container, sign(raw, SIGNER))
        if shown:
            assert verify(shown, TRUST, [status_list()], NOW).verdict is Verdict.ALTERED


@in_its_own_time
@given(st.text(max_size=50) | st.text(base45.ALPHABET, max_size=90).map(PREFIX.__add__))
def test_any_text_gives_a_verdict(shown):
    assert verify(shown, TRUST, [], NOW).verdict is Verdict.ALTERED


@in_its_own_time
@given(EDITS)
def test_an_edited_credential_is_never_valid_with_other_claims(edits):
    raw = edited(text(3).encode(), edits).decode("latin-1")
    found = verify(raw, TRUST, [status_list()], NOW)
    assert found.credential in (None, credential(history(3)))


@in_its_own_time
@given(VALUES | EDITS, st.integers(0, 2))
def test_any_status_list_of_the_issuer_is_read_or_refused(value, member):
    claims = cbor2.loads(Sign1.parse(sign_status_list(status_list(1), SIGNER)).payload)
    claims[(2, 4, 65533)[member]] = value
    raw = outcome(cbor.encode, claims)
    if raw is not None:
        outcome(lambda one: verify_status_list(one, TRUST), sign(raw, SIGNER, STATUS_LIST_TYPE))


@in_its_own_time
@given(VALUES, st.integers(0, 5))
def test_any_trust_list_of_the_root_is_read_or_refused(value, member):
    raw = Sign1.parse(sign_trust_list(TRUST, ROOT)).payload
    claims = cbor2.loads(raw)
    claims[-70001][0][3][0][member] = value
    changed = outcome(cbor.encode, claims)
    if changed is not None:
        outcome(
            lambda one: verify_trust_list(one, [ROOT.public_key]),
            sign(changed, ROOT, TRUST_LIST_TYPE),
        )


@in_its_own_time
@given(st.binary(max_size=60) | EDITS.map(lambda one: edited(sign_trust_list(TRUST, ROOT), one)))
def test_a_trust_list_that_the_root_did_not_sign_is_refused(raw):
    assert outcome(lambda one: verify_trust_list(one, [ROOT.public_key]), raw) in (None, TRUST)


@in_its_own_time
@given(st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1)))  # noqa: DTZ001 - hypothesis wants naive borders
def test_any_clock_gives_a_verdict(moment):
    now = moment.replace(tzinfo=UTC)
    found = verify(text(3), TRUST, [status_list()], now)
    assert found.verdict in (Verdict.VALID, Verdict.EXPIRED, Verdict.STALE_LIST)
