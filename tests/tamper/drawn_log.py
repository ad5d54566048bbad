"""Genuine logs drawn at random: every kind of author, envelope and seal, in a mixed order.

What is written is what an honest installation writes: values sealed under their person's key,
lines of signed batches, rotated and revoked keys, effects with causes, deeds on a citizen's behalf.
"""

import copy
import random
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.signing import AuthorKey, Draft, SignedWrite
from ledger.entry import Author, Entry, Seal
from ledger.envelope import sign_batch
from ledger.jcs import canonical
from ledger.sealing import SealContext, seal
from tests.unit.client.signed_log import (
    CDC,
    CLINIC,
    COUNTY,
    ORIGIN,
    PLATFORM,
    START,
    Line,
    SignedLog,
    author,
)

Child = tuple[UUID, UUID]


def private_key(organisation: UUID, name: str = "") -> Ed25519PrivateKey:
    """Return the key behind `author(organisation, name)`."""
    seed = sha256(f"{organisation}{name}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


class DrawnLog(SignedLog):
    """A log that seals for real and knows every person's key."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self.keys: dict[str, bytes] = {}
        self.children: list[Child] = []
        self.clinics = [(CLINIC, "")]
        self.versions: dict[UUID, int] = {}
        self._newest = START

    def copy(self) -> "DrawnLog":
        """Return a log to forge; this one stays."""
        twin = copy.copy(self)
        twin.lines, twin.children = list(self.lines), list(self.children)
        twin.clinics, twin.versions = list(self.clinics), dict(self.versions)
        twin.keys = dict(self.keys)
        twin._chance = random.Random(len(self.lines))
        return twin

    def add(self, key: AuthorKey, write: SignedWrite, derived=None, division=COUNTY) -> int:
        return self.append(key, write, write.envelope.encode(), derived, division)

    def append(
        self,
        key: AuthorKey,
        write: SignedWrite,
        evidence: bytes,
        derived: object = None,
        division: str = COUNTY,
    ) -> int:
        """Append an entry for a statement, whatever evidence of its signature is given."""
        said = write.statement
        blobs = {
            str(person): self.sealed(
                said.topic, said.stream, said.expected_version + 1, person, opening
            )
            for person, opening in write.private.items()
        }
        entry = Entry(
            origin=ORIGIN,
            topic=said.topic,
            stream=said.stream,
            version=said.expected_version + 1,
            division=division,
            recorded_at=self.tick(),
            author=Author(str(key.organisation), key.keyid, sha256(evidence).hexdigest()),
            data=dict(said.data) | ({} if derived is None else {"derived": derived}),
            sealed=tuple(Seal(who, sha256(blob).hexdigest()) for who, blob in blobs.items()),
        )
        by_digest = {sha256(blob).hexdigest(): blob for blob in blobs.values()}
        self.lines.append(Line(entry.encode(), evidence, by_digest))
        self.versions[said.stream] = said.expected_version + 1
        return len(self.lines)

    def sealed(
        self, topic: str, stream: UUID, version: int, person: object, opening: object
    ) -> bytes:
        """Seal a person's values at their place in the log."""
        key = self.keys.setdefault(str(person), self.random_bytes(32))
        context = SealContext(ORIGIN, topic, stream, version, str(person))
        return seal(key, self.random_bytes(32), context, canonical(opening))

    def tick(self):
        """Return the next `recorded_at`: clocks differ by up to two seconds."""
        self._newest += timedelta(milliseconds=self._chance.choice((0, 3, 40, 900, 5000)))
        return self._newest - timedelta(milliseconds=self._chance.choice((0, 0, 0, 7, 1999, 2000)))

    def clinic(self) -> AuthorKey:
        return author(*self._chance.choice(self.clinics))

    def said(self, topic: str, stream: UUID, data: dict, private=None) -> Draft:
        """Return a draft for the next version of a stream."""
        return self.draft(topic, stream, self.versions.get(stream, 0), data, private)

    def draw(self, steps: int) -> None:
        """Let things happen."""
        self.open()
        self.children.append(self.add_child(self.clinic()))
        deeds = (
            *(self.draw_child, self.draw_dose, self.draw_dose, self.draw_dose, self.draw_batch),
            *(
                self.draw_correction,
                self.draw_claim,
                self.draw_rotation,
                self.draw_contraindication,
            ),
            self.draw_clinic,
        )
        while len(self.lines) < steps:
            self._chance.choice(deeds)()

    def child(self) -> Child:
        return self._chance.choice(self.children)

    def draw_child(self) -> None:
        self.children.append(self.add_child(self.clinic()))

    def draw_dose(self) -> None:
        stream, person = self.child()
        self.write(
            self.clinic(),
            self.dose(stream, person, self.versions[stream]),
            {"effective_on": "2026-09-01"},
        )

    def draw_batch(self, size: int = 0) -> list[int]:
        """Let a clinic sign doses of several children at once; return their positions."""
        organisation, name = self._chance.choice(self.clinics)
        key = author(organisation, name)
        children = {self.child() for _ in range(size or self._chance.randint(1, 6))}
        drafts = [self.dose(stream, who, self.versions[stream]) for stream, who in children]
        writes = [key.sign(ORIGIN, draft, self.random_bytes) for draft in drafts]
        members = sign_batch(
            [one.envelope.payload for one in writes], private_key(organisation, name)
        )
        derived = {"effective_on": "2026-09-01"}
        pairs = zip(writes, members, strict=True)
        return [self.append(key, write, member.encode(), derived) for write, member in pairs]

    def draw_contraindication(self) -> None:
        stream, person = self.child()
        data = {
            "contraindication": str(self.handle()),
            "vaccine_groups": ["MMR", "JE-L"],
            "lasting": self._chance.random() < 0.5,
            "valid_from": "2026-09-01",
            "clinic": str(CLINIC),
        }
        private = {person: {"kind": "allergy", "note": '对鸡蛋过敏 "\\\n\u0007😀'}}
        topic = "vaccination-record.contraindication-recorded.v1"
        self.write(self.clinic(), self.said(topic, stream, data, private))

    def draw_correction(self) -> int:
        """Let a correction be requested and applied; return the position of its effect."""
        record, _ = self.child()
        correction, dose = self.handle(), str(self.handle())
        clinic = self.clinic()
        changes = [{"field": "lot", "before": "A1", "after": "A2"}]
        request = {
            "record": str(record),
            "dose": dose,
            "division": COUNTY,
            "kind": "amend",
            "changes": changes,
            "urgency": "next-day",
            "reason": "wrong-lot",
            "requested_by": "clinic",
            "clinic": str(clinic.organisation),
        }
        self.write(clinic, self.said("correction.requested.v1", correction, request))
        applied = {"clinic": str(clinic.organisation)}
        derived = {"effective_on": "2026-09-02"}
        self.write(clinic, self.said("correction.applied.v1", correction, applied), derived)
        effect = {
            "dose": dose,
            "changes": changes,
            "correction": str(correction),
            "urgency": "next-day",
        }
        derived = derived | {"cause": {"stream": str(correction), "version": 2}}
        draft = self.said("vaccination-record.dose-corrected.v1", record, effect)
        return self.write(author(PLATFORM), draft, derived)

    def draw_claim(self) -> None:
        record, _ = self.child()
        holder, grantee, stream = self.handle(), self.handle(), self.handle()
        claim = {
            "record": str(record),
            "kind": "child",
            "division": COUNTY,
            "holder": str(holder),
        }
        derived = {"identifier": self.random_bytes(16).hex(), "on_behalf_of": str(holder)}
        self.write(author(PLATFORM), self.said("certificate.claimed.v1", stream, claim), derived)
        grant = {
            "grant": str(self.handle()),
            "grantee": str(grantee),
            "relation": "other",
            "scope": ["view"],
        }
        private = {grantee: {"name": "王 O'Neil\u2028", "phone": "13800000000"}}
        draft = self.said("certificate.granted.v1", stream, grant, private)
        self.write(author(PLATFORM), draft, {"on_behalf_of": str(holder)})

    def draw_rotation(self) -> None:
        """Let a clinic register a further key and perhaps revoke the one it signed with."""
        at = self._chance.randrange(len(self.clinics))
        organisation, name = self.clinics[at]
        new = f"key {len(self.lines)}"
        self.register_key(author(organisation, name), author(organisation, new))
        self.clinics.append((organisation, new))
        if self._chance.random() < 0.5:
            by = author(
                *self._chance.choice(((organisation, new), (organisation, name), (CDC, "")))
            )
            self.revoke(by, author(organisation, name))
            self.clinics.remove((organisation, name))

    def register_key(self, by: AuthorKey, new: AuthorKey, proof: str = "") -> int:
        data = {
            "public_key": new.public.hex(),
            "key_proof": proof or new.proof_of_possession(ORIGIN),
        }
        return self.write(by, self.said("organisation.key-registered.v1", new.organisation, data))

    def revoke(self, by: AuthorKey, old: AuthorKey) -> int:
        data = {"keyid": old.keyid, "reason": "superseded"}
        return self.write(by, self.said("organisation.key-revoked.v1", old.organisation, data))

    def draw_clinic(self) -> None:
        organisation = self.handle()
        self.register(author(CDC), author(organisation), "clinic")
        self.clinics.append((organisation, ""))

    def positions(self, *topics: str) -> Sequence[int]:
        """Return where the log has entries of some kinds; everywhere after the opening if none."""
        if not topics:
            return range(5, len(self.lines) + 1)
        return [
            at for at, line in enumerate(self.lines, 1) if line.entry.topic.split(".")[1] in topics
        ]


def drawn_log(seed: int, steps: int = 40) -> DrawnLog:
    """Return a log of at least so many entries, the same for the same seed."""
    log = DrawnLog(seed)
    log.draw(steps)
    return log
