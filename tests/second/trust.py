"""C2SP tlog-policy: which checkpoints count."""

import re
from dataclasses import dataclass, field

from tests.second.findings import demand
from tests.second.notes import (
    COSIGNED_ED25519,
    COSIGNED_MLDSA44,
    ED25519,
    TreeHead,
    VerifierKey,
    signers,
)


@dataclass
class Trust:
    """Logs, witnesses, groups and the quorum of a policy.

    Attributes:
        witnesses: Their key by their name in the policy.
        groups: Threshold and members by name.
        quorum: Name of a witness or group, or `none`.
    """

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[str, VerifierKey] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = ""

    @classmethod
    def of_keys(cls, *vkeys: str) -> "Trust":
        """Trust the keys of one log, without witnesses."""
        return cls([VerifierKey.parse(vkey) for vkey in vkeys], quorum="none")

    @classmethod
    def parse(cls, policy: bytes) -> "Trust":
        """Read a policy file."""
        trust = cls()
        text = policy.decode("latin-1")
        demand(re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text) is None, "policy", "control character")
        demand(not text or text.endswith("\n"), "policy", "its last line has no end")
        for line in text.split("\n"):
            words = [word.encode("latin-1").decode("utf-8") for word in re.split(r"[ \t]+", line)]
            words = [word for word in words if word]
            if words and not words[0].startswith("#"):
                trust._add(words[0], words[1:])
        demand(bool(trust.quorum), "policy", "no quorum")
        for keys in (trust.logs, list(trust.witnesses.values())):
            demand(len({key.public for key in keys}) == len(keys), "policy", "a key twice")
        return trust

    def _add(self, word: str, words: list[str]) -> None:
        if word == "log":
            demand(len(words) in (1, 2), "policy", "not a log")
            key = VerifierKey.parse(words[0])
            demand(key.type in (ED25519, COSIGNED_MLDSA44), "policy", "not a log's key")
            self.logs.append(key)
        elif word == "witness":
            demand(len(words) in (2, 3), "policy", "not a witness")
            key = VerifierKey.parse(words[1])
            demand(key.type in (COSIGNED_ED25519, COSIGNED_MLDSA44), "policy", "not a cosigner")
            self._name(words[0])
            self.witnesses[words[0]] = key
        elif word == "group":
            self._add_group(words)
        else:
            demand(word == "quorum" and len(words) == 1, "policy", f"unknown line {word}")
            demand(not self.quorum, "policy", "two quorums")
            known = {"none", *self.witnesses, *self.groups}
            demand(words[0] in known, "policy", "the quorum is not defined")
            self.quorum = words[0]

    def _name(self, name: str) -> None:
        taken = {"none", *self.witnesses, *self.groups}
        demand(name not in taken, "policy", f"{name} stands twice")

    def _add_group(self, words: list[str]) -> None:
        demand(len(words) >= 3, "policy", "not a group")
        name, threshold, *members = words
        self._name(name)
        known = {*self.witnesses, *self.groups}
        demand(set(members) <= known, "policy", "a member is not defined")
        used = [member for _, others in self.groups.values() for member in others]
        demand(len({*members, *used}) == len(members) + len(used), "policy", "a member twice")
        counts = {"all": len(members), "any": 1}
        if threshold not in counts:
            demand(re.fullmatch(r"[1-9][0-9]*", threshold) is not None, "policy", "not a number")
        k = counts[threshold] if threshold in counts else int(threshold)
        demand(k <= len(members), "policy", "more than its members")
        self.groups[name] = (k, members)

    def _witnessed(self, name: str, cosigners: list[VerifierKey]) -> bool:
        if name == "none":
            return True
        if name in self.witnesses:
            return self.witnesses[name] in cosigners
        k, members = self.groups[name]
        return sum(self._witnessed(member, cosigners) for member in members) >= k

    def judge(self, note: bytes) -> tuple[TreeHead, bool]:
        """Return a checkpoint's tree head, and whether the quorum has cosigned it.

        Raises:
            Wrong: If no listed log signed it, or a known key's line is forged.
        """
        text, found = signers(note, [*self.logs, *self.witnesses.values()])
        head = TreeHead.parse(text)
        own = [key for key in found if key in self.logs and key.name == head.origin]
        demand(bool(own), "checkpoint", "no trusted log signed it")
        return head, self._witnessed(self.quorum, found)
