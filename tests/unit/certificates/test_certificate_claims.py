"""Claims: what is stated comes back, and nothing is stated or read outside its form."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import cbor2
import pytest

from certificates.claims import (
    CHECK_STATEMENT,
    HCERT,
    HISTORY,
    SCHOOL_VERDICT,
    STATUS,
    StatusReference,
    decode_claims,
    encode_claims,
    status_of_statement,
)
from certificates.errors import CertificateError, ClaimsError
from certificates.history import MAX_DOSES, Dose, History, Provenance
from certificates.holder import Holder, LogState, RuleFile
from certificates.school_verdict import Missing, Outcome
from tests.unit.certificates.credentials import (
    DAY,
    HOLDER,
    NOW,
    OTHER_HOLDER,
    check_statement,
    credential,
    doses,
    history,
    school_verdict,
)


def members(stated) -> dict:
    """The claims as another implementation reads them."""
    return cbor2.loads(encode_claims(stated))


@pytest.mark.parametrize("content", [history(0), history(22), school_verdict(), check_statement()])
def test_what_is_stated_comes_back(content):
    stated = credential(content)
    assert decode_claims(encode_claims(stated)) == stated


def test_a_history_reads_as_documented():
    own = members(credential(history(7)))[HCERT]
    assert own.keys() == {STATUS, HISTORY}
    form, identifier, name, birth, _, rules, version, position, root, *columns = own[HISTORY]
    assert (form, identifier, name) == (1, HOLDER.identifier, HOLDER.name)
    assert date(1970, 1, 1) + timedelta(days=birth) == HOLDER.birth_date
    assert (position, root.hex()) == (1234567, "0123456789abcdef")
    assert (rules, version) == ("vaccines-cn-2018", 1)
    listed = list(zip(*columns, strict=True))
    assert listed[0] == ("BCG", 0, "201810095C", "3206020001", 0)
    assert listed[-1] == ("OPV", 122, "201912280-1", "3206020104", 2)


def test_a_school_verdict_names_no_given_dose_and_no_contraindication():
    own = members(credential(school_verdict()))[HCERT]
    assert own.keys() == {STATUS, SCHOOL_VERDICT}
    claim = own[SCHOOL_VERDICT]
    assert len(claim) == 14
    assert claim[5:10] == [1, "一年级（2）班", 6, 1, [["DT", [1]], ["MenAC", [1, 2]]]]
    exempt = replace(school_verdict(), outcome=Outcome.NOT_TO_MAKE_UP, missing=())
    assert members(credential(exempt))[HCERT][SCHOOL_VERDICT][8:10] == [2, []]


def test_the_birth_of_an_adult_before_1970_and_a_dose_before_the_birth_come_back():
    """A record may be wrong, and the certificate then says what the record says."""
    adult = Holder(HOLDER.identifier, "王秀英", date(1949, 10, 1))
    dose = Dose("HepB", date(1949, 9, 30), None, "A-1", Provenance.PAPER)
    stated = credential(replace(history(0), holder=adult, doses=(dose,)))
    assert decode_claims(encode_claims(stated)) == stated


def test_two_equal_doses_are_two_doses():
    (dose,) = doses(1)
    stated = credential(replace(history(0), doses=(dose, dose)))
    assert decode_claims(encode_claims(stated)) == stated


WRONG_VALUES = {
    "identifier too short": lambda: replace(HOLDER, identifier=bytes(15)),
    "identifier is text": lambda: replace(HOLDER, identifier="0" * 16),
    "no name": lambda: replace(HOLDER, name=""),
    "name too long": lambda: replace(HOLDER, name="一" * 101),
    "name with a control character": lambda: replace(HOLDER, name="王\u202e强"),
    "name not composed": lambda: replace(HOLDER, name="Rene\u0301"),
    "birth too early": lambda: replace(HOLDER, birth_date=date(1849, 12, 31)),
    "rule file with a path": lambda: RuleFile("../x", 1),
    "rule file version 0": lambda: RuleFile("x", 0),
    "position 0": lambda: LogState(0, bytes(8)),
    "position is a truth value": lambda: LogState(True, bytes(8)),
    "root prefix too long": lambda: LogState(1, bytes(32)),
    "vaccine with a space": lambda: replace(doses(1)[0], vaccine="B CG"),
    "lot with markup": lambda: replace(doses(1)[0], lot="<b>"),
    "empty lot": lambda: replace(doses(1)[0], lot=""),
    "clinic in small letters": lambda: replace(doses(1)[0], clinic="abc"),
    "doses out of order": lambda: replace(history(), doses=doses(3)[::-1]),
    "too many doses": lambda: replace(history(), doses=doses(1) * (MAX_DOSES + 1)),
    "a dose 160 years later": lambda: replace(
        history(),
        holder=replace(HOLDER, birth_date=date(1850, 1, 1)),
    ),
    "class too long": lambda: replace(school_verdict(), class_name="班" * 41),
    "age row 31": lambda: replace(school_verdict(), age_row=31),
    "complete, yet missing": lambda: replace(school_verdict(), outcome=Outcome.COMPLETE),
    "to make up, yet nothing": lambda: replace(school_verdict(), missing=()),
    "a group twice": lambda: replace(school_verdict(), missing=(Missing("DT", (1,)),) * 2),
    "dose numbers descend": lambda: Missing("DT", (2, 1)),
    "a dose number twice": lambda: Missing("DT", (1, 1)),
    "dose number 0": lambda: Missing("DT", (0,)),
    "no dose number": lambda: Missing("DT", ()),
    "dose number as text": lambda: Missing("DT", ("1",)),
    "status index below 0": lambda: StatusReference(0, -1),
    "issuer in small letters": lambda: credential(issuer="cn"),
    "issued at half a second": lambda: credential(issued_at=NOW + timedelta(seconds=0.5)),
    "issued in local time": lambda: credential(issued_at=NOW.astimezone(timezone(DAY / 3))),
    "issued without zone": lambda: credential(issued_at=datetime(2026, 9, 1)),  # noqa: DTZ001 - the attack
    "expired when issued": lambda: credential(expires_at=NOW - DAY),
    "issued after 2199": lambda: credential(expires_at=datetime(2200, 1, 1, tzinfo=UTC)),
    "effective after it is issued": lambda: credential(
        replace(history(), effective_on=date(2026, 9, 2))
    ),
    "a school verdict for 61 days": lambda: credential(school_verdict(), expires_at=NOW + 60 * DAY),
}


@pytest.mark.parametrize("make", WRONG_VALUES.values(), ids=WRONG_VALUES.keys())
def test_nobody_can_state(make):
    with pytest.raises(ClaimsError):
        make()


def test_a_school_verdict_lives_sixty_days_to_the_second():
    last = NOW - DAY + 60 * DAY
    credential(school_verdict(), expires_at=last)
    with pytest.raises(ClaimsError, match="60 days"):
        credential(school_verdict(), expires_at=last + timedelta(seconds=1))


def test_an_error_never_repeats_what_the_record_says():
    with pytest.raises(ClaimsError) as caught:
        replace(HOLDER, name="王\u0000强")
    assert "王" not in str(caught.value)
    assert "name" in str(caught.value)


def change(claims: dict, path: tuple, value: object) -> dict:
    """The claims with one member changed, however deep."""
    *way, last = path
    target = claims
    for step in way:
        target = target[step]
    if value is DELETED:
        del target[last]
    else:
        target[last] = value
    return claims


DELETED = object()
H, S = (HCERT, HISTORY), (HCERT, SCHOOL_VERDICT)
FORGED_HISTORIES = [
    ((1,), DELETED),
    ((1,), 5),
    ((1,), "cn"),
    ((4,), DELETED),
    ((4,), 0),
    ((4,), True),
    ((4,), 2**63),
    ((4,), "1790000000"),
    ((6,), DELETED),
    ((6,), -1),
    ((7,), b"another claim"),
    ((5,), 1790000000),
    ((HCERT,), DELETED),
    ((HCERT,), []),
    ((HCERT, STATUS), DELETED),
    ((HCERT, STATUS), [1]),
    ((HCERT, STATUS), [1, 2, 3]),
    ((HCERT, STATUS), [True, 2]),
    ((HCERT, STATUS), {}),
    ((HCERT, 1), {"v": []}),
    ((HCERT, SCHOOL_VERDICT), [1]),
    (H, DELETED),
    (H, []),
    (H, {}),
    ((*H, 0), 2),
    ((*H, 0), True),
    ((*H, 1), "0123456789abcdef"),
    ((*H, 2), b"name"),
    ((*H, 3), 2**40),
    ((*H, 3), -(2**40)),
    ((*H, 3), None),
    ((*H, 4), 2**40),
    ((*H, 5), 1),
    ((*H, 6), True),
    ((*H, 7), 0),
    ((*H, 8), b""),
    ((*H, 9), None),
    ((*H, 9), []),
    ((*H, 9), ["BCG"]),
    ((*H, 9), "BCG"),
    ((*H, 9), {0: "BCG", 1: "HepB", 2: "HepB"}),
    ((*H, 9, 0), 1),
    ((*H, 9, 0), ["BCG"]),
    ((*H, 10, 0), 2**40),
    ((*H, 10, 0), -(2**40)),
    ((*H, 10, 0), 4000),
    ((*H, 10, 0), False),
    ((*H, 10, 0), None),
    ((*H, 11, 0), 5),
    ((*H, 11, 0), ""),
    ((*H, 12, 0), None),
    ((*H, 13, 0), 4),
    ((*H, 13, 0), -1),
    ((*H, 13, 0), True),
    ((*H, 13, 0), "given"),
    ((*H, 13), DELETED),
]
FORGED_VERDICTS = [
    (S, DELETED),
    (S, "complete"),
    ((*S, 0), 3),
    ((*S, 4), 2**40),
    ((*S, 5), 2),
    ((*S, 5), -1),
    ((*S, 5), True),
    ((*S, 6), 7),
    ((*S, 7), "6"),
    ((*S, 8), 3),
    ((*S, 8), -1),
    ((*S, 8), 0),
    ((*S, 9), []),
    ((*S, 9), ["DT"]),
    ((*S, 9), [["DT", 1]]),
    ((*S, 9), [["DT", [None]]]),
    ((*S, 9), [["DT", [True]]]),
    ((*S, 9), [[7, [1]]]),
]


@pytest.mark.parametrize(("path", "value"), FORGED_HISTORIES)
def test_a_forged_member_of_a_history_is_refused(path, value):
    forged = change(members(credential()), path, value)
    in_order = dict(sorted(forged.items(), key=lambda item: cbor2.dumps(item[0])))
    with pytest.raises(CertificateError):
        decode_claims(cbor2.dumps(in_order))


def test_a_sixth_column_is_refused():
    forged = members(credential())
    forged[HCERT][HISTORY].append([0, 0, 0])
    with pytest.raises(ClaimsError, match="five columns"):
        decode_claims(cbor2.dumps(forged))


@pytest.mark.parametrize(("path", "value"), FORGED_VERDICTS)
def test_a_forged_member_of_a_school_verdict_is_refused(path, value):
    with pytest.raises(CertificateError):
        decode_claims(cbor2.dumps(change(members(credential(school_verdict())), path, value)))


@pytest.mark.parametrize(
    ("path", "value"), [((CHECK_STATEMENT, *path[2:]), value) for path, value in FORGED_VERDICTS]
)
def test_a_forged_finding_of_a_statement_is_refused(path, value):
    forged = members(credential(check_statement()))
    change(forged[HCERT], path, value)
    with pytest.raises(CertificateError):
        decode_claims(cbor2.dumps(forged))


@pytest.mark.parametrize(
    ("place", "value"),
    [(14, DELETED), (14, None), (14, b"3206020104"), (14, "诊所"), (14, "A" * 17), (6, "一班")],
)
def test_a_statement_has_a_clinic_and_no_class(place, value):
    forged = members(credential(check_statement()))
    change(forged[HCERT], (CHECK_STATEMENT, place), value)
    with pytest.raises(CertificateError):
        decode_claims(cbor2.dumps(forged))


def test_a_verdict_is_no_statement_and_a_statement_no_verdict():
    for stated, other in ((check_statement(), SCHOOL_VERDICT), (school_verdict(), CHECK_STATEMENT)):
        forged = members(credential(stated))
        own = forged[HCERT]
        forged[HCERT] = {STATUS: own.pop(STATUS), other: own.popitem()[1]}
        with pytest.raises(CertificateError):
            decode_claims(cbor2.dumps(forged))


def test_the_bit_of_a_statement_is_its_log_position():
    places = {one: status_of_statement(one) for one in (1, 2**24 - 1, 2**24, 10**9)}
    assert [(one.list - 2**30, one.index) for one in places.values()] == [
        (0, 1),
        (0, 2**24 - 1),
        (1, 0),
        (59, 10**9 - 59 * 2**24),
    ]


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\xa0", b"\x01", b"\xf6", b"\xff" * 40])
def test_other_payloads_are_refused(payload):
    with pytest.raises(CertificateError):
        decode_claims(payload)


def test_one_person_is_never_another():
    ours, theirs = (encode_claims(credential(history(3, one))) for one in (HOLDER, OTHER_HOLDER))
    assert ours != theirs
    assert decode_claims(theirs).content.holder == OTHER_HOLDER


def test_an_empty_history_is_a_statement_too():
    stated = decode_claims(encode_claims(credential(history(0)))).content
    assert isinstance(stated, History)
    assert stated.doses == ()
