"""Replaying the log into empty tables up to a position: what was known then, rebuilt anew."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from projections.change import EntryReader, read_batch
from projections.collecting import rare_collections
from projections.connection import PROJECT
from projections.errors import FurtherAlready
from projections.loop import LOG_PROJECTIONS
from projections.parking import Parked
from projections.target import Target

BATCH_LIMIT = 5_000
NAMES = tuple(projection.name for projection in LOG_PROJECTIONS)
"""Those that need nothing but the log: names of people are sealed, and in no export."""


@dataclass(frozen=True)
class Replayed:
    """What a replay made.

    Attributes:
        position: What was known up to there.
        digests: Canonical digest of each projection's content.
        parked: Streams that a projection could not follow.
    """

    position: int
    digests: Mapping[str, str]
    parked: tuple[Parked, ...]


def replay(
    reader: EntryReader,
    position: int,
    database_url: str,
    names: Sequence[str] = NAMES,
    progress: Callable[[int, int], None] = lambda _position, _end: None,
) -> Replayed:
    """Bring projections of a database from where they stand to a position, and digest them.

    Args:
        reader: The log; an export will do.
        position: Where to end.
        database_url: Has the tables, empty or as an earlier replay left them.
        names: Which projections.
        progress: Told after each batch.

    Raises:
        UnknownProjection: If there is none of a name.
        FurtherAlready: If one stands behind that position already.
    """
    every = Target(database_url, PROJECT, "views", LOG_PROJECTIONS)
    wanted = [every.projection(name) for name in names]
    target = Target(database_url, PROJECT, "views", wanted)
    with closing(target), rare_collections():
        for name, reached in target.positions().items():
            if reached > position:
                raise FurtherAlready(name=name, position=reached)
        while (after := min(target.positions().values())) < position:
            standing = [name for name, at in target.positions().items() if at == after]
            ahead = min((at for at in target.positions().values() if at > after), default=position)
            batch = read_batch(reader, after, min(BATCH_LIMIT, ahead - after))
            target.advance(standing, batch)
            progress(batch.last, position)
        digests = {name: target.digest(name)[1] for name in names}
        return Replayed(position, digests, tuple(target.parked()))
