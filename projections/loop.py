"""The projector: carries published entries into every projection, batch by batch."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from projections import (
    bookings,
    certificates,
    corrections,
    credentials,
    data_quality,
    dose_rows,
    organisations,
    people,
    record_rows,
    reports,
    school_checks,
)
from projections.change import Batch, EntryReader, ReadAhead
from projections.collecting import rare_collections
from projections.connection import PROJECT, PROJECT_PEOPLE
from projections.errors import UnknownProjection
from projections.parking import Parked
from projections.people import Unsealer
from projections.rebuilding import Progress, rebuild
from projections.target import Target

BATCH_LIMIT = 1_000

LOG_PROJECTIONS = (
    organisations.PROJECTION,
    record_rows.PROJECTION,
    dose_rows.PROJECTION,
    certificates.PROJECTION,
    credentials.PROJECTION,
    corrections.PROJECTION,
    school_checks.PROJECTION,
    data_quality.PROJECTION,
    bookings.PROJECTION,
    reports.PROJECTION,
)

Standing = tuple[Target, Sequence[str]]
"""A database, and which of its projections stand at some position."""


@dataclass(frozen=True)
class Round:
    """What one round did.

    Attributes:
        entries: Entries read; 0 when every projection is as far as the published log.
        parked: Streams that some projection does not follow from now on: each is an alarm.
    """

    entries: int
    parked: tuple[Parked, ...]


class Projector:
    """Keeps all projections up to date with the published log.

    Several may run at once: positions are compared under a lock, and who comes second does
    nothing. Each projection has its own position, so that it can be rebuilt alone; those that
    stand at the same one share each batch.

    Args:
        reader: The log, up to what a signed checkpoint covers.
        database_url: The log database, schema `views`.
        keys_url: The key database, schema `people`.
        unsealer: Opens what `people` shows.
        batch_limit: Entries in one transaction at most.
    """

    def __init__(
        self,
        reader: EntryReader,
        database_url: str,
        keys_url: str,
        unsealer: Unsealer,
        *,
        batch_limit: int = BATCH_LIMIT,
    ) -> None:
        self._reader = reader
        self._ahead = ReadAhead(reader, batch_limit)
        self._log = Target(database_url, PROJECT, "views", LOG_PROJECTIONS)
        self._keys = Target(keys_url, PROJECT_PEOPLE, "people", [people.projection(unsealer)])
        self._targets = (self._log, self._keys)

    def round(self) -> Round:
        """Apply the next batch to every projection that is behind.

        Raises:
            psycopg.OperationalError: If a database cannot be reached; the projections in the
                other have advanced all the same.
        """
        published = self._reader.published()
        failures: list[psycopg.OperationalError] = []
        entries, alarms = 0, list[Parked]()
        with rare_collections():
            for position, standing in sorted(self._standing(failures).items()):
                if position >= published:
                    continue
                batch = self._ahead.read(position)
                entries += len(batch.changes)
                alarms += self._advance(standing, batch, failures)
        if failures:
            raise failures[0]
        return Round(entries, tuple(alarms))

    def catch_up(self) -> int:
        """Run rounds until nothing is left to apply; return how many entries were read."""
        total = 0
        while (done := self.round()).entries:
            total += done.entries
        return total

    def positions(self) -> dict[str, int]:
        """Return up to where each projection is applied."""
        return {name: at for target in self._targets for name, at in target.positions().items()}

    def parked(self) -> list[Parked]:
        """Return the streams that some projection does not follow."""
        return [parked for target in self._targets for parked in target.parked()]

    def retry(self, name: str) -> int:
        """Apply the parked streams of a projection again; return how many are followed again.

        Raises:
            UnknownProjection: If there is none of this name.
        """
        return self._target(name).retry(name, self._reader)

    def rebuild(self, *names: str, progress: Progress = lambda _position, _published: None) -> int:
        """Make projections anew and put them in the old ones' places; return the lowest position.

        Raises:
            UnknownProjection: If there is none of a name.
            RebuildRunning: If another process rebuilds one of them.
        """
        kept: dict[Target, list[str]] = {}
        for name in names:
            kept.setdefault(self._target(name), []).append(name)
        with rare_collections():
            return rebuild(list(kept.items()), self._reader, progress)

    def digest(self, name: str) -> tuple[int, str]:
        """Return position and canonical digest of a projection, both of one moment.

        Raises:
            UnknownProjection: If there is none of this name.
        """
        return self._target(name).digest(name)

    def close(self) -> None:
        """Close all connections."""
        self._ahead.close()
        for target in self._targets:
            target.close()

    def _advance(
        self,
        standing: Sequence[Standing],
        batch: Batch,
        failures: list[psycopg.OperationalError],
    ) -> list[Parked]:
        """Apply a batch in each database, then tell waiters."""
        advanced, alarms = list[str](), list[Parked]()
        for target, names in standing:
            try:
                ready, parked = target.advance(names, batch)
            except psycopg.OperationalError as error:
                failures.append(error)
                continue
            advanced += ready
            alarms += parked
        self._log.notify(advanced, batch.last)
        return alarms

    def _target(self, name: str) -> Target:
        for target in self._targets:
            if name in target.projections:
                return target
        raise UnknownProjection(name=name)

    def _standing(self, failures: list[psycopg.OperationalError]) -> dict[int, list[Standing]]:
        """Return who stands at which position."""
        standing: defaultdict[int, list[Standing]] = defaultdict(list)
        for target in self._targets:
            try:
                positions = target.positions()
            except psycopg.OperationalError as error:
                failures.append(error)
                continue
            for position in set(positions.values()):
                names = [name for name, at in positions.items() if at == position]
                standing[position].append((target, names))
        return standing
