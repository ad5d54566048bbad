"""What a caller trusts: which log, under which keys, cosigned by whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

from client.errors import TrustError
from ledger.errors import LedgerError
from ledger.policy import Judgement, Log, Policy
from ledger.signature import VerifierKey


@dataclass(frozen=True, slots=True)
class Trust:
    """One log and the policy that its checkpoints are judged by.

    Attributes:
        origin: Name of the log that the caller means.
        policy: Keys of the log, known witnesses and how many of them are needed.
    """

    origin: str
    policy: Policy

    def __post_init__(self) -> None:
        if not any(log.key.name == self.origin for log in self.policy.logs):
            raise TrustError("No key of this log is trusted.", origin=self.origin)

    @classmethod
    def of_keys(cls, keys: Iterable[VerifierKey], origin: str = "") -> Self:
        """Return the trust in a log by its keys, without witnesses.

        Args:
            keys: Verifier keys of the log; other logs' may be among them.
            origin: Name of the log; empty where all keys are one log's.

        Raises:
            TrustError: If it stays open which log is meant.
        """
        return cls.of_policy(Policy(logs=tuple(Log(key) for key in keys)), origin)

    @classmethod
    def of_policy(cls, policy: Policy, origin: str = "") -> Self:
        """Return the trust in one of a policy's logs; raises as ``of_keys``."""
        names = {log.key.name for log in policy.logs}
        if not origin and len(names) != 1:
            raise TrustError("Say which of the logs is meant.", logs=sorted(names))
        return cls(origin or names.pop(), policy)

    @classmethod
    def parse(cls, raw: bytes, origin: str = "") -> Self:
        """Read a policy file or a file of verifier keys, one a line.

        Raises:
            TrustError: If it is neither, or it stays open which log is meant.
        """
        try:
            if raw.lstrip().startswith((b"log ", b"log\t", b"witness", b"group", b"quorum", b"#")):
                return cls.of_policy(Policy.parse(raw), origin)
            keys = [VerifierKey.parse(line) for line in raw.decode("utf-8").split()]
            return cls.of_keys(keys, origin)
        except (UnicodeDecodeError, LedgerError) as error:
            if isinstance(error, TrustError):
                raise
            raise TrustError(str(error)) from error

    @classmethod
    def load(cls, path: Path, origin: str = "") -> Self:
        """Read ``path``; raises as ``parse``, and OSError."""
        return cls.parse(path.read_bytes(), origin)

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the log."""
        return tuple(log.key for log in self.policy.logs if log.key.name == self.origin)

    def judge_known(self, note: bytes) -> Judgement:
        """Return what the policy finds of a checkpoint of this log, or of any other that it names.

        An earlier name of a log is such another; that it is one is for a verification to find.

        Raises:
            NoteError: As ``judge``.
        """
        return _verify(self.policy, note)

    def judge(self, note: bytes) -> Judgement:
        """Return what the policy finds of a checkpoint of this log.

        Raises:
            NoteError: If the note is malformed, or not or wrongly signed.
            TrustError: If it is another log's.
        """
        judgement = _verify(self.policy, note)
        if judgement.checkpoint.origin != self.origin:
            raise TrustError(
                "This checkpoint is another log's.", origin=judgement.checkpoint.origin
            )
        return judgement


@lru_cache(maxsize=64)
def _verify(policy: Policy, note: bytes) -> Judgement:
    """Verify a note once: a busy log answers many writes under one checkpoint."""
    return policy.verify(note)
