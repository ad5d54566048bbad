"""The writes that an import is made of: always the same bytes for the same row.

Idempotency keys and salts are made from the memory's secret, ids are remembered before they are
used. So whatever was sent before an interruption is answered as what it is: the same write.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from client.importing.memory import ImportMemory, KnownPerson
from client.importing.parsing import Dose, Person
from client.importing.planning import Planned
from client.signing import AuthorKey, Draft, SignedWrite
from domain.correction import Correction
from domain.correction_events import CorrectionKind, RequestedBy
from domain.dose import CORRECTABLE
from domain.dose_events import DoseTranscribed, EvidenceKind
from domain.registration import Registered
from domain.roll import Roll
from domain.vocabulary import PersonKind, Urgency

SOURCE_CHANGED = "source-changed"
"""Why a correction is asked for: the source system tells otherwise by now."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """Who imports.

    Attributes:
        key: Signs.
        division: Of the clinic, and so of the records that it opens.
        transcriber: Name of the person who answers for the import.
    """

    key: AuthorKey
    division: str
    transcriber: str

    @property
    def id(self) -> str:
        """The clinic, as fields name it."""
        return str(self.key.organisation)


class Drafting:
    """Draws up the writes of an import.

    Args:
        memory: Of the source system.
        clinic: Who imports.
    """

    def __init__(self, memory: ImportMemory, clinic: Clinic) -> None:
        self._memory = memory
        self._clinic = clinic

    def registration(self, person: KnownPerson, who: Person) -> Draft:
        """Return the registration of a person."""
        guardians = []
        private: dict[UUID, Mapping[str, Any]] = {person.handle: who.recipient}
        if who.guardian:
            guardians = [{"person": str(person.guardian), "relation": who.relation.value}]
            private[person.guardian] = who.guardian
        data = {
            "kind": PersonKind.CHILD.value,
            "recipient": str(person.handle),
            "guardians": guardians,
            "birth_year": who.birth_date.year,
            "managing_organisation": self._clinic.id,
            "division": self._clinic.division,
            "roll": Roll.ACTIVE.value,
        }
        return self._draft(Registered.TOPIC, person.record, 0, data, private, person.key)

    def dose(self, person: KnownPerson, planned: Planned) -> Draft:
        """Return a dose, as transcribed from the other system at the version its row names."""
        row, dose = planned.row, planned.dose
        assert row is not None, "the row tells of a dose"
        assert dose is not None, "likewise"
        salt = self._memory.digest("evidence", row.key.hex(), planned.content.hex())
        evidence = self._memory.digest("evidence of", salt.hex(), dict(dose.clear))
        data = {
            **dose.clear,
            "dose": str(row.dose),
            "evidence_kind": EvidenceKind.OTHER_SYSTEM.value,
            "evidence": evidence.hex(),
            "clinic": self._clinic.id,
        }
        values = _sealed(dose, self._clinic.transcriber) | {"evidence_salt": salt.hex()}
        private = {person.handle: values}
        return self._draft(
            DoseTranscribed.TOPIC, person.record, row.version, data, private, row.key
        )

    def correction(self, stream: UUID, record: Mapping[str, Any], planned: Planned) -> Draft | None:
        """Return a request to correct a dose to what its row says now; None if nothing differs.

        Args:
            stream: Of the new correction.
            record: As the server shows it.
            planned: The row.
        """
        row, dose = planned.row, planned.dose
        assert row is not None, "the row tells of a dose"
        assert dose is not None, "likewise"
        current = next((one for one in record["doses"] if one["dose"] == str(row.dose)), None)
        changes = list(differences(current or {}, dose.clear))
        if current is None or not changes:
            return None
        data = {
            "record": record["record"],
            "dose": str(row.dose),
            "division": record["division"],
            "kind": CorrectionKind.AMEND.value,
            "changes": changes,
            "urgency": Urgency.NEXT_DAY.value,
            "reason": SOURCE_CHANGED,
            "requested_by": RequestedBy.CLINIC.value,
            "clinic": self._clinic.id,
        }
        return self._draft(Correction.Requested.TOPIC, stream, 0, data, {}, planned.content)

    def sign(self, origin: str, drafts: Sequence[Draft]) -> list[SignedWrite]:
        """Sign writes as one batch, each under salts that are its own for ever."""
        salts = self._salts(drafts)
        return self._clinic.key.sign_batch(origin, drafts, lambda _: next(salts))

    def _salts(self, drafts: Iterable[Draft]) -> Iterator[bytes]:
        for draft in drafts:
            for who in draft.private:
                yield self._memory.digest("salt", draft.idempotency_key.hex, who.hex)

    def _draft(
        self,
        topic: str,
        stream: UUID,
        version: int,
        data: Mapping[str, Any],
        private: Mapping[UUID, Mapping[str, Any]],
        source: bytes,
    ) -> Draft:
        key = UUID(bytes=self._memory.key("write", topic, source.hex()), version=4)
        return Draft(topic, stream, version, data, private, key)


def differences(current: Mapping[str, Any], stated: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the clear fields in which a dose as stated differs from how it stands.

    What the source leaves out is no difference. Values are texts, as corrections state them.
    """
    for name in sorted(CORRECTABLE & stated.keys() - {"source_system"}):
        before, after = current.get(name), stated[name]
        if before is None:
            yield {"field": name, "after": str(after)}
        elif str(before) != str(after):
            yield {"field": name, "before": str(before), "after": str(after)}


def _sealed(dose: Dose, transcriber: str) -> dict[str, str]:
    note = {"note": dose.note} if dose.note else {}
    return {"unit": dose.unit, "transcriber": transcriber, **note}
