"""A clinic that writes: signed, sealed submissions, byte for byte what the desk makes of a dose.

Registrations and doses are made here without the domain's decision where a benchmark needs many
at once: signature, commitment, seal, entry, claim, guard and idempotency key are all real, so that
what was measured can be verified and projected afterwards.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from uuid import UUID, uuid4

from benchmarks.author import Author, operator_of
from bootstrap.wiring import Parts
from client.identifiers import new_id
from client.signing import Draft, SignedWrite
from commands.principal import Role
from commands.signed_body import SignedBody
from commands.writing import PACKAGE_CODE, PERSON
from domain.calendar import civil_day
from ledger.entry import Author as Named
from ledger.entry import Entry, Seal
from ledger.jcs import canonical, parse
from ledger.sealing import KEY_BYTES, SALT_BYTES, SealContext, seal
from ledger.store.append import Append, Blob, Claim, Guard, NewEvent
from ledger.store.writer import Writer

COUNTY = "410299"
TOWNSHIP = "410299101"
DOSES_A_CHILD = 8
Given = tuple[str, str]
"""Vaccine and civil day of a dose."""
REGISTERED = "vaccination-record.registered.v1"
ADMINISTERED = "vaccination-record.dose-administered.v1"

_IN_FLIGHT = 2_000
_KEYS_AT_ONCE = 5_000
_VACCINES = (
    ("HepB", "重组乙型肝炎疫苗", "北京生物", "LA", "IM"),
    ("OPV", "脊髓灰质炎减毒活疫苗", "北京天坛", "ORAL", "PO"),
    ("DTaP", "吸附无细胞百白破联合疫苗", "武汉生物", "RA", "IM"),
    ("MMR", "麻腮风联合减毒活疫苗", "上海生物", "LA", "SC"),
)
_KNOWN = {vaccine: named for vaccine, *named in _VACCINES}
_CHILDHOOD = [
    (_VACCINES[number % len(_VACCINES)][0], f"2015-{number + 1:02}-15")
    for number in range(1, DOSES_A_CHILD + 1)
]


@dataclass(slots=True)
class Child:
    """A registered child: its record, its handle, its key, and how far its record is."""

    record: UUID
    handle: UUID
    key: bytes
    version: int = 1


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose on its way: signed, with what sealing it takes."""

    child: Child
    write: SignedWrite

    def body(self) -> SignedBody:
        """Return it as the desk takes it; its commitments are checked here."""
        return SignedBody.parse(parse(self.write.body()))


class Clinic(Author):
    """An author who registers children and gives doses, many at once.

    Args:
        author: Who it is.
        writer: What many at once go through.
    """

    def __init__(self, author: Author, writer: Writer) -> None:
        super().__init__(author.parts, author.key, author.principal)
        self._writer = writer

    def register(self, count: int) -> list[Child]:
        """Register so many children in bulk: keys first, then the entries."""
        children = []
        for start in range(0, count, _KEYS_AT_ONCE):
            some = [self._newborn() for _ in range(min(_KEYS_AT_ONCE, count - start))]
            keys = {who: key for _, _, kept in some for who, key in kept.items()}
            self.parts.vault.keys.commit(keys)
            now = datetime.now(UTC)
            append_all(
                self.parts.writer, (self.to_append(write, held, now) for _, write, held in some)
            )
            children += [child for child, _, _ in some]
        return children

    def doses(
        self,
        children: Iterable[Child],
        *,
        as_batches: int = 1,
        childhood: Sequence[Given] = _CHILDHOOD,
    ) -> list[list[Dose]]:
        """Sign the doses that children have not had yet; a child's must stay in order.

        Args:
            children: Whose.
            as_batches: How many doses a signature covers; 1 for an envelope each.
            childhood: All that a child is given.
        """
        lanes = []
        for child in children:
            drafts = []
            for vaccine, day in childhood[child.version - 1 :]:
                drafts.append(self._draft(child, vaccine, day))
                child.version += 1
            lanes.append((child, drafts))
        signed = self._sign([draft for _, drafts in lanes for draft in drafts], as_batches)
        return [[Dose(child, next(signed)) for _ in drafts] for child, drafts in lanes]

    def _sign(self, drafts: list[Draft], size: int) -> Iterator[SignedWrite]:
        origin = self.parts.settings.origin
        for start in range(0, len(drafts), size):
            some = drafts[start : start + size]
            yield from (
                self.key.sign_batch(origin, some) if size > 1 else [self.key.sign(origin, some[0])]
            )

    def to_append(
        self, write: SignedWrite, keys: dict[UUID, bytes], recorded_at: datetime
    ) -> Append:
        """Seal, encode and gather everything that is stored with a write.

        Args:
            write: A registration or a dose.
            keys: The key of each person in it.
            recorded_at: Time of recording.
        """
        statement, envelope = write.statement, write.envelope.encode()
        blobs = [Blob(who, self._seal(write, who, keys[who]), 0) for who in keys]
        entry = Entry(
            statement.origin,
            statement.topic,
            statement.stream,
            statement.expected_version + 1,
            TOWNSHIP,
            recorded_at,
            Named(str(self.key.organisation), self.key.keyid, sha256(envelope).hexdigest()),
            {**statement.data, "derived": {"effective_on": civil_day(recorded_at).isoformat()}},
            tuple(Seal(str(one.subject), sha256(one.blob).hexdigest()) for one in blobs),
        )
        return Append(
            author=self.key.organisation,
            key=statement.idempotency_key,
            request=sha256(write.envelope.payload).digest(),
            events=(NewEvent.of(entry),),
            guards=(Guard(self.key.organisation, 1),),
            claims=self._claims(write),
            envelopes=(envelope,),
            blobs=tuple(blobs),
        )

    def dose_append(self, dose: Dose, recorded_at: datetime) -> Append:
        """Return a dose as the store takes it."""
        return self.to_append(dose.write, {dose.child.handle: dose.child.key}, recorded_at)

    def _newborn(self) -> tuple[Child, SignedWrite, dict[UUID, bytes]]:
        child = Child(new_id(), uuid4(), secrets.token_bytes(KEY_BYTES))
        mother = uuid4()
        data = {
            "kind": "child",
            "recipient": str(child.handle),
            "guardians": [{"person": str(mother), "relation": "mother"}],
            "birth_year": 2014,
            "managing_organisation": str(self.key.organisation),
            "division": TOWNSHIP,
            "roll": "active",
        }
        born = f"2014-06-{secrets.randbelow(28) + 1:02d}"
        private = {
            child.handle: {"name": "王小明", "sex": "male", "birth_date": born},
            mother: {"name": "李梅"},
        }
        draft = Draft(REGISTERED, child.record, 0, data, private)
        keys = {child.handle: child.key, mother: secrets.token_bytes(KEY_BYTES)}
        return child, self.key.sign(self.parts.settings.origin, draft), keys

    def _draft(self, child: Child, vaccine: str, day: str) -> Draft:
        product, maker, site, route = _KNOWN.get(vaccine, ("疫苗", "北京生物", "LA", "IM"))
        data = {
            "dose": str(new_id()),
            "vaccine": vaccine,
            "product": product,
            "maker": maker,
            "lot": f"A{secrets.randbelow(10**6):06d}",
            "expires_on": "2025-01-31",
            "occurred_on": day,
            "site": site,
            "route": route,
            "quantity": "0.5 mL",
            "clinic": str(self.key.organisation),
            "source_system": "programme",
        }
        private = {
            child.handle: {
                "vaccinator": "赵医生",
                "occurred_at": f"{day}T09:30:00+08:00",
                "package_code": f"81{secrets.randbelow(10**18):018d}",
            }
        }
        return Draft(ADMINISTERED, child.record, child.version, data, private)

    def _seal(self, write: SignedWrite, who: UUID, key: bytes) -> bytes:
        statement = write.statement
        version = statement.expected_version + 1
        context = SealContext(
            statement.origin, statement.topic, statement.stream, version, str(who)
        )
        plain = canonical(dict(write.private[str(who)]))
        return seal(key, secrets.token_bytes(SALT_BYTES), context, plain)

    def _claims(self, write: SignedWrite) -> tuple[Claim, ...]:
        statement = write.statement
        if statement.topic == REGISTERED:
            return tuple(Claim(PERSON, UUID(who).bytes, statement.stream) for who in write.private)
        (part,) = write.private.values()
        code = self.parts.vault.keys.digest(PACKAGE_CODE, part["values"]["package_code"])
        return (Claim(PACKAGE_CODE, code, statement.stream),)


def found_county(parts: Parts, writer: Writer) -> Clinic:
    """Admit a county and a clinic in it through the desk; return the clinic."""
    county = operator_of(parts).admit(new_id(), _organisation(Role.COUNTY_CDC, COUNTY))
    clinic = county.admit(new_id(), _organisation(Role.CLINIC, TOWNSHIP))
    return Clinic(clinic, writer)


def _organisation(role: Role, division: str) -> dict[str, str]:
    return {"name": f"测试{role}", "kind": str(role), "division": division}


def append_all(writer: Writer, appends: Iterable[Append]) -> int:
    """Append submissions, some thousands in flight at a time; return how many events there were."""
    waiting: Iterator[Append] = iter(appends)
    count = 0
    while some := [writer.submit(append) for append in islice(waiting, _IN_FLIGHT)]:
        count += sum(future.result().count for future in some)
    return count
