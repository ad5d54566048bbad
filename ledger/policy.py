"""Trust policy files: which logs, which witnesses, how many of them (C2SP tlog-policy).

    log <vkey> [url]
    witness <name> <vkey> [url]
    group <name> all|any|<k> <member>...
    quorum <name>|none

``Policy.verify`` tells "included, not yet witnessed" (a judgement whose ``witnessed`` is false)
apart from "invalid" (an error).
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from ledger.errors import LedgerError, NoteError, PolicyError
from ledger.note import Note, verify_note
from ledger.signature import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, ED25519, VerifierKey
from ledger.syntax import decode_decimal
from ledger.treehead import Checkpoint

NONE = "none"
MAX_POLICY_BYTES = 1_000_000

_LOG_TYPES = (ED25519, COSIGNATURE_MLDSA44)
_WITNESS_TYPES = (COSIGNATURE_ED25519, COSIGNATURE_MLDSA44)
_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_SPACE = re.compile(r"[ \t]+")
_WORD = re.compile(r"[^\x00-\x20\x7f]+").fullmatch


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose checkpoints are accepted; the key's name is its origin."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness; ``name`` has a meaning in the policy only."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses and earlier groups of which at least ``threshold`` must have witnessed."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy finds of a checkpoint that a listed log signed.

    Attributes:
        checkpoint: The verified checkpoint.
        logs: Keys of the log that signed it.
        witnesses: Policy names of the witnesses that cosigned it.
        witnessed: Whether they make the quorum. If not: included, not yet witnessed.
    """

    checkpoint: Checkpoint
    logs: tuple[VerifierKey, ...]
    witnesses: tuple[str, ...]
    witnessed: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A trust policy; making one checks it whole.

    Raises:
        PolicyError: If a name is doubled, reserved, malformed or used before it is defined, a key
            is doubled or of a type that does not fit its role, or a threshold cannot be met.
    """

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    def __post_init__(self) -> None:
        _check_keys([log.key for log in self.logs], _LOG_TYPES)
        _check_keys([witness.key for witness in self.witnesses], _WITNESS_TYPES)
        if {log.key.public for log in self.logs} & {one.key.public for one in self.witnesses}:
            raise PolicyError("A log cannot be its own witness.")
        defined = set[str]()
        for witness in self.witnesses:
            _define(witness.name, defined)
        used = set[str]()
        for group in self.groups:
            _check_group(group, defined, used)
            _define(group.name, defined)
        if self.quorum != NONE and self.quorum not in defined:
            raise PolicyError("The quorum names nothing that is defined.", name=self.quorum)
        for url in (*(log.url for log in self.logs), *(one.url for one in self.witnesses)):
            if url is not None and _WORD(url) is None:
                raise PolicyError("A URL is one word.", url=url)

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a policy file.

        Names are opaque octets; those outside UTF-8 are kept as surrogate escapes.

        Raises:
            PolicyError: With the number of the first bad line, or what the whole lacks.
        """
        if len(raw) > MAX_POLICY_BYTES or _FORBIDDEN.search(raw) is not None:
            raise PolicyError("A policy is text without control characters, up to 1,000,000 bytes.")
        if raw and not raw.endswith(b"\n"):
            raise PolicyError("Each line of a policy ends in a newline.")
        reader = _Reader()
        for number, line in enumerate(raw.decode("utf-8", "surrogateescape").split("\n"), 1):
            words = [word for word in _SPACE.split(line) if word]
            if not words or words[0].startswith("#"):
                continue
            try:
                reader.read(words)
            except LedgerError as error:
                raise PolicyError(error.message, line=number) from error
        if reader.quorum is None:
            raise PolicyError("A policy has one quorum line.")
        return cls(tuple(reader.logs), tuple(reader.witnesses), tuple(reader.groups), reader.quorum)

    def encode(self) -> bytes:
        """Return the policy file: logs, witnesses, groups, quorum."""
        lines = [["log", log.key.text(), log.url] for log in self.logs]
        lines += [["witness", one.name, one.key.text(), one.url] for one in self.witnesses]
        for group in self.groups:
            lines.append(["group", group.name, _threshold_word(group), *group.members])
        lines.append(["quorum", self.quorum])
        text = "".join(" ".join(filter(None, words)) + "\n" for words in lines)
        return text.encode("utf-8", "surrogateescape")

    def is_quorum(self, witnesses: Collection[str]) -> bool:
        """Tell whether cosignatures of these witnesses, by policy name, suffice."""
        witnessed = set(witnesses) & {witness.name for witness in self.witnesses}
        for group in self.groups:  # members are always defined before
            if sum(member in witnessed for member in group.members) >= group.threshold:
                witnessed.add(group.name)
        return self.quorum == NONE or self.quorum in witnessed

    def verify(self, raw: bytes | Note, log_keys: Iterable[VerifierKey] = ()) -> Judgement:
        """Judge a signed checkpoint.

        Args:
            raw: The note.
            log_keys: Trusted keys where the policy lists no logs; else not used.

        Returns:
            The judgement; its ``witnessed`` says whether the quorum is reached.

        Raises:
            NoteError: If it is no checkpoint, no trusted log of its origin signed it, or the
                signature of any known key, a witness's too, does not hold.
        """
        # 1. A note whose text is a checkpoint.
        note = raw if isinstance(raw, Note) else Note.parse(raw)
        checkpoint = Checkpoint.parse(note.text)
        # 2. The keys of that log, and of all witnesses.
        listed = [log.key for log in self.logs] or log_keys
        logs = [key for key in listed if key.name == checkpoint.origin]
        names = {witness.key: witness.name for witness in self.witnesses}
        # 3. All known signatures hold, and one of the log is among them.
        keys = [verified.key for verified in verify_note(note, (*logs, *names))]
        signed = tuple(key for key in keys if key not in names)
        if not signed:
            raise NoteError("No trusted log of this origin signed.", origin=checkpoint.origin)
        # 4. The quorum, which may still be missing.
        witnesses = tuple(names[key] for key in keys if key in names)
        return Judgement(checkpoint, signed, witnesses, self.is_quorum(witnesses))


class _Reader:
    """Collects the lines of a policy file in their order."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self._defined = set[str]()

    def read(self, words: Sequence[str]) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self.logs.append(Log(VerifierKey.parse(vkey), *url))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self.witnesses.append(Witness(name, VerifierKey.parse(vkey), *url))
                self._defined.add(name)
            case ["group", name, threshold, *members] if members:
                self._check_defined(members)
                group = Group(name, _threshold(threshold, len(members)), tuple(members))
                self.groups.append(group)
                self._defined.add(name)
            case ["quorum", name] if self.quorum is None:
                self._check_defined(() if name == NONE else (name,))
                self.quorum = name
            case _:
                raise PolicyError("This line is not one of a policy, or one too many.")

    def _check_defined(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._defined:
                raise PolicyError("A name is used before it is defined.", name=name)


def _check_keys(keys: Sequence[VerifierKey], types: Sequence[int]) -> None:
    if any(key.type not in types for key in keys):
        raise PolicyError("A key's signature type does not fit its role.")
    # The same key under another name or type would count twice.
    if len({key.public for key in keys}) < len(keys):
        raise PolicyError("A policy lists a key once.")


def _define(name: str, defined: set[str]) -> None:
    if name == NONE or name in defined or _WORD(name) is None:
        raise PolicyError("A name is one word, not taken and not reserved.", name=name)
    defined.add(name)


def _check_group(group: Group, defined: set[str], used: set[str]) -> None:
    if not 1 <= group.threshold <= len(group.members):
        raise PolicyError("A group's threshold lies between 1 and its members.", name=group.name)
    for member in group.members:
        # Once in all groups, so that a witness counts in one way only.
        if member not in defined or member in used:
            raise PolicyError("A member is defined before, and of one group.", name=member)
        used.add(member)


def _threshold(word: str, members: int) -> int:
    if word in ("all", "any"):
        return members if word == "all" else 1
    try:
        return decode_decimal(word)
    except ValueError as error:
        raise PolicyError("A group's threshold is all, any or a decimal.") from error


def _threshold_word(group: Group) -> str:
    words = {1: "any", len(group.members): "all"}
    return words.get(group.threshold, str(group.threshold))
