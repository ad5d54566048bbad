"""A log whose keys are rotated, honestly or not, again and again."""

from itertools import pairwise
from uuid import UUID

from client.key_history import LOG_KEYS, encode_history
from client.signing import AuthorKey
from ledger.checkpoint import LogSigner, sign_checkpoint
from ledger.log_keys import INTRODUCED, RETIRED, proof_of_possession
from tests.unit.client.signed_log import OPERATOR, ORIGIN, SignedLog, Stored, author, signer

NOW = 1_780_000_000


def vkeys(pair: LogSigner) -> list[str]:
    return [key.text() for key in pair.verifier_keys()]


class RotatedLog(SignedLog):
    """Signs each checkpoint as the integrator does: by the keys that the entries under it name."""

    def __init__(self) -> None:
        super().__init__()
        self.eras: list[tuple[int, tuple[str, ...]]] = [(0, ("log",))]
        self.rotation = UUID(int=0)
        self.open()
        self.child = self.add_child()
        self.doses = 0

    def grow(self, count: int = 3) -> None:
        for _ in range(count):
            self.doses += 1
            self.add_dose(*self.child, self.doses)

    def names(self, size: int) -> tuple[str, ...]:
        return [names for since, names in self.eras if since <= size][-1]

    def note(self, size: int | None = None, name: str = "") -> bytes:
        head = self.checkpoint(size)
        names = (name,) if name else self.names(head.size)
        return sign_checkpoint(head, [signer(one) for one in names], NOW)

    def introduce(self, new: str, key: AuthorKey | None = None, **changes: str) -> int:
        old = self.eras[-1][1][-1]
        data = {
            "division": "410000",
            "ed25519": vkeys(signer(new))[0],
            "ml_dsa_44": vkeys(signer(new))[1],
            "replaces_ed25519": vkeys(signer(old))[0],
            "replaces_ml_dsa_44": vkeys(signer(old))[1],
            "proof": signer(new).sign(proof_of_possession(ORIGIN), NOW).decode(),
            **changes,
        }
        self.rotation = self.handle()
        draft = self.draft(INTRODUCED, self.rotation, 0, data)
        position = self.write(key or author(OPERATOR), draft, division="410000")
        self.eras.append((position, (old, new)))
        return position

    def retire(self, key: AuthorKey | None = None, overlap: bytes = b"") -> int:
        data = {"overlap": (overlap or self.note()).decode()}
        draft = self.draft(RETIRED, self.rotation, 1, data)
        position = self.write(key or author(OPERATOR), draft, division="410000")
        self.eras.append((position, self.eras[-1][1][1:]))
        return position

    def rotate(self, new: str) -> None:
        self.introduce(new)
        self.grow()
        self.retire()
        self.grow()

    def files(self, size: int | None = None) -> dict[str, bytes]:
        assert size is None, "the history is that of the whole log"
        return super().files() | {LOG_KEYS: encode_history(Stored(self))}


def rotated(*names: str) -> RotatedLog:
    """Return a log that was rotated to each of these in turn, and used in between."""
    log = RotatedLog()
    log.grow()
    for _, new in pairwise(("log", *names)):
        log.rotate(new)
    return log
