"""An issuer, a child with up to 22 doses, and lists, all fixed, for the tests of credentials."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certificates.check_statement import CheckStatement
from certificates.claims import Content, Credential, StatusReference, encode_claims
from certificates.history import Dose, History, Provenance
from certificates.holder import Holder, LogState, RuleFile
from certificates.issue import issue
from certificates.school_verdict import EntryType, Missing, Outcome, SchoolVerdict
from certificates.signing import Es256Signer, PublicKey
from certificates.status import StatusList
from certificates.trust import Issuer, TrustedKey, TrustList, Usage

NOW = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALL_USAGES = Usage.HISTORY | Usage.SCHOOL_VERDICT | Usage.STATUS_LIST


def private_key(number: int) -> ec.EllipticCurvePrivateKey:
    """A key that everyone knows: its scalar is the number."""
    return ec.derive_private_key(number, ec.SECP256R1())


SIGNER = Es256Signer(private_key(1001))
OTHER_SIGNER = Es256Signer(private_key(1002))
ROOT = Es256Signer(private_key(1003))

ISSUER = Issuer("CN-320600", "https://vax.example.cn/status", "ledger.example.cn/vax")
OTHER_ISSUER = Issuer("CN-320200", "https://other.example.cn/status", "ledger.example.cn/other")

HOLDER = Holder(bytes(range(16)), "欧阳若曦", date(2020, 5, 17))
OTHER_HOLDER = Holder(bytes(range(16, 32)), "迪丽努尔·阿卜杜热合曼", date(2019, 2, 28))
CATALOGUE = RuleFile("vaccines-cn-2018", 1)
REQUIREMENT = RuleFile("kaifeng-2018-school-entry", 1)
LOG = LogState(1_234_567, bytes.fromhex("0123456789abcdef"))
STATUS = StatusReference(12, 345)
LIST_SIZE = 1024

_DOSES = """
BCG 0 201810095C 3206020001
HepB 0 B201859906 3206020001
HepB 30 B201819428 3206020104
IPV 61 B201831739 3206020104
IPV 92 201903233B 3206020104
DTaP 92 201911824-2 3206020104
OPV 122 201912280-1 3206020104
DTaP 122 C201959330 3206020104
DTaP 153 202005894 3206020104
HepB 183 202002313-2 3206020104
MPSV-A 185 202003114C 3206020104
MR 245 B202016363 3206020104
JE-L 250 202111133 3206020104
MPSV-A 275 202102272 3206020104
DTaP 550 202109564 3206020104
HepA-L 560 C202148144 3206020104
MMR 560 202208378-3 3206020104
JE-L 735 202201877-2 3206110012
MPSV-AC 1100 202210972-1 3206110012
OPV 1461 202211789-2 3206110012
DT 2200 B202368954 3206110012
MPSV-AC 2200 202307275 3206110012
"""


def doses(count: int, holder: Holder = HOLDER) -> tuple[Dose, ...]:
    """The first doses of a childhood; the seventh was written down from paper elsewhere."""
    rows = [line.split() for line in _DOSES.split("\n") if line][:count]
    made = [
        Dose(
            vaccine,
            holder.birth_date + timedelta(days=int(offset)),
            lot,
            clinic,
            Provenance.OTHER_PROVINCE if index == 6 else Provenance.GIVEN,
        )
        for index, (vaccine, offset, lot, clinic) in enumerate(rows)
    ]
    return tuple(sorted(made, key=lambda dose: dose.order))


def history(count: int = 3, holder: Holder = HOLDER) -> History:
    return History(holder, date(2026, 8, 31), CATALOGUE, LOG, doses(count, holder))


def school_verdict() -> SchoolVerdict:
    return SchoolVerdict(
        HOLDER,
        date(2026, 8, 31),
        EntryType.PRIMARY,
        "一年级（2）班",
        6,
        Outcome.TO_MAKE_UP,
        (Missing("DT", (1,)), Missing("MenAC", (1, 2))),
        REQUIREMENT,
        LOG,
    )


def check_statement() -> CheckStatement:
    return CheckStatement(replace(school_verdict(), class_name=None), "3206020104")


def credential(content: Content | None = None, **changed) -> Credential:
    facts = {
        "issuer": ISSUER.name,
        "issued_at": NOW - DAY,
        "expires_at": NOW + 59 * DAY,
        "status": STATUS,
        "content": content or history(),
    }
    return Credential(**(facts | changed))


@cache
def text(count: int = 3) -> str:
    return issue(credential(history(count)), SIGNER)


def payload() -> bytes:
    return encode_claims(credential())


def trusted(
    public_key: PublicKey = SIGNER.public_key,
    issuer: Issuer = ISSUER,
    usages: Usage = ALL_USAGES,
    certificate: bytes | None = None,
    valid: tuple[datetime, datetime] = (NOW - 300 * DAY, NOW + 600 * DAY),
) -> TrustedKey:
    return TrustedKey(issuer, public_key, *valid, usages, certificate)


def trust_list(*keys: TrustedKey, issued_at: datetime = NOW - DAY, days: int = 30) -> TrustList:
    return TrustList(issued_at, issued_at + days * DAY, keys or (trusted(),))


def status_list(*indexes: int, issued_at: datetime = NOW - DAY / 2, **changed) -> StatusList:
    uri = changed.get("uri", ISSUER.status_list(STATUS.list))
    size = changed.get("size", LIST_SIZE)
    life = (issued_at, issued_at + changed.get("days", 7) * DAY)
    return StatusList.of(uri, indexes, size, life, DAY)


def x509_certificate(
    key: ec.EllipticCurvePrivateKey,
    issuer: ec.EllipticCurvePrivateKey,
    names: tuple[str, str] = ("Signer", "Authority"),
) -> bytes:
    """DER of a certificate of a key, signed by an authority's key; names of both."""
    subject, authority = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in names
    )
    builder = x509.CertificateBuilder(
        issuer_name=authority,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=NOW - 365 * DAY,
        not_valid_after=NOW + 730 * DAY,
    )
    return builder.sign(issuer, SHA256()).public_bytes(Encoding.DER)
