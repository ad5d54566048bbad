"""A clinic that writes: signed, sealed submissions, byte for byte what the desk makes of a dose.

Registrations and doses are made here without the domain's decision where a benchmark needs many
at once: signature, commitment, seal, entry, claim, guard and idempotency key are all real, so that
what was measured can be verified and projected afterwards.

What is decided on comes from families of a simulated province (`settle`): lives differ, and so do
the doses. What only the writer, the log and its followers see is uniform (`register`): rounds of
equal entries differ by the machine alone, and a peer's payload is compared with one size.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID, uuid4

from benchmarks.author import Author, operator_of
from benchmarks.families import Family, families
from bootstrap.wiring import Parts
from client.identifiers import new_id
from client.signing import Draft, SignedWrite
from commands.principal import Role
from commands.signed_body import SignedBody
from commands.writing import ID_NUMBER, PACKAGE_CODE, PERSON
from domain.calendar import civil_day
from ledger.entry import Author as Named
from ledger.entry import Entry, Seal
from ledger.jcs import canonical, parse
from ledger.sealing import KEY_BYTES, SALT_BYTES, SealContext, seal
from ledger.store.append import Append, Blob, Claim, Guard, NewEvent
from ledger.store.writer import Writer
from simulation.statements import ADMINISTERED, REGISTERED, Statement

COUNTY = "410299"
TOWNSHIP = "410299101"
DOSES_A_CHILD = 8
Given = tuple[str, str]
"""Vaccine and civil day of a dose."""

T = TypeVar("T")
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
    """A registered child: its record, its handle, its key, and how far its record is.

    A simulated one has a history: all its doses, in their order.
    """

    record: UUID
    handle: UUID
    key: bytes
    version: int = 1
    history: Sequence[Statement] = ()


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose on its way: signed, with what sealing it takes."""

    child: Child
    write: SignedWrite

    def body(self) -> SignedBody:
        """Return it as the desk takes it; its commitments are checked here."""
        return SignedBody.parse(parse(self.write.body()))


_Newborn = tuple[Child, SignedWrite, dict[UUID, bytes]]
"""With its registration, and the keys of all persons in it."""


class Clinic(Author):
    """An author who registers children and gives doses, many at once.

    Args:
        author: Who it is.
        writer: What many at once go through.
    """

    def __init__(self, author: Author, writer: Writer) -> None:
        super().__init__(author.parts, author.key, author.principal)
        self._writer = writer
        self._families = families(author.key.organisation, TOWNSHIP)

    def register(self, count: int) -> list[Child]:
        """Register so many uniform children in bulk."""
        return self._register(self._newborn() for _ in range(count))

    def settle(self, doses: int) -> list[Child]:
        """Register simulated families until their children are given so many doses, at least."""
        known = []
        while doses > 0:
            known.append(next(self._families))
            doses -= len(known[-1].doses)
        return self._register(self._of_family(family) for family in known)

    def _register(self, newborns: Iterable[_Newborn]) -> list[Child]:
        """Keys first, then the entries."""
        waiting, children = iter(newborns), []
        while some := list(islice(waiting, _KEYS_AT_ONCE)):
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

        A batch ends with a child: no other batch may come between its doses.

        Args:
            children: Whose.
            as_batches: How many doses a signature covers; 1 for an envelope each.
            childhood: All that a uniform child is given.
        """
        lanes = []
        for child in children:
            drafts = []
            given = child.history or [self._uniform(child, *one) for one in childhood]
            for data, private in given[child.version - 1 :]:
                drafts.append(Draft(ADMINISTERED, child.record, child.version, data, private))
                child.version += 1
            lanes.append((child, drafts))
        signed = self._sign([drafts for _, drafts in lanes], as_batches)
        return [[Dose(child, next(signed)) for _ in drafts] for child, drafts in lanes]

    def _sign(self, lanes: list[list[Draft]], size: int) -> Iterator[SignedWrite]:
        origin = self.parts.settings.origin
        if size == 1:
            yield from (self.key.sign(origin, draft) for lane in lanes for draft in lane)
            return
        for batch in batches(lanes, size):
            yield from self.key.sign_batch(origin, batch)

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

    def _of_family(self, family: Family) -> _Newborn:
        child = Child(family.record, family.handle, secrets.token_bytes(KEY_BYTES))
        child.history = family.doses
        return self._born(child, family.mother, *family.registration)

    def _newborn(self) -> _Newborn:
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
        return self._born(child, mother, data, private)

    def _born(self, child: Child, mother: UUID, *statement: Any) -> _Newborn:
        draft = Draft(REGISTERED, child.record, 0, *statement)
        keys = {child.handle: child.key, mother: secrets.token_bytes(KEY_BYTES)}
        return child, self.key.sign(self.parts.settings.origin, draft), keys

    def _uniform(self, child: Child, vaccine: str, day: str) -> Statement:
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
        return data, private

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
            people = [Claim(PERSON, UUID(who).bytes, statement.stream) for who in write.private]
            child = write.private[statement.data["recipient"]]["values"]
            if (number := child.get("id_number")) is not None:
                blind = self.parts.vault.keys.digest(ID_NUMBER, number)
                people.append(Claim(ID_NUMBER, blind, statement.stream))
            return tuple(people)
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


def batches(lanes: Iterable[Sequence[T]], size: int) -> Iterator[list[T]]:
    """Yield what lies in lanes, at most so many at a time; no lane in two parts."""
    batch: list[T] = []
    for lane in lanes:
        if len(batch) + len(lane) > size:
            yield batch
            batch = []
        batch += lane
    yield batch


def append_all(writer: Writer, appends: Iterable[Append]) -> int:
    """Append submissions, some thousands in flight at a time; return how many events there were."""
    waiting: Iterator[Append] = iter(appends)
    count = 0
    while some := [writer.submit(append) for append in islice(waiting, _IN_FLIGHT)]:
        count += sum(future.result().count for future in some)
    return count
