"""Credentials: issued, drawn as a code and verified, beside the bare signature that each needs."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.contest import Contestant
from benchmarks.measuring import alone
from certificates.claims import Credential, StatusReference
from certificates.history import Dose, History
from certificates.holder import Holder, LogState, RuleFile
from certificates.issue import issue
from certificates.qr import Code
from certificates.signing import Es256Signer
from certificates.status import StatusList
from certificates.trust import Issuer, TrustedKey, TrustList, Usage
from certificates.verify import Verdict, verify

_BORN, _NOW, _DAY = date(2018, 3, 12), datetime(2024, 9, 2, tzinfo=UTC), timedelta(days=1)
_ISSUER = Issuer("CN-410200", "https://vax.example.cn/certificates/status", "ledger.example.cn/vax")
_USAGES = Usage.HISTORY | Usage.STATUS_LIST
_DOSES = 22
_MESSAGE = bytes(869)


def contestants() -> list[Contestant]:
    """One child with 22 doses, their lots and clinics."""
    signer = Es256Signer(ec.generate_private_key(ec.SECP256R1()))
    stated = _credential()
    text = issue(stated, signer)
    life = (_NOW - 30 * _DAY, _NOW + 600 * _DAY)
    trust = TrustList(*life, (TrustedKey(_ISSUER, signer.public_key, *life, _USAGES),))
    statuses = [StatusList.of(_ISSUER.status_list(0), (), 2**20, (_NOW, _NOW + _DAY), _DAY)]
    signature = signer.sign(_MESSAGE)
    assert verify(text, trust, statuses, _NOW).verdict is Verdict.VALID
    return [
        _contestant(
            "issue a credential", lambda: issue(stated, signer), beside="bare ES256 signature"
        ),
        _contestant("bare ES256 signature", lambda: signer.sign(_MESSAGE)),
        _contestant(
            "verify a credential",
            lambda: verify(text, trust, statuses, _NOW),
            beside="bare ES256 verification",
        ),
        _contestant(
            "bare ES256 verification", lambda: signer.public_key.verify(signature, _MESSAGE)
        ),
        _contestant("draw the code of a credential", lambda: Code.of(text).svg()),
    ]


def _credential() -> Credential:
    doses = tuple(
        Dose(f"V{n % 12}", _BORN + n * 90 * _DAY, f"20{18 + n // 4}{n * 7919 % 10**6:06}", "C1")
        for n in range(_DOSES)
    )
    history = History(
        Holder(bytes(range(16)), "王小明", _BORN),
        _NOW.date(),
        RuleFile("vaccines-cn-2018", 1),
        LogState(1_234_567, bytes(8)),
        doses,
    )
    life = (_NOW, _NOW + 365 * _DAY)
    return Credential(_ISSUER.name, *life, StatusReference(0, 12_345), history)


def _contestant(name: str, act: Callable[[], object], beside: str = "") -> Contestant:
    def step() -> int:
        act()
        return 1

    return Contestant(
        name,
        "credentials/s",
        lambda seconds: alone(step, seconds),
        beside=beside,
        note=f"{_DOSES} doses, 1 core",
        has_latency=True,
    )
