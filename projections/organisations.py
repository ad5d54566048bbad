"""Organisations and their signing keys: the roll of institutions, the denominator of S-21."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from psycopg.rows import class_row

from projections.change import Change
from projections.connection import Cursor, Pool
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "organisations"
_SQL = named_queries("organisations.sql")
MAX_NAMES = 50_000
"""That are remembered: 5 MB, more than a province has."""

_REGISTERED = "organisation.registered.v1"
_KEY_REGISTERED = "organisation.key-registered.v1"
_KEY_REVOKED = "organisation.key-revoked.v1"


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add organisations and keys, then mark revoked keys."""
    organisations = [change for change in changes if change.entry.topic == _REGISTERED]
    keyed = [
        change
        for change in changes
        if change.entry.topic in (_REGISTERED, _KEY_REGISTERED)
        and "public_key" in change.entry.data
    ]
    revoked = [change for change in changes if change.entry.topic == _KEY_REVOKED]
    if organisations:
        with cursor.copy(_SQL["copy_organisations"]) as rows:
            for position, entry in organisations:
                data = entry.data
                rows.write_row(
                    (
                        entry.stream,
                        data["name"],
                        data.get("name_en"),
                        data["kind"],
                        data["division"],
                        data.get("parent"),
                        data.get("institution_type"),
                        data.get("ownership"),
                        position,
                    )
                )
    if keyed:
        with cursor.copy(_SQL["copy_keys"]) as rows:
            for position, entry in keyed:
                key = entry.data["public_key"]
                keyid = sha256(bytes.fromhex(key)).hexdigest()
                rows.write_row((keyid, position, entry.stream, key))
    if revoked:
        cursor.execute(
            _SQL["revoke_keys"],
            {
                "organisations": [change.entry.stream for change in revoked],
                "keyids": [change.entry.data["keyid"] for change in revoked],
                "reasons": [change.entry.data["reason"] for change in revoked],
                "positions": [change.position for change in revoked],
            },
        )


PROJECTION = Projection(
    NAME,
    ("organisation.",),
    (Table("organisations", ("organisation",)), Table("keys", ("keyid", "from_position"))),
    apply,
)


@dataclass(frozen=True)
class OrganisationRow:
    """An organisation as registered."""

    organisation: UUID
    name: str
    name_en: str | None
    kind: str
    division: str
    parent: UUID | None
    institution_type: str | None
    ownership: str | None
    registered_position: int


@dataclass(frozen=True)
class KeyRow:
    """A signing key and the positions [from_position, revoked_position) at which it was valid."""

    keyid: str
    organisation: UUID
    public_key: str
    from_position: int
    revoked_position: int | None
    reason: str | None


class Organisations:
    """Questions about organisations.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._names: dict[UUID, str] = {}

    def get(self, organisation: UUID) -> OrganisationRow | None:
        """Return one organisation."""
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(OrganisationRow))
            return cursor.execute(_SQL["organisation"], {"organisation": organisation}).fetchone()

    def names(self, organisations: Collection[UUID]) -> dict[UUID, str]:
        """Return the names of organisations by id; unknown ones are left out.

        No entry renames an organisation, so a name is asked for once.
        """
        found = {one: name for one in organisations if (name := self._names.get(one)) is not None}
        if lacking := set(organisations) - found.keys():
            with self._pool.connection() as connection:
                asked = {"organisations": list(lacking)}
                rows = connection.execute(_SQL["organisation_names"], asked).fetchall()
            found.update(rows)
            if len(self._names) + len(rows) > MAX_NAMES:
                self._names.clear()
            self._names.update(rows)
        return found

    def within(self, division_prefix: str, kind: str | None = None) -> list[OrganisationRow]:
        """Return the organisations of a division and all below it, in order of division and age.

        Args:
            division_prefix: First digits of the division, such as `4102` for a city.
            kind: Only these, such as `school`.
        """
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(OrganisationRow))
            return cursor.execute(
                _SQL["organisations_within"], {"prefix": division_prefix, "kind": kind}
            ).fetchall()

    def keys(self, organisation: UUID) -> list[KeyRow]:
        """Return every key that an organisation ever had, oldest first."""
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(KeyRow))
            return cursor.execute(_SQL["keys"], {"organisation": organisation}).fetchall()
