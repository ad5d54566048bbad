"""C2SP tlog-proof: a proof that travels with its entry."""

from dataclasses import dataclass

from tests.second.findings import Wrong, demand
from tests.second.merkle9162 import ProofFailed, leaf, root_from_inclusion
from tests.second.notes import TreeHead, unbase64
from tests.second.trust import Trust

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 64


@dataclass(frozen=True)
class Receipt:
    """An index, a path and a checkpoint; `extra` is not authenticated."""

    index: int
    path: list[bytes]
    checkpoint: bytes
    extra: bytes | None = None

    @classmethod
    def parse(cls, raw: bytes) -> "Receipt":
        """Read a `.tlog-proof`."""
        top, separator, checkpoint = raw.partition(b"\n\n")
        demand(bool(separator), "receipt", "no checkpoint")
        try:
            lines = top.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise Wrong("receipt", "not ASCII") from None
        demand(lines.pop(0) == FIRST_LINE, "receipt", "not a proof")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = unbase64(lines.pop(0)[6:], "receipt")
        demand(bool(lines) and lines[0].startswith("index "), "receipt", "no index")
        number = lines.pop(0)[6:]
        demand(number.isdigit() and str(int(number)) == number, "receipt", "not an index")
        demand(len(lines) <= MOST_HASHES, "receipt", "too many hashes")
        return cls(int(number), [unbase64(line, "receipt") for line in lines], checkpoint, extra)

    def prove(self, entry: bytes, trust: Trust) -> tuple[TreeHead, bool]:
        """Return the tree head under which an entry is included, and whether it is witnessed.

        Raises:
            Wrong: If the checkpoint is not trusted or the path does not lead to its root.
        """
        head, witnessed = trust.judge(self.checkpoint)
        try:
            root = root_from_inclusion(self.index, head.size, leaf(entry), self.path)
        except ProofFailed as reason:
            raise Wrong("receipt", str(reason)) from None
        demand(root == head.root, "receipt", "the path does not lead to the root")
        return head, witnessed
