"""What the store refuses."""

from datetime import timedelta
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from ledger.errors import LedgerError


class StoreError(LedgerError):
    """The store refused."""


class VersionConflict(StoreError, IntegrityError):
    """The stream has moved on since it was read.

    Attributes:
        stream: The stream that was to be extended.
        expected: Version at which the decision was made.
        actual: Version at which the stream stands.
    """

    def __init__(self, stream: UUID, expected: int, actual: int) -> None:
        self.stream, self.expected, self.actual = stream, expected, actual
        super().__init__(stream=stream, expected=expected, actual=actual)


class GuardFailed(StoreError, IntegrityError):
    """A stream on which the decision rests has moved on since it was read."""

    def __init__(self, stream: UUID) -> None:
        self.stream = stream
        super().__init__(stream=stream)


class ClaimTaken(StoreError, IntegrityError):
    """Something that only one stream can have belongs to another one.

    The key is never among the facts: it may stand for a person's number.

    Attributes:
        kind: What was to be claimed.
        stream: Stream that holds it.
    """

    def __init__(self, kind: str, stream: UUID) -> None:
        self.kind, self.stream = kind, stream
        super().__init__(kind=kind, stream=stream)


class ClaimNotHeld(StoreError, IntegrityError):
    """A stream can release only what it has claimed."""

    def __init__(self, kind: str, stream: UUID) -> None:
        self.kind, self.stream = kind, stream
        super().__init__(kind=kind, stream=stream)


class KeyReused(StoreError):
    """This idempotency key belongs to another request of the same author."""

    def __init__(self, key: UUID) -> None:
        self.key = key
        super().__init__(key=key)


class ClockBehind(StoreError):
    """The time of recording lies too far behind the newest entry; set the clock, or try again.

    Attributes:
        behind: By how much.
    """

    def __init__(self, behind: timedelta) -> None:
        self.behind = behind
        super().__init__(behind=behind)


class ClockApart(StoreError):
    """This process's clock and the database server's are too far apart; set them by one source.

    Attributes:
        apart: How far the server's is ahead.
    """

    def __init__(self, apart: timedelta) -> None:
        self.apart = apart
        super().__init__(apart=apart)


class SubmissionTooLarge(StoreError):
    """One submission is at most 1,000 events and 4 MiB.

    Attributes:
        events: Events of the refused one.
        size: Bytes of its entries, envelopes and blobs.
    """

    def __init__(self, events: int, size: int) -> None:
        self.events, self.size = events, size
        super().__init__(events=events, size=size)


class SubmissionRefused(StoreError):
    """The database refused this submission; nothing of it was stored.

    Attributes:
        sqlstate: Code of PostgreSQL, appendix A of its manual.
    """

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate
        super().__init__(sqlstate=sqlstate)


class Backlogged(StoreError):
    """More is waiting than should wait; try again later.

    Attributes:
        retry_after: Seconds.
    """

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(retry_after=retry_after)


class StoreUnavailable(StoreError):
    """The database did not answer in time; try again later with the same idempotency key.

    Attributes:
        in_doubt: Whether the submission may have been stored all the same. The same key then
            brings the answer that was lost.
    """

    def __init__(self, *, in_doubt: bool = False) -> None:
        self.in_doubt = in_doubt
        super().__init__(in_doubt=in_doubt)


class NoSuchPosition(StoreError):
    """The published log has no such position, or no tree of such a size."""

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(position=position)


class KeyConflict(StoreError):
    """Another key was stored for this person in the meantime; seal again with that one."""

    def __init__(self, handle: UUID) -> None:
        self.handle = handle
        super().__init__(handle=handle)


class KeyUnreadable(StoreError):
    """A stored key does not open under the key-encryption key in use."""

    def __init__(self, handle: UUID) -> None:
        self.handle = handle
        super().__init__(handle=handle)


class LeadLost(StoreError):
    """Another integrator has signed and published further entries meanwhile.

    Attributes:
        size: Entries that were to be published.
        newer: Entries that are published.
    """

    def __init__(self, size: int, newer: int) -> None:
        self.size, self.newer = size, newer
        super().__init__(size=size, newer=newer)


class WritesHalted(StoreError):
    """The log is halted: nothing is written until its operator has looked, see `docs/recovery.md`.

    Attributes:
        kind: Name of the error that halted it.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(kind=kind)


class LogHalted(StoreError):
    """The integrator signs nothing more until a person has looked."""


class TamperFound(LogHalted):
    """What was stored is not what was read back.

    Attributes:
        position: First position that is affected.
        reason: What differs.
    """

    def __init__(self, position: int, reason: str) -> None:
        self.position, self.reason = position, reason
        super().__init__(position=position, reason=reason)


class RolledBack(LogHalted):
    """The database lies behind what was signed; stop everything and run `vaxledger log recover`.

    Attributes:
        size: Entries, or signed entries, in the database.
        signed: Entries that were signed.
    """

    def __init__(self, size: int, signed: int) -> None:
        self.size, self.signed = size, signed
        super().__init__(size=size, signed=signed)


class OutsideFileMissing(LogHalted):
    """The checkpoint file outside the database is missing; see `vaxledger log recover`.

    Attributes:
        path: Where it should lie.
        signed: Entries that were signed, by the database.
    """

    def __init__(self, path: str, signed: int) -> None:
        self.path, self.signed = path, signed
        super().__init__(path=path, signed=signed)


class Forked(LogHalted):
    """The database and a signed checkpoint tell two histories.

    Attributes:
        size: Size of the tree at which they differ.
        reason: What differs.
    """

    def __init__(self, size: int, reason: str) -> None:
        self.size, self.reason = size, reason
        super().__init__(size=size, reason=reason)


class KekClosed(StoreError):
    """The newest key-encryption key at hand wraps nothing new; a newer one must be somewhere."""


class KekInUse(StoreError):
    """A key-encryption key that wraps keys is not destroyed; rotate first.

    Attributes:
        number: Which version.
        keys: How many it wraps.
    """

    def __init__(self, number: int, keys: int) -> None:
        self.number, self.keys = number, keys
        super().__init__(number=number, keys=keys)


class RewrapRunning(StoreError):
    """Another process is rotating or retiring key-encryption keys now."""


class SigningKeyMissing(LogHalted):
    """The log names a key to sign with that is not kept here; put it back, and start again.

    Attributes:
        size: Entries of the tree that waits to be signed.
        name: ID of the pair's Ed25519 key, 8 hex digits.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size, self.name = size, name
        super().__init__(size=size, name=name)


class ShredListUnreadable(StoreError):
    """The list of destroyed keys is damaged; restore it before anything is served.

    Attributes:
        path: The file.
        line: The first line that cannot be read.
    """

    def __init__(self, path: str, line: int) -> None:
        self.path, self.line = path, line
        super().__init__(path=path, line=line)
