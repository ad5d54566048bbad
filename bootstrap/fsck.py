"""Looking at everything that an installation stores, without changing any of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from bootstrap.folders import outside_path
from bootstrap.settings import Settings
from bootstrap.shred_list import shred_list
from bootstrap.wiring import Parts, signing_keys
from client.feed import FeedServer
from client.message import Previous
from client.stored_feed import StoredFeed
from commands.papers import PAPER
from commands.reclaiming import TOLD, Reclaiming, request_of
from ledger.entry import Seal
from ledger.store.belongings import Blobs, Claims, PersonKeys, Writes
from ledger.store.finding import Finding
from ledger.store.inspection import Entries, Row, Snapshot, Tree, snapshot
from ledger.store.outside import OutsideFile
from ledger.store.refilling import claim_again
from ledger.store.transaction import open_connection
from projections.loop import Projector

Progress = Callable[[int, int], None]
Tell = Callable[[Finding], None]

_BLOCK = 256
_SAMPLES = 16


class Examiner(Protocol):
    """Looks at the rows of the log as they pass by."""

    def take(self, batch: Sequence[Row]) -> Iterator[Finding]:
        """Examine the next rows."""

    def finish(self) -> Iterator[Finding]:
        """Examine what only the end tells."""


@dataclass(slots=True)
class Inspected:
    """What was looked at.

    Attributes:
        entries: Rows of the log.
        sealed_values: Sealed values that are stored.
        erased: Sealed values that were destroyed with somebody's key, as the shred list says.
        untold: Entries whose claims nobody can tell, since what they sealed does not open.
        untold_writes: Idempotency keys that the log does not tell: of what citizens did.
        other_claims: Claims of kinds that the log does not tell.
        mended: Claims of school papers that were missing and are held now.
        messages: Messages of the feed that were compared.
        projections: Up to where each read model is applied.
    """

    entries: int = 0
    sealed_values: int = 0
    erased: int = 0
    untold: int = 0
    untold_writes: int = 0
    other_claims: int = 0
    mended: int = 0
    messages: int = 0
    projections: dict[str, int] = field(default_factory=dict)


def inspect(parts: Parts, tell: Tell, progress: Progress, *, full: bool) -> Inspected:
    """Inspect a whole installation, which may be running.

    Args:
        parts: Of the installation; without the URL of a NATS its feed is left out.
        tell: Is given each finding.
        progress: Told how many entries of how many were looked at.
        full: Whether every message of the feed is compared, not only samples.

    Raises:
        StoreUnavailable, UnavailableError, psycopg.Error: If a server cannot be reached.
        ShredListUnreadable: If the list of what was shredded is damaged.
    """
    settings = parts.settings
    assert settings.database_url is not None
    # The file first: it never has more than the database had a moment later.
    outside = OutsideFile(outside_path(settings)).read()
    with snapshot(settings.database_url) as at:
        found = _inspect_log(parts, at, outside, tell, progress)
        _inspect_projections(parts, at, found, tell)
        if settings.nats_url is not None:
            _inspect_feed(parts, at, found, tell, full=full)
    return found


def inspect_and_mend(parts: Parts, tell: Tell, progress: Progress, *, full: bool) -> Inspected:
    """Inspect, and take claims of school papers that an earlier release wrote without them.

    Nobody ever releases these, so they may be taken while the installation runs.

    Args:
        parts: As for `inspect`, which also says what is raised.
        tell: Is given each finding that was not mended.
        progress: As for `inspect`.
        full: As for `inspect`.
    """
    positions: list[int] = []

    def tell_or_mend(finding: Finding) -> None:
        if (finding.kind, finding.facts.get("kind")) == ("claim-missing", PAPER):
            assert finding.position is not None
            positions.append(finding.position)
        else:
            tell(finding)

    found = inspect(parts, tell_or_mend, progress, full=full)
    assert parts.settings.database_url is not None
    with open_connection(parts.settings.database_url) as connection:
        claim_again(connection, positions, Reclaiming(parts.vault, parts.reader).claims_of)
    found.mended = len(positions)
    return found


def _inspect_log(
    parts: Parts, at: Snapshot, outside: bytes | None, tell: Tell, progress: Progress
) -> Inspected:
    origin = parts.settings.origin
    tree = Tree(at, outside, signing_keys(parts), origin)
    blobs, writes = Blobs(at, _erased(parts.settings)), Writes(at, request_of)
    claims = Claims(at, Reclaiming(parts.vault, parts.reader).claims_of, TOLD)
    log: list[Examiner] = [Entries(at, origin), tree]
    keys = PersonKeys(parts.vault.keys.keyless, lambda: _erased(parts.settings))
    examiners: list[Examiner] = [*log, writes, blobs, keys, claims]
    for finding in tree.start():
        tell(finding)
    found = Inspected()
    for batch in at.entries():
        for examiner in examiners:
            for finding in examiner.take(batch):
                if examiner in log:
                    claims.doubt()
                tell(finding)
        found.entries += len(batch)
        progress(found.entries, at.standing.size)
    for examiner in examiners:
        for finding in examiner.finish():
            tell(finding)
    found.sealed_values, found.erased = blobs.stored, blobs.absent
    found.untold_writes = writes.untold
    found.untold, found.other_claims = claims.untold, claims.unknown
    return found


def _erased(settings: Settings) -> Callable[[Seal], bool]:
    """Tell which sealed values were to be destroyed: the list names them before they go."""
    shreds = shred_list(settings).read()
    persons = {str(person) for shred in shreds for person in shred.persons}
    digests = {digest for shred in shreds for digest in shred.blobs}
    return lambda seal: seal.subject in persons or seal.sha256 in digests


def _inspect_projections(parts: Parts, at: Snapshot, found: Inspected, tell: Tell) -> None:
    settings = parts.settings
    assert settings.database_url is not None
    assert settings.keys_url is not None
    with closing(
        Projector(parts.reader, settings.database_url, settings.keys_url, parts.vault)
    ) as projector:
        parked = projector.parked()
        found.projections = projector.positions()
    published = max(at.standing.published, parts.reader.published())
    for name, position in found.projections.items():
        if position > published:
            tell(Finding("projection-ahead", position, {"projection": name}))
    for one in parked:
        facts = {"projection": one.name, "stream": str(one.stream), "error": one.error}
        tell(Finding("stream-parked", one.position, facts))


def _inspect_feed(parts: Parts, at: Snapshot, found: Inspected, tell: Tell, *, full: bool) -> None:
    settings = parts.settings
    assert settings.nats_url is not None
    server = FeedServer(
        settings.nats_url, user=settings.nats_user or "", password=settings.nats_password or ""
    )
    with StoredFeed(server) as feed:
        messages, last = feed.extent()
        if last > max(at.standing.published, parts.reader.published()):
            tell(Finding("feed-ahead", last))
        if messages != last:
            tell(Finding("feed-gap", None, {"messages": messages, "last": last}))
        size = min(last, at.standing.published)
        for first in _blocks(size, full=full or messages != last):
            _compare(parts, feed, range(first, min(first + _BLOCK, size + 1)), tell)
            found.messages += min(_BLOCK, size + 1 - first)


def _blocks(size: int, *, full: bool) -> list[int]:
    """Return first positions of the blocks to compare: all, or some that are spread evenly."""
    blocks = list(range(1, size + 1, _BLOCK))
    if full or len(blocks) <= _SAMPLES:
        return blocks
    return [blocks[at * (len(blocks) - 1) // (_SAMPLES - 1)] for at in range(_SAMPLES)]


def _compare(parts: Parts, feed: StoredFeed, wanted: range, tell: Tell) -> None:
    """Compare messages with what the log would publish at their positions."""
    entries = {position: raw for position, raw, _ in parts.reader.entries(wanted[0], len(wanted))}
    previous = parts.reader.previous_many(wanted[0], wanted[-1])
    position = wanted[0]
    while position in wanted:
        for message in feed.read(position, wanted[-1] + 1 - position):
            raw = entries.get(position)
            if (message.raw, message.previous) != (raw, Previous(*previous.get(position, ()))):
                tell(Finding("message-differs", position))
            position += 1
        if position in wanted:
            tell(Finding("message-missing", position))
            position += 1
