"""Believing entries: each must lie in the tree of a checkpoint that the policy trusts.

The chain of checkpoints comes first: every new one is signed as the policy asks and extends the
one that is remembered. Then the entries. A subscriber of everything grows the tree itself and asks
for one consistency proof; one of a division finds each entry among the leaves of the public hash
tiles, which it proves, and checks the chain of previous positions, which the log's server states.
"""

from collections.abc import Sequence
from dataclasses import replace

from client.continuity import Continuity, Place
from client.errors import FeedGapError, RefutedError, TrustError
from client.message import Delivered
from client.proven_tiles import ProvenTiles
from client.remembering import Memory
from client.served import ServedLog
from client.verify import KNOWN, SIGNED, TREE
from ledger.errors import LedgerError, NoteError, ProofError, TileError
from ledger.frontier import Frontier
from ledger.merkle import verify_consistency
from ledger.policy import Judgement
from ledger.treehead import Checkpoint


class Confirmer:
    """Keeps the memory and lets nothing into it that is not proven.

    Args:
        log: The log's server.
        memory: What the last run left, or a new one.

    Attributes:
        memory: As of the last entries that were confirmed.
        witnessed: Whether the newest checkpoint had the policy's quorum of witnesses; if not:
            included, not yet witnessed.
    """

    def __init__(self, log: ServedLog, memory: Memory) -> None:
        if log.trust.origin != memory.origin:
            raise TrustError("This memory is of another log.", origin=memory.origin)
        self.memory = memory
        self.witnessed = False
        self._log = log
        self._tiles = ProvenTiles(log)
        self._tree = memory.tree or Checkpoint(memory.origin, 0, Frontier().root())
        self._continuity = Continuity(memory.division, memory.position)

    @property
    def size(self) -> int:
        """How far the newest checkpoint reaches that was believed."""
        return self._tree.size

    def place(self, delivered: Delivered) -> Place:
        """Tell where an entry stands; raises as ``Continuity``."""
        return self._continuity.place(delivered)

    def previous(self, delivered: Delivered) -> int:
        """Return the position that must have been accepted just before an entry."""
        return self._continuity.previous(delivered)

    async def renew(self) -> None:
        """Take in the log's newest checkpoint.

        Raises:
            RefutedError: It is not signed as the policy asks ("checkpoint-not-trusted"), smaller
                than the remembered one ("rolled-back"), or does not extend it ("forked").
            ProblemError: The server refused.
            UnavailableError: It did not answer usefully.
        """
        note = await self._log.checkpoint()
        judgement = await self._judge(note)
        tree = judgement.checkpoint
        if tree.size < self.size:
            raise RefutedError(KNOWN, None, "rolled-back", size=tree.size, known=self.size)
        await self._check_growth(tree)
        self._tree, self.witnessed = tree, judgement.witnessed
        self.memory = replace(self.memory, checkpoint=note)

    async def confirm(self, rows: Sequence[Delivered], upto: int) -> None:
        """Prove entries and move the memory behind them.

        Args:
            rows: Every entry of the division behind the memory's position, up to ``upto``.
            upto: A position that the newest checkpoint covers.

        Raises:
            RefutedError: They are not what the signed tree holds there.
            FeedGapError: One is missing, or is another division's.
        """
        continuity = Continuity(self.memory.division, self.memory.position)
        for row in rows:
            if continuity.place(row) is not Place.NEXT:
                raise FeedGapError("An entry is missing.", before=row.position)
            continuity.accept(row.position)
        try:
            if self.memory.division:
                await self._confirm_each(rows)
                frontier = self.memory.frontier
            else:
                frontier = await self._grow(rows, upto)
        except (ProofError, TileError) as error:
            first = rows[0].position if rows else None
            raise RefutedError(TREE, first, "not-in-the-tree", cause=error.message) from error
        self.memory = replace(self.memory, position=upto, frontier=frontier)
        # Between the last entry and `upto` lies nothing of ours.
        self._continuity = Continuity(self.memory.division, upto)

    async def _judge(self, note: bytes) -> Judgement:
        """Judge a checkpoint, across rotations of the log's keys if need be."""
        try:
            return self._log.trust.judge(note)
        except NoteError:
            pass
        except TrustError as error:
            raise _not_trusted(error) from error
        try:
            await self._log.follow_keys()
            return self._log.trust.judge(note)
        except (NoteError, RefutedError) as error:
            raise _not_trusted(error) from error

    async def _check_growth(self, tree: Checkpoint) -> None:
        known = self._tree
        if not known.size:
            return
        try:
            await self._extend(known.size, known.root, tree)
        except LedgerError as error:
            if not isinstance(error, ProofError):
                raise  # the server could not be asked
            raise RefutedError(
                KNOWN, None, "forked", size=tree.size, root=tree.root.hex(), known=known.size
            ) from error

    async def _extend(self, size: int, root: bytes, tree: Checkpoint) -> None:
        proof = [] if size == tree.size else await self._log.consistency(size, tree.size)
        verify_consistency(size, tree.size, proof, root, tree.root)

    async def _grow(self, rows: Sequence[Delivered], upto: int) -> bytes:
        """Grow the tree by every entry and prove it a prefix of the signed one."""
        frontier = Frontier.decode(self.memory.frontier)
        frontier.extend(row.leaf for row in rows)
        if frontier.size != upto:
            raise FeedGapError("An entry is missing.", after=frontier.size, upto=upto)
        if upto:
            await self._extend(upto, frontier.root(), self._tree)
        return frontier.encode()

    async def _confirm_each(self, rows: Sequence[Delivered]) -> None:
        """Find each entry among the leaves that the public tiles prove."""
        for row in rows:
            if await self._tiles.leaf(self._tree, row.position) != row.leaf:
                raise ProofError("The tree holds another entry.", position=row.position)


def _not_trusted(error: LedgerError) -> RefutedError:
    return RefutedError(SIGNED, None, "checkpoint-not-trusted", cause=error.message)
