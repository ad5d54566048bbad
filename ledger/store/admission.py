"""Who of a batch gets into the log: pure, and one after the other.

The facts are those under the head lock; each winner changes them for those behind it, exactly as
if every submission had had its own transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from ledger.entry import CLOCK_TOLERANCE
from ledger.store.append import Append, Appended
from ledger.store.errors import (
    Backlogged,
    ClaimNotHeld,
    ClaimTaken,
    ClockBehind,
    GuardFailed,
    KeyReused,
    StoreError,
    VersionConflict,
    WritesHalted,
)

UNPUBLISHED_LIMIT = 50_000
INTEGRATION_RETRY_SECONDS = 5

IdempotencyKey = tuple[UUID, UUID]
ClaimKey = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an idempotency key already stands for."""

    request: bytes
    appended: Appended


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read under the head lock.

    Attributes:
        size: Entries in the log.
        recorded_at: Running maximum of their times of recording.
        published: Entries under a published checkpoint.
        versions: Of the streams asked for; one that does not exist is missing or 0.
        earlier: By author and idempotency key, where the key is known.
        owners: Stream that holds a claim, by kind and key, where somebody does.
        halted: What halted the log, where it is halted.
    """

    size: int
    recorded_at: datetime
    published: int
    versions: Mapping[UUID, int]
    earlier: Mapping[IdempotencyKey, Earlier]
    owners: Mapping[ClaimKey, UUID]
    halted: str | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A winner.

    Attributes:
        append: The submission.
        appended: Its place.
        known_at: Running maximum of recorded_at at each of its events.
    """

    append: Append
    appended: Appended
    known_at: tuple[datetime, ...]


Verdict = Admitted | Appended | StoreError
"""A winner, a replay, or a refusal."""


@dataclass(slots=True)
class Decision:
    """Verdicts in the order of the batch, and the state of the log after its winners.

    Attributes:
        verdicts: One for each submission.
        size: Entries in the log afterwards.
        recorded_at: Running maximum of times of recording afterwards.
        owners: Claims that changed hands: stream, or None where one was released.
    """

    verdicts: list[Verdict]
    size: int
    recorded_at: datetime
    owners: dict[ClaimKey, UUID | None]

    @property
    def winners(self) -> list[Admitted]:
        """Those of the verdicts that are to be written."""
        return [verdict for verdict in self.verdicts if isinstance(verdict, Admitted)]


def admit(
    batch: Sequence[Append], facts: Facts, unpublished_limit: int = UNPUBLISHED_LIMIT
) -> Decision:
    """Decide about each submission of a batch.

    An idempotency key that is known, from the log or from earlier in the batch, decides first: the
    same request gets the first one's answer, another is refused. Nothing else is looked at then,
    so a replay is answered whatever has happened since.

    Args:
        batch: Submissions in the order of their arrival.
        facts: What the log says of everything they mention.
        unpublished_limit: Entries that may wait for a checkpoint.
    """
    state = _State(facts, unpublished_limit)
    verdicts = [state.decide(append) for append in batch]
    return Decision(verdicts, state.size, state.recorded_at, state.changed_owners())


@dataclass(slots=True)
class _State:
    """The facts, and over them what the winners so far have changed."""

    facts: Facts
    unpublished_limit: int
    size: int = field(init=False)
    recorded_at: datetime = field(init=False)
    versions: dict[UUID, int] = field(default_factory=dict)
    earlier: dict[IdempotencyKey, Earlier] = field(default_factory=dict)
    owners: dict[ClaimKey, UUID | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.size, self.recorded_at = self.facts.size, self.facts.recorded_at

    def decide(self, append: Append) -> Verdict:
        """Decide about the next submission, and remember it if it wins."""
        identity = (append.author, append.key)
        earlier = self.earlier.get(identity) or self.facts.earlier.get(identity)
        if earlier is not None:
            if earlier.request != append.request:
                return KeyReused(append.key)
            return replace(earlier.appended, replayed=True)
        try:
            self._check_halted()
            self._check_backlog()
            known_at = self._check_clock(append)
            self._check_guards(append)
            versions = self._check_versions(append)
            owners = self._check_claims(append)
        except StoreError as refusal:
            return refusal.with_traceback(None)  # answered in another thread, much later
        leaves = tuple(event.leaf for event in append.events)
        appended = Appended(self.size + 1, len(leaves), leaves)
        self.size += len(leaves)
        self.recorded_at = known_at[-1]
        self.versions |= versions
        self.owners |= owners
        self.earlier[identity] = Earlier(append.request, appended)
        return Admitted(append, appended, known_at)

    def changed_owners(self) -> dict[ClaimKey, UUID | None]:
        """Return the claims whose owner is another one than in the facts."""
        before = self.facts.owners
        return {key: now for key, now in self.owners.items() if now != before.get(key)}

    def _check_halted(self) -> None:
        if self.facts.halted is not None:
            raise WritesHalted(self.facts.halted)

    def _check_backlog(self) -> None:
        if self.size - self.facts.published >= self.unpublished_limit:
            raise Backlogged(INTEGRATION_RETRY_SECONDS)

    def _check_clock(self, append: Append) -> tuple[datetime, ...]:
        newest, known_at = self.recorded_at, []
        for event in append.events:
            behind = newest - event.recorded_at
            if behind > CLOCK_TOLERANCE:
                raise ClockBehind(behind)
            newest = max(newest, event.recorded_at)
            known_at.append(newest)
        return tuple(known_at)

    def _check_guards(self, append: Append) -> None:
        for guard in append.guards:
            if self._version(guard.stream) != guard.version:
                raise GuardFailed(guard.stream)

    def _check_versions(self, append: Append) -> dict[UUID, int]:
        versions: dict[UUID, int] = {}
        for event in append.events:
            actual = versions.get(event.stream)
            if actual is None:
                actual = self._version(event.stream)
            if event.version != actual + 1:
                raise VersionConflict(event.stream, event.version - 1, actual)
            versions[event.stream] = event.version
        return versions

    def _check_claims(self, append: Append) -> dict[ClaimKey, UUID | None]:
        owners: dict[ClaimKey, UUID | None] = {}
        for claim in append.claims:
            key = (claim.kind, claim.key)
            owner = owners[key] if key in owners else self._owner(key)
            if claim.release:
                if owner != claim.stream:
                    raise ClaimNotHeld(claim.kind, claim.stream)
                owners[key] = None
            else:
                if owner is not None:
                    raise ClaimTaken(claim.kind, owner)
                owners[key] = claim.stream
        return owners

    def _version(self, stream: UUID) -> int:
        known = self.versions.get(stream)
        return self.facts.versions.get(stream, 0) if known is None else known

    def _owner(self, key: ClaimKey) -> UUID | None:
        return self.owners[key] if key in self.owners else self.facts.owners.get(key)
