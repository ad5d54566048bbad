"""Finding what the log decided to erase, and having it destroyed."""

from bootstrap.settings import Settings
from bootstrap.shred_list import Point, destroy, shred_list
from commands.erasure import decided, plan
from commands.services import Services
from ledger.store.shred_list import Shred
from projections.positions import Positions
from projections.records import Records


class Eraser:
    """Carries out shreds, one after the other.

    Args:
        settings: With the URLs of both databases.
        services: The running parts.
        records: The read model that knows which streams are about a record.
        positions: How far the read models are.
        at: Called at named points, where tests make it fail.
    """

    def __init__(
        self,
        settings: Settings,
        services: Services,
        records: Records,
        positions: Positions,
        at: Point = lambda _: None,
    ) -> None:
        self._settings = settings
        self._services = services
        self._records = records
        self._positions = positions
        self._list = shred_list(settings)
        self._at = at

    def round(self) -> tuple[Shred, ...]:
        """Carry out every decision that has no line in the list yet; return those.

        A decision that the read models do not show yet waits: what they still have to write could
        be a name.

        Raises:
            psycopg.OperationalError, StoreUnavailable: A database cannot be reached.
        """
        listed = {shred.record for shred in self._list.read()}
        shown = self._positions.lowest()
        done = []
        for record, position in decided(self._services):
            if record not in listed and position <= shown:
                streams = self._records.streams_of(record)
                shred = plan(self._services, record, position, streams)
                self._list.add(shred)
                self._at("listed")
                destroy(self._settings, [shred], self._at)
                done.append(shred)
        return tuple(done)
