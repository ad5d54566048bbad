"""Who may write and read what: one table of topic x role x policy, deny by default.

A row is read as "this role may do this when the policy holds". What has no row is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from commands.errors import Forbidden
from commands.principal import Principal, Role

COUNTY_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy looks at.

    Attributes:
        division: Where the thing lies (GB/T 2260, six or nine digits).
        acting: The organisation in whose name the author acts, as the statement says.
        managing: The organisation that manages the record, where there is one.
        receiving: The organisation that is to manage it, where it moves.
    """

    division: str
    acting: UUID | None = None
    managing: UUID | None = None
    receiving: UUID | None = None


Policy = Callable[[Principal, Scope], bool]


def is_own(principal: Principal, scope: Scope) -> bool:
    """The author acts in the name of the own organisation."""
    return scope.acting is not None and scope.acting == principal.organisation


def is_managing(principal: Principal, scope: Scope) -> bool:
    """The own organisation manages the record (C-22, S-8)."""
    return is_own(principal, scope) and scope.managing == principal.organisation


def is_own_in_county(principal: Principal, scope: Scope) -> bool:
    """The own organisation, for a record of the same county (S-15)."""
    county = principal.division[:COUNTY_DIGITS]
    return (
        is_own(principal, scope)
        and len(county) == COUNTY_DIGITS
        and scope.division.startswith(county)
    )


def is_receiving_in_county(principal: Principal, scope: Scope) -> bool:
    """The own organisation takes over a record of the same county (C-23, C-24)."""
    return is_own_in_county(principal, scope) and scope.receiving == principal.organisation


def is_in_county(principal: Principal, scope: Scope) -> bool:
    """A record of the county in which the own organisation works."""
    county = principal.division[:COUNTY_DIGITS]
    return len(county) == COUNTY_DIGITS and scope.division.startswith(county)


def is_within(principal: Principal, scope: Scope) -> bool:
    """The thing lies in the caller's divisions."""
    return principal.is_within(scope.division)


def is_own_within(principal: Principal, scope: Scope) -> bool:
    """The own organisation, for a thing that lies in its divisions."""
    return is_own(principal, scope) and principal.is_within(scope.division)


def manages(principal: Principal, scope: Scope) -> bool:
    """The own organisation manages the record, in whosever name."""
    return scope.managing is not None and scope.managing == principal.organisation


Rows = tuple[tuple[Role, Policy], ...]

_STAFF_OWN: Rows = tuple(
    (role, is_own)
    for role in (
        Role.CLINIC,
        Role.SCHOOL,
        Role.TOWNSHIP,
        Role.COUNTY_CDC,
        Role.CITY_CDC,
        Role.PROVINCE_CDC,
        Role.EDUCATION,
        Role.REGULATOR,
        Role.INTEGRATOR,
        Role.OPERATOR,
    )
)
_ADMISSION: Rows = ((Role.COUNTY_CDC, is_within), (Role.OPERATOR, is_within))
_CORRECTION: Rows = ((Role.CLINIC, is_managing), (Role.COUNTY_CDC, is_within))
_PREVENTION = (Role.COUNTY_CDC, Role.CITY_CDC, Role.PROVINCE_CDC)
_PROTECTION: Rows = tuple((role, is_own_within) for role in _PREVENTION)
_MERGING: Rows = ((Role.CLINIC, is_managing), *_PROTECTION)
_SUPERVISION: Rows = tuple((role, is_within) for role in (*_PREVENTION, Role.REGULATOR))
_SITE: Rows = ((Role.CLINIC, is_managing), (Role.COUNTY_CDC, is_within))
_SCHOOL: Rows = ((Role.SCHOOL, is_own),)
_OVERSIGHT: Rows = (
    *((role, is_within) for role in (Role.TOWNSHIP, Role.EDUCATION)),
    *_SUPERVISION,
)

WRITES: Mapping[str, Rows] = {
    "organisation.registered.v1": _ADMISSION,
    "organisation.key-registered.v1": (*_STAFF_OWN, *_ADMISSION),
    "organisation.key-revoked.v1": (*_STAFF_OWN, *_ADMISSION),
    "vaccination-record.registered.v1": ((Role.CLINIC, is_own),),
    "vaccination-record.roll-changed.v1": (
        (Role.CLINIC, is_managing),
        (Role.CLINIC, is_receiving_in_county),
    ),
    "vaccination-record.guardian-added.v1": ((Role.CLINIC, is_managing),),
    "vaccination-record.guardian-removed.v1": ((Role.CLINIC, is_managing),),
    "vaccination-record.dose-administered.v1": ((Role.CLINIC, is_own_in_county),),
    "vaccination-record.dose-transcribed.v1": ((Role.CLINIC, is_own_in_county),),
    "vaccination-record.contraindication-recorded.v1": ((Role.CLINIC, is_own_in_county),),
    "vaccination-record.contraindication-lifted.v1": ((Role.CLINIC, is_in_county),),
    "vaccination-record.identity-amended.v1": ((Role.CLINIC, is_managing),),
    "vaccination-record.adverse-event-reported.v1": (
        (Role.CLINIC, is_own_in_county),
        (Role.COUNTY_CDC, is_own_within),
    ),
    "vaccination-record.adverse-event-classified.v1": _PROTECTION,
    "vaccination-record.merged.v1": _MERGING,
    "vaccination-record.separated.v1": _MERGING,
    "vaccination-record.told-apart.v1": _MERGING,
    "vaccination-record.restricted.v1": _PROTECTION,
    "vaccination-record.restriction-lifted.v1": _PROTECTION,
    "vaccination-record.shred-requested.v1": _PROTECTION,
    "vaccination-record.shred-withdrawn.v1": _PROTECTION,
    "vaccination-record.shredded.v1": _PROTECTION,
    "correction.requested.v1": _CORRECTION,
    "correction.verified.v1": _CORRECTION,
    "correction.applied.v1": _CORRECTION,
    "correction.rejected.v1": _CORRECTION,
    "correction.withdrawn.v1": _CORRECTION,
    "enrolment.enrolled.v1": _SCHOOL,
    "enrolment.checked.v1": _SCHOOL,
    "enrolment.certificate-reissued.v1": _SCHOOL,
    "enrolment.rechecked.v1": _SCHOOL,
    "enrolment.notice-given.v1": _SCHOOL,
    "enrolment.check-restated.v1": _SCHOOL,
    "check-statement.issued.v1": ((Role.CLINIC, is_own),),
    "check-statement.makeup-recorded.v1": ((Role.CLINIC, is_own_in_county),),
    "slot-supply.opened.v1": _SITE,
    "slot-supply.raised.v1": _SITE,
    "slot-supply.lowered.v1": _SITE,
    "slot-supply.closed.v1": _SITE,
    "slot-supply.slot-moved.v1": _SITE,
    "appointment.held.v1": ((Role.CLINIC, is_managing),),
    "appointment.verified.v1": ((Role.CLINIC, is_own),),
    "appointment.redeemed.v1": ((Role.CLINIC, is_own),),
    "appointment.called-off.v1": ((Role.CLINIC, is_own),),
    "appointment.followed-up.v1": ((Role.CLINIC, is_own),),
    "visit.opened.v1": ((Role.CLINIC, is_own),),
    "visit.registered.v1": ((Role.CLINIC, is_own),),
    "visit.vaccinated.v1": ((Role.CLINIC, is_own),),
    "visit.observed.v1": ((Role.CLINIC, is_own),),
    "visit.left.v1": ((Role.CLINIC, is_own),),
    "paper-comparison.differed.v1": ((Role.CLINIC, is_own),),
    "paper-comparison.settled.v1": ((Role.CLINIC, is_own_in_county),),
    "preparation.recorded.v1": (*_SCHOOL, (Role.COUNTY_CDC, is_own)),
    "register-report.submitted.v1": _SCHOOL,
    "roll-up-report.submitted.v1": (
        (Role.TOWNSHIP, is_own),
        (Role.COUNTY_CDC, is_own),
        (Role.CITY_CDC, is_own),
    ),
    "log.key-introduced.v1": ((Role.OPERATOR, is_own),),
    "log.key-retired.v1": ((Role.OPERATOR, is_own),),
}
"""Signed writes. Whether a citizen may claim or grant is the certificate's own policy."""

_WRITERS = {topic: frozenset(role for role, _ in rows) for topic, rows in WRITES.items()}

READS: Mapping[str, Rows] = {
    "record": ((Role.CLINIC, is_in_county), *_SUPERVISION),
    "quality": _SUPERVISION,
    "duplicates": tuple((role, is_within) for role in _PREVENTION),
    "lot": ((Role.CLINIC, is_own), *_SUPERVISION),
    "clinic": ((Role.CLINIC, manages), *_SUPERVISION),
    "visit": ((Role.CLINIC, manages),),
    "bookings": (
        (Role.CLINIC, manages),
        (Role.COUNTY_CDC, is_within),
        (Role.CITY_CDC, is_within),
    ),
    "access": ((Role.CLINIC, manages), *_SUPERVISION),
    "register": (*_SCHOOL, *_OVERSIGHT),
    "statement": ((Role.CLINIC, is_in_county), *_SCHOOL, *_OVERSIGHT),
    "roll-up": _OVERSIGHT,
    "entries": ((Role.REGULATOR, is_within), (Role.INTEGRATOR, is_within)),
    "personal": ((Role.REGULATOR, is_within), (Role.INTEGRATOR, is_within)),
    "signatures": ((Role.REGULATOR, is_within), (Role.OPERATOR, is_within)),
    "feed": ((Role.OPERATOR, is_within),),
}


def check_write(principal: Principal, topic: str, scope: Scope) -> None:
    """Refuse a write that no row allows.

    Raises:
        Forbidden: names the topic and the role, never what lies behind them.
    """
    _check(WRITES.get(topic, ()), principal, scope, what=topic)


def may_ever_write(principal: Principal, topic: str) -> bool:
    """Whether some row names the caller's role, whatever it is about."""
    return principal.role in _WRITERS.get(topic, ())


def check_role(principal: Principal, topic: str) -> None:
    """Refuse whom no row allows the write, whatever it is about.

    Raises:
        Forbidden: likewise; the same of what exists and of what does not.
    """
    if not may_ever_write(principal, topic):
        raise Forbidden(what=topic, role=str(principal.role))


def check_read(principal: Principal, what: str, scope: Scope) -> None:
    """Refuse a read that no row allows.

    Raises:
        Forbidden: likewise.
    """
    _check(READS.get(what, ()), principal, scope, what=what)


def _check(rows: Rows, principal: Principal, scope: Scope, *, what: str) -> None:
    if not any(role == principal.role and policy(principal, scope) for role, policy in rows):
        raise Forbidden(what=what, role=str(principal.role))
