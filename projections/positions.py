"""Up to where projections are applied, for readers who wait for a position."""

from projections import people
from projections.connection import Pool
from projections.errors import UnknownProjection
from projections.queries import named_queries

_SQL = named_queries("positions.sql")


class Positions:
    """Positions of all projections.

    A notification `<name> <position>` on the log database's channel `vaxledger_projected` says
    when to look again; it may be lost, so look at least once a second.

    Args:
        log: Connections to the log database that read.
        keys: Connections to the key database that read.
    """

    def __init__(self, log: Pool, keys: Pool) -> None:
        self._log = log
        self._keys = keys

    def position(self, name: str) -> int:
        """Return the position of the last entry that a projection has applied.

        Raises:
            UnknownProjection: If there is none of this name.
        """
        in_keys = name == people.NAME
        pool = self._keys if in_keys else self._log
        query = "position_in_keys" if in_keys else "position_in_log"
        with pool.connection() as connection:
            row = connection.execute(_SQL[query], {"name": name}).fetchone()
        if row is None:
            raise UnknownProjection(name=name)
        return int(row[0])

    def all(self) -> dict[str, int]:
        """Return the position of every projection by its name."""
        found: dict[str, int] = {}
        for pool, query in ((self._log, "all_in_log"), (self._keys, "all_in_keys")):
            with pool.connection() as connection:
                found |= dict(connection.execute(_SQL[query]).fetchall())
        return found

    def parked(self) -> dict[str, int]:
        """Return how many streams are not followed, by the projections that do not follow them."""
        found: dict[str, int] = {}
        for pool, query in ((self._log, "parked_in_log"), (self._keys, "parked_in_keys")):
            with pool.connection() as connection:
                found |= dict(connection.execute(_SQL[query]).fetchall())
        return found

    def lowest(self) -> int:
        """Return the position up to which every projection is applied."""
        lowest = []
        for pool, query in ((self._log, "lowest_in_log"), (self._keys, "lowest_in_keys")):
            with pool.connection() as connection:
                row = connection.execute(_SQL[query]).fetchone()
                lowest.append(int(row[0]) if row else 0)
        return min(lowest)
