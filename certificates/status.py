"""Status lists: one bit a credential, signed, with the time it was true (Token Status List).

A list is a CWT of the IETF Token Status List, ``bits`` = 1, read by any reader of that format:

    header  = {1: algorithm, 4: kid, 16: "application/statuslist+cwt"}
    payload = {2: URI, 4: expires, 6: issued, 65533: {"bits": 1, "lst": zlib}, 65534: ttl}

A set bit means that the credential holds no more, for whatever reason. A second list beside it,
same form and same indexes, says which of those have a successor; it never makes one valid.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zlib import compress

from certificates import cbor
from certificates.container import inflate
from certificates.errors import StatusListError, UnknownIssuer
from certificates.shape import check_moment, check_number, check_text, moment_of, seconds_of
from certificates.signing import Sign1, Signer, sign
from certificates.trust import TrustList, Usage

STATUS_LIST_TYPE = "application/statuslist+cwt"

MAX_SIZE = 2**24
"""Credentials in one list; larger issuers use several."""

MAX_BYTES = 4_000_000

_URI, _EXPIRES, _ISSUED, _LIST, _TTL = 2, 4, 6, 65533, 65534
_MAX_URI = 240
_LONGEST_TTL = 366 * 86_400


@dataclass(frozen=True, slots=True)
class StatusList:
    """Which credentials of a list hold no more.

    Attributes:
        uri: Where it lies, and which it is.
        issued_at: When it was true.
        expires_at: From when on it says nothing of the present.
        ttl: After how long a reader should fetch a newer one.
        bits: Eight credentials a byte, the lowest bit first.
    """

    uri: str
    issued_at: datetime
    expires_at: datetime
    ttl: timedelta
    bits: bytes

    def __post_init__(self) -> None:
        check_text(self.uri, _MAX_URI, "status list")
        check_moment(self.issued_at, "issued")
        check_moment(self.expires_at, "expires")
        check_number(int(self.ttl.total_seconds()), 1, _LONGEST_TTL, "ttl")
        check_number(len(self.bits), 1, MAX_SIZE // 8, "status list bytes")

    @property
    def size(self) -> int:
        """Credentials it speaks of, rounded up to whole bytes."""
        return len(self.bits) * 8

    def has(self, index: int) -> bool:
        """Whether the bit of a credential is set; false beyond the end."""
        return index < self.size and bool(self.bits[index >> 3] >> (index & 7) & 1)

    @classmethod
    def of(
        cls,
        uri: str,
        indexes: Iterable[int],
        size: int,
        life: tuple[datetime, datetime],
        ttl: timedelta,
    ) -> Self:
        """Return a list.

        Args:
            uri: Where it will lie.
            indexes: The set bits.
            size: Credentials that it speaks of; the same for every list, so that its length tells
                nothing of how many there are.
            life: When it is issued and when it expires.
            ttl: After how long a reader should fetch a newer one.

        Raises:
            ClaimsError: If size, moments or an index are out of range.
        """
        check_number(size, 1, MAX_SIZE, "status list size")
        bits = bytearray((size + 7) // 8)
        for index in indexes:
            check_number(index, 0, size - 1, "status index")
            bits[index >> 3] |= 1 << (index & 7)
        return cls(uri, *life, ttl, bytes(bits))


def sign_status_list(statuses: StatusList, signer: Signer) -> bytes:
    """Return the signed bytes of a status list."""
    payload: dict[int, cbor.Cbor] = {
        _URI: statuses.uri,
        _EXPIRES: seconds_of(statuses.expires_at),
        _ISSUED: seconds_of(statuses.issued_at),
        _LIST: {"bits": 1, "lst": compress(statuses.bits, 9)},
        _TTL: int(statuses.ttl.total_seconds()),
    }
    return sign(cbor.encode(payload), signer, STATUS_LIST_TYPE)


def verify_status_list(raw: bytes, trust: TrustList) -> StatusList:
    """Return the status list that an issuer signed; whether it is fresh is judged when it is used.

    Args:
        raw: The bytes, at most 4,000,000.
        trust: Whose lists are believed, each for its own URIs only.

    Raises:
        StatusListError: If it is too long, of another type or malformed.
        UnknownIssuer: If no listed key may sign a list of this URI for that time.
        CertificateError: Any other reason why it cannot be read or its signature does not hold.
    """
    if len(raw) > MAX_BYTES:
        raise StatusListError("A status list is at most 4,000,000 bytes.", size=len(raw))
    signed = Sign1.parse(raw)
    if signed.type != STATUS_LIST_TYPE:
        raise StatusListError
    key = trust.verified_key(signed)
    statuses = _decode(signed.payload)
    key.check_may_sign(Usage.STATUS_LIST, statuses.issued_at, statuses.expires_at)
    if not statuses.uri.startswith(f"{key.issuer.status_uri}/"):
        raise UnknownIssuer("This issuer has no such status list.")
    return statuses


def _decode(payload: bytes) -> StatusList:
    match cbor.decode(payload):
        case {
            2: str() as uri,
            4: int() as expires,
            6: int() as issued,
            65533: {"bits": 1, "lst": bytes() as packed},
            65534: int() as ttl,
        }:
            check_number(ttl, 1, _LONGEST_TTL, "ttl")
            return StatusList(
                uri,
                moment_of(issued, "issued"),
                moment_of(expires, "expires"),
                timedelta(seconds=ttl),
                inflate(packed, MAX_SIZE // 8),
            )
    raise StatusListError
