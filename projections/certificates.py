"""Electronic certificates, their grants, and the view of one person's doses (C-1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from psycopg.rows import class_row

from domain.certificate_rules.content import shown_doses
from domain.certificate_rules.rules import CertificateRules
from projections.change import Change
from projections.connection import Cursor, Pool
from projections.doses import DoseRow, Doses
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "certificates"
_SQL = named_queries("certificates.sql")

_CLAIMED = "certificate.claimed.v1"
_GRANTED = "certificate.granted.v1"
_REVOKED = "certificate.grant-revoked.v1"
_RELEASED = "certificate.released.v1"

RULES = CertificateRules.load()
"""Which source systems certificates do not show, and until when (C-20)."""


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add certificates and grants, then end those that were revoked or released."""
    _add_certificates(cursor, [c for c in changes if c.entry.topic == _CLAIMED])
    _add_grants(cursor, [c for c in changes if c.entry.topic == _GRANTED])
    _revoke_grants(cursor, [c for c in changes if c.entry.topic == _REVOKED])
    _release(cursor, [c for c in changes if c.entry.topic == _RELEASED])


def _add_certificates(cursor: Cursor, claimed: Sequence[Change]) -> None:
    if not claimed:
        return
    with cursor.copy(_SQL["copy_certificates"]) as rows:
        for position, entry in claimed:
            data = entry.data
            rows.write_row(
                (
                    entry.stream,
                    data["record"],
                    data["kind"],
                    data["division"],
                    data["holder"],
                    data["derived"]["identifier"],
                    position,
                )
            )


def _add_grants(cursor: Cursor, granted: Sequence[Change]) -> None:
    if not granted:
        return
    with cursor.copy(_SQL["copy_grants"]) as rows:
        for position, entry in granted:
            data = entry.data
            rows.write_row(
                (
                    data["grant"],
                    entry.stream,
                    data["grantee"],
                    data["relation"],
                    list(data["scope"]),
                    data.get("ends_on"),
                    position,
                )
            )


def _revoke_grants(cursor: Cursor, revoked: Sequence[Change]) -> None:
    if revoked:
        cursor.execute(
            _SQL["revoke_grants"],
            {
                "grants": [change.entry.data["grant"] for change in revoked],
                "positions": [change.position for change in revoked],
            },
        )


def _release(cursor: Cursor, released: Sequence[Change]) -> None:
    if released:
        cursor.execute(
            _SQL["release_certificates"],
            {
                "certificates": [change.entry.stream for change in released],
                "reasons": [change.entry.data["reason"] for change in released],
                "positions": [change.position for change in released],
            },
        )


PROJECTION = Projection(
    NAME,
    (_CLAIMED, _GRANTED, _REVOKED, _RELEASED),
    (Table("certificates", ("certificate",)), Table("grants", ("grant_id",))),
    apply,
)


@dataclass(frozen=True)
class CertificateRow:
    """A certificate as known now.

    Attributes:
        state: `claimed` or `released`.
        identifier: Random, says nothing of an identity number (C-3).
    """

    certificate: UUID
    record: UUID
    kind: str
    division: str
    holder: UUID
    identifier: str
    state: str
    claimed_position: int
    released_position: int | None
    release_reason: str | None

    def known_at(self, position: int) -> "CertificateRow | None":
        """Return it as it read when the log ended at a position; None before it was claimed."""
        if position < self.claimed_position:
            return None
        if self.released_position is None or self.released_position <= position:
            return self
        return replace(self, state="claimed", released_position=None, release_reason=None)


@dataclass(frozen=True)
class GrantRow:
    """A grant as known now; `ends_on` is its last day."""

    grant_id: UUID
    certificate: UUID
    grantee: UUID
    relation: str
    scope: list[str]
    ends_on: date | None
    granted_position: int
    revoked_position: int | None

    def known_at(self, position: int) -> "GrantRow | None":
        """Return it as it read when the log ended at a position; None before it was given."""
        if position < self.granted_position:
            return None
        if self.revoked_position is None or self.revoked_position <= position:
            return self
        return replace(self, revoked_position=None)

    def is_active_on(self, day: date) -> bool:
        """Whether it holds on a civil day."""
        return self.revoked_position is None and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True)
class CertificateView:
    """One person's doses as a certificate shows them on a day (C-1).

    Attributes:
        record: Whose doses.
        certificate: The certificate, or None while nobody has claimed one.
        effective_on: The civil day.
        doses: Shown, in the order in which they were given, each with its provenance (C-27).
        total: Doses of the record on that day.
        withheld: Of these, doses of a source system that certificates do not show (C-20).
    """

    record: UUID
    certificate: CertificateRow | None
    effective_on: date
    doses: tuple[DoseRow, ...]
    total: int
    withheld: int


class Certificates:
    """Questions about certificates.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._doses = Doses(pool)

    def get(self, certificate: UUID) -> CertificateRow | None:
        """Return one certificate."""
        return self._one("certificate", certificate)

    def of_record(self, record: UUID) -> CertificateRow | None:
        """Return the claimed certificate of a record, or else the one last released."""
        return self._one("certificate_of_record", record)

    def held_by(self, holder: UUID) -> list[CertificateRow]:
        """Return the claimed certificates that a person holds."""
        return self._several("certificates_held_by", holder)

    def granted_to(self, grantee: UUID) -> list[CertificateRow]:
        """Return the claimed certificates that a person has an unrevoked grant for."""
        return self._several("certificates_granted_to", grantee)

    def grants(self, certificate: UUID) -> list[GrantRow]:
        """Return every grant that a certificate ever had, oldest first."""
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(GrantRow))
            return cursor.execute(_SQL["grants"], {"key": certificate}).fetchall()

    def certificate_view(
        self,
        record: UUID,
        effective_on: date,
        *,
        include_bite_injury: bool = False,
        at_position: int | None = None,
    ) -> CertificateView:
        """Return what a certificate of a record shows on a day.

        Args:
            record: The record; of a certificate, its `record`.
            effective_on: Civil day: a correction shows from its effective day on (C-21).
            include_bite_injury: Whether doses of the bite-injury system show (the switch of C-20).
            at_position: What was known then; now when absent.
        """
        doses = self._doses.of_record(record, effective_on, at_position)
        hidden = RULES.sources_not_shown(effective_on)
        shown = tuple(doses) if include_bite_injury else shown_doses(doses, hidden)
        return CertificateView(
            record,
            self.of_record(record),
            effective_on,
            shown,
            total=len(doses),
            withheld=len(doses) - len(shown),
        )

    def _one(self, query: str, key: UUID) -> CertificateRow | None:
        rows = self._several(query, key)
        return rows[0] if rows else None

    def _several(self, query: str, key: UUID) -> list[CertificateRow]:
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(CertificateRow))
            return cursor.execute(_SQL[query], {"key": key}).fetchall()
