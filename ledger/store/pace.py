"""Whether this process's clock may be believed: it goes its steady way, or its server agrees.

A clock that was set a day ahead would end writing for a day, since nobody may record before the
newest entry; and what days bring about by themselves would come a day too soon, for good.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from ledger.entry import CLOCK_TOLERANCE
from ledger.store.connections import Connection
from ledger.store.errors import ClockApart
from ledger.store.queries import load_queries

_QUERIES = load_queries("append.sql")


class Pace:
    """Compares a clock with a steady one; not for several threads at once.

    Args:
        clock: What writes are recorded under.
        steady: Seconds that nobody sets, and that go on while the machine sleeps.
    """

    def __init__(self, clock: Callable[[], datetime], steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._agreed: tuple[datetime, float] | None = None

    def check(self, ask: Callable[[], datetime]) -> datetime:
        """Ask the server for its time, at first and after each jump.

        Args:
            ask: Returns the clock of the server.

        Returns:
            This process's clock, which may be believed.

        Raises:
            ClockApart: The two are more than two seconds apart.
        """
        now, steady = self._clock(), self._steady()
        if self._agreed is not None:
            then, started = self._agreed
            if abs(now - then - timedelta(seconds=steady - started)) <= CLOCK_TOLERANCE:
                return now
        self._agreed = None
        theirs = ask()
        # Wherever within its question the server answered, it was not further away than this.
        apart = theirs - min(max(theirs, now), self._clock())
        if abs(apart) > CLOCK_TOLERANCE:
            raise ClockApart(apart)
        self._agreed = self._clock(), self._steady()
        return self._agreed[0]


def newest_recorded_at(connection: Connection) -> datetime:
    """Return when the newest entry was recorded: no later one may lie behind it.

    Args:
        connection: Of a role that reads the head.
    """
    row = connection.execute(_QUERIES["newest"]).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found
