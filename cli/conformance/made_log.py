"""A log that the kit writes and signs itself, honest or not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from client.message import Message, Previous, build
from client.trust import Trust
from ledger.checkpoint import LogSigner
from ledger.entry import Author, Entry
from ledger.frontier import root
from ledger.hashing import leaf_hash
from ledger.treehead import Checkpoint

DOSE = "vaccination-record.dose-administered.v1"
DIVISIONS = ("410205", "410203", "410205001", "411702", "330102")
_START = datetime(2026, 9, 1, tzinfo=UTC)
_SIGNED_AT = 1_788_220_800
_VACCINES = ("HepB", "BCG", "OPV", "DTaP")


class MadeLog:
    """Entries of one origin, with the key that signs its checkpoints.

    Args:
        origin: Name of the log; all keys follow from it.
        raws: The entries so far.
    """

    def __init__(self, origin: str, raws: tuple[bytes, ...] = ()) -> None:
        self.origin = origin
        self.raws = list(raws)

    @classmethod
    def of_doses(cls, origin: str, count: int) -> "MadeLog":
        """Return a log of doses in several provinces."""
        log = cls(origin)
        for _ in range(count):
            log.add(DOSE)
        return log

    @property
    def trust(self) -> Trust:
        """The trust in this log's keys."""
        return Trust.of_keys(self._signer("").verifier_keys())

    @property
    def leaves(self) -> list[bytes]:
        """Leaf hash of each entry."""
        return [leaf_hash(raw) for raw in self.raws]

    def add(self, topic: str, more: Mapping[str, Any] | None = None) -> None:
        """Append an entry that differs from all others."""
        number = len(self.raws)
        data = {
            "vaccine": _VACCINES[number % len(_VACCINES)],
            "lot": f"A{number:06}",
            "occurred_on": "2026-09-01",
            "note": '乙肝疫苗 },"data":{"x":"}',
            **(more or {}),
        }
        entry = Entry(
            origin=self.origin,
            topic=topic,
            stream=UUID(int=(0x0190_0000_0000_7000 << 64) + number),
            version=1,
            division=DIVISIONS[number % len(DIVISIONS)],
            recorded_at=_START + timedelta(milliseconds=number),
            author=Author(str(UUID(int=7)), "ab" * 32, f"{number:064x}"),
            data=data,
            sealed=(),
        )
        self.raws.append(entry.encode())

    def altered(self, *positions: int) -> "MadeLog":
        """Return the log with another lot in some entries, as a forger would write them."""
        raws = list(self.raws)
        for position in positions:
            raws[position - 1] = raws[position - 1].replace(b'"lot":"A', b'"lot":"Z')
        return MadeLog(self.origin, tuple(raws))

    def first(self, size: int) -> "MadeLog":
        """Return the log as it was at a size."""
        return MadeLog(self.origin, tuple(self.raws[:size]))

    def note(self, signer: str = "") -> bytes:
        """Return the signed checkpoint of the whole; another signer's name forges it."""
        tree = Checkpoint(self.origin, len(self.raws), root(self.leaves))
        return self._signer(signer).sign(tree, _SIGNED_AT)

    def previous(self) -> list[Previous]:
        """Return the newest earlier positions of the divisions of each entry."""
        newest: dict[str, int] = {}
        found = []
        for position, raw in enumerate(self.raws, 1):
            digits = Entry.decode(raw).division
            places = digits[:2], digits[:4], digits[:6]
            found.append(Previous(*(newest.get(place, 0) for place in places)))
            newest |= dict.fromkeys(places, position)
        return found

    def messages(self) -> list[Message]:
        """Return the message of each entry, as an honest publisher sends it."""
        previous = self.previous()
        return [build(raw, at + 1, previous[at]) for at, raw in enumerate(self.raws)]

    def _signer(self, name: str) -> LogSigner:
        seeds = (sha256(f"{kind}{self.origin}{name}".encode()).digest() for kind in ("1", "6"))
        return LogSigner(self.origin, *seeds)
