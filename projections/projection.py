"""What a projection is: tables, and a rule how they follow the log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from psycopg import sql

from projections.change import Change
from projections.connection import Cursor


@dataclass(frozen=True)
class Table:
    """A table that a projection owns.

    Attributes:
        name: Without its schema.
        key: Columns of the primary key: the order of the digest.
        digested: Columns that the digest covers; all of them when empty.
        sought: Columns beside the key by which entries seek rows: their indexes are needed while
            the projection is made anew.
    """

    name: str
    key: tuple[str, ...]
    digested: tuple[str, ...] = ()
    sought: tuple[str, ...] = ()


@dataclass(frozen=True)
class Projection:
    """One read model.

    Attributes:
        name: Under which its position is kept.
        follows: How the topics begin that concern it; of no other does an entry change it.
        tables: What it owns.
        apply: Write what the entries change, as sets, into the tables that the cursor's schema
            has under these names. All that concerns a stream depends on that stream alone: so a
            parked stream can follow later. Raises for an entry that it cannot apply.
    """

    name: str
    follows: tuple[str, ...]
    tables: tuple[Table, ...]
    apply: Callable[[Cursor, Sequence[Change]], None]

    def digest(self, cursor: Cursor, position: int) -> str:
        """Return the canonical digest of the content, 64 hex digits.

        SHA-256 over the name, the position, and each table's name and rows as CSV in the order of
        the primary key.
        """
        total = sha256(f"vaxledger projection\n{self.name}\n{position}\n".encode())
        for table in self.tables:
            total.update(f"{table.name}\n".encode())
            digested = sql.SQL(", ").join(map(sql.Identifier, table.digested))
            with cursor.copy(
                sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT csv)").format(
                    digested if table.digested else sql.SQL("*"),
                    sql.Identifier(table.name),
                    sql.SQL(", ").join(map(sql.Identifier, table.key)),
                )
            ) as rows:
                for chunk in rows:
                    total.update(chunk)
        return total.hexdigest()
