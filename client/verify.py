"""Verifying a log, offline and whole: what it says of itself, recomputed from its entries.

1.  The checkpoint is signed as the policy asks.
2.  All entries are there, their leaves are those of the tiles and make the signed root.
3.  Each entry is canonical, of this log, and has the shape of its topic.
4.  The versions of each stream are dense from 1; no time lies too far behind those before it.
5.  Each envelope is the one that its entry names, and signs what the entry says.
6.  Each signing key was valid at that position, in a chain that ends at the root key.
7.  No author's idempotency key stands for two writes.
8.  What the server made has a cause, the one its data name, and the platform's signature.
9.  Sealed values that are at hand have their digests.
10. The log extends every older checkpoint that the caller holds.
11. The log's keys are those that its entries name: introduced and retired by the operator, proven,
    and the checkpoint is signed by those in force at its size. It takes a new name by the rules.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from client.audit import Counts
from client.beside import Checkers
from client.bundles import TREE, Extent
from client.errors import RefutedError, TrustError
from client.log_keys import check_newest, judge_newest
from client.notes import Notes
from client.sources import CHECKPOINT, Source
from client.trust import Trust
from client.walk import KNOWN, Walk
from ledger.errors import NoteError
from ledger.policy import Judgement
from ledger.tiles import TILE_WIDTH
from ledger.treehead import Checkpoint

__all__ = ["KNOWN", "SIGNED", "TREE", "Extent", "Progress", "Report", "verify_log"]

SIGNED = 1

Progress = Callable[[int, int], None]
"""Told how many entries of how many are done."""


@dataclass(frozen=True, slots=True)
class Report:
    """What holds.

    Attributes:
        checkpoint: The signed checkpoint.
        witnesses: Names of the witnesses that cosigned it.
        witnessed: Whether they make the policy's quorum; else: included, not yet witnessed.
        counts: What was checked.
        remembered_bytes: Size of what had to be remembered of streams and writes.
    """

    checkpoint: Checkpoint
    witnesses: tuple[str, ...]
    witnessed: bool
    counts: Counts = field(default_factory=Counts)
    remembered_bytes: int = 0

    def describe(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "witnesses": list(self.witnesses),
            "witnessed": self.witnessed,
            **asdict(self.counts),
            "remembered_bytes": self.remembered_bytes,
        }


def verify_log(
    source: Source,
    trust: Trust,
    extent: Extent | None = None,
    progress: Progress = lambda _done, _size: None,
    checkers: Checkers | None = None,
    notes: Notes | None = None,
) -> Report:
    """Verify a log from its first entry to its newest checkpoint.

    Memory holds one bundle and what ``client.audit`` must remember.

    Args:
        source: Where the log is read from; nothing it says is believed.
        trust: Which log is meant, and whose signatures count.
        extent: How much is verified; all of it by default.
        progress: Told after each bundle.
        checkers: Processes that help with a large log.
        notes: Where an interrupted run left off, and this one will.

    Raises:
        RefutedError: With the step, the first bad position and what is wrong there.
        LedgerError: If the source itself cannot be read.
        OSError: Likewise.
        StateError: If the notes are damaged, or of another log, trust or extent.
    """
    judgement, note = _judge(source, trust)
    extent, size = extent or Extent(), judgement.checkpoint.size
    walk = Walk(source, judgement.checkpoint, extent)
    if notes is not None:
        notes.open(walk, trust, extent)
    for index, checked in walk.rest(checkers):
        if notes is not None:
            notes.keep(walk, is_last=(index + 1) * TILE_WIDTH >= size)
        walk.take(index, checked)
        progress(walk.frontier.size, size)
    walk.finish()
    if extent.entries:
        check_newest(walk.audit.log_keys, note, walk.root_of)
    audit = walk.audit
    remembered = audit.versions.content_bytes + audit.writes.content_bytes
    return Report(
        judgement.checkpoint, judgement.witnesses, judgement.witnessed, audit.counts, remembered
    )


def _judge(source: Source, trust: Trust) -> tuple[Judgement, bytes]:
    """Judge the newest checkpoint, across rotations of the log's keys if need be."""
    note = source.read(CHECKPOINT)
    if note is None:
        raise RefutedError(SIGNED, None, "checkpoint-missing")
    try:
        return judge_newest(trust, source, note), note
    except (NoteError, TrustError) as error:
        raise RefutedError(SIGNED, None, "checkpoint-not-trusted", cause=error.message) from error
