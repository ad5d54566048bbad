"""The claims of a credential: who says what, from when to when (RFC 8392, HCERT claim -260).

    claims  = {1: issuer, 4: expires, 6: issued, -260: {-70: [list, index], content}}
    content = -71: history  /  -72: school verdict  /  -73: check statement

Sub-claims below zero of -260 are free for parties of their own; ours are documented in
``docs/certificate-format.md``. A value has one encoding, and only that is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from certificates import cbor
from certificates.check_statement import CheckStatement
from certificates.errors import ClaimsError
from certificates.history import History
from certificates.school_verdict import LONGEST_LIFE, SchoolVerdict
from certificates.shape import (
    check_code,
    check_moment,
    check_number,
    civil_day,
    moment_of,
    seconds_of,
)

HCERT = -260
STATUS = -70
HISTORY = -71
SCHOOL_VERDICT = -72
CHECK_STATEMENT = -73

ISSUER_FORM = re.compile(r"[A-Z]{2}(?:-[0-9A-Z]{1,9})?")
"""A country (ISO 3166) and a division of it, such as ``CN-320600``."""

STATEMENT_LISTS = 2**30
"""Number of the first status list of check statements."""

STATEMENTS_A_LIST = 2**24
"""Log positions that such a list speaks of."""

Content = History | SchoolVerdict | CheckStatement

_ISSUER, _EXPIRES, _ISSUED = 1, 4, 6
_KEYS: Mapping[type[Content], int] = {
    History: HISTORY,
    SchoolVerdict: SCHOOL_VERDICT,
    CheckStatement: CHECK_STATEMENT,
}


@dataclass(frozen=True, slots=True)
class StatusReference:
    """The bit that says whether a credential is still in force.

    Attributes:
        list: Number of the issuer's status list.
        index: The bit in it. Drawn at random among the free ones, so that neighbours in the list
            are strangers; a statement's is its log position (`status_of_statement`).
    """

    list: int
    index: int

    def __post_init__(self) -> None:
        check_number(self.list, 0, 2**31 - 1, "status list")
        check_number(self.index, 0, 2**31 - 1, "status index")


def status_of_statement(position: int) -> StatusReference:
    """Where the bit of a statement stands: its log position is its own, so nothing is drawn.

    Args:
        position: Of the entry that issued it.
    """
    number, index = divmod(position, STATEMENTS_A_LIST)
    return StatusReference(STATEMENT_LISTS + number, index)


@dataclass(frozen=True, slots=True)
class Credential:
    """What an issuer states.

    Attributes:
        issuer: Such as ``CN-320600``.
        issued_at: Whole second, UTC.
        expires_at: First second in which it holds no more.
        status: Where its revocation would stand.
        content: All doses, the verdict for a school, or the statement of a clinic.
    """

    issuer: str
    issued_at: datetime
    expires_at: datetime
    status: StatusReference
    content: Content

    def __post_init__(self) -> None:
        check_code(self.issuer, ISSUER_FORM, "issuer")
        check_moment(self.issued_at, "issued")
        check_moment(self.expires_at, "expires")
        if self.issued_at >= self.expires_at:
            raise ClaimsError("A credential expires after it is issued.")
        life = self.expires_at - self.issued_at
        if isinstance(self.content, SchoolVerdict) and life > LONGEST_LIFE:
            raise ClaimsError("A school verdict lives 60 days at most.")
        if _day(self.content) > civil_day(self.issued_at):
            raise ClaimsError("A credential speaks of no later day than it is issued.")


def _day(content: Content) -> date:
    return content.effective_on if isinstance(content, History) else content.checked_on


def encode_claims(credential: Credential) -> bytes:
    """Return the payload to be signed."""
    content = credential.content
    status = (credential.status.list, credential.status.index)
    return cbor.encode(
        {
            _ISSUER: credential.issuer,
            _EXPIRES: seconds_of(credential.expires_at),
            _ISSUED: seconds_of(credential.issued_at),
            HCERT: {STATUS: status, _KEYS[type(content)]: content.encode()},
        }
    )


def decode_claims(payload: bytes) -> Credential:
    """Return what a payload states.

    Raises:
        CborError: If it is not deterministic CBOR.
        ClaimsError: If it is anything that `encode_claims` would not write.
    """
    match cbor.decode(payload):
        case {1: str() as issuer, 4: int() as expires, 6: int() as issued, -260: dict() as own}:
            credential = Credential(
                issuer,
                moment_of(issued, "issued"),
                moment_of(expires, "expires"),
                _decode_status(own.get(STATUS)),
                _decode_content(own),
            )
        case _:
            raise ClaimsError("A credential has an issuer, two moments and a content.")
    if encode_claims(credential) != payload:
        raise ClaimsError("The claims hold more than is read, or are not in their one form.")
    return credential


def _decode_status(pair: cbor.Cbor) -> StatusReference:
    match pair:
        case [int() as number, int() as index]:
            return StatusReference(number, index)
    raise ClaimsError("A credential says where its revocation would stand.")


def _decode_content(own: dict[int, cbor.Cbor]) -> Content:
    for kind, key in _KEYS.items():
        if key in own:
            return kind.decode(own[key])
    raise ClaimsError("The content is neither a history, a school verdict nor a statement.")
