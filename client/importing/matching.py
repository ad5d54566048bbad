"""Records that others opened: finding the one of a person, and what stands in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from client.errors import ProblemError
from client.http import Client
from client.importing.drafting import differences
from client.importing.memory import KnownPerson
from client.importing.outcomes import slug_of
from client.importing.parsing import Person
from client.importing.planning import Planned

_TAKEN = ("claim-taken", "idempotency-key-reused")
"""The number is in a record already; or the row was registered, and the memory was lost."""
_NUMBER = ("id_number", "id_type")
_SAME = ("name", "sex", "birth_date")
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Standing:
    """A dose of a record that a row may tell of.

    Attributes:
        differences: Where the row says otherwise: ``field``, ``before`` and ``after``.
    """

    differences: tuple[Mapping[str, str], ...]


class Records:
    """The records of the log, as the clinic may read them.

    Args:
        client: Calls as the clinic.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shown = lru_cache(_KEPT)(self.show)

    def find(self, person: KnownPerson, who: Person, problem: ProblemError) -> KnownPerson | None:
        """Return the person in the record that has their number already, if they are the same.

        None where the registration was refused for another reason, where the record is out of the
        clinic's sight, or where name, sex or birth date say that it is somebody else's.
        """
        if slug_of(problem) not in _TAKEN or "id_number" not in who.recipient:
            return None
        asked = {name: who.recipient[name] for name in _NUMBER if name in who.recipient}
        answer = self._client.request("POST", "/v1/records/search", asked)
        same = [
            found
            for found in answer.json()["records"]
            if found["matched"] == "recipient"
            and all(found["recipient"].get(name) == who.recipient[name] for name in _SAME)
        ]
        if len(same) != 1:
            return None
        return replace(
            person,
            record=UUID(same[0]["record"]),
            handle=UUID(same[0]["recipient"]["handle"]),
            version=int(same[0]["version"]),
            is_found=True,
        )

    def dose(self, person: KnownPerson, planned: Planned) -> Standing | None:
        """Return how others entered the dose of a row in a person's record, None if nobody did."""
        assert planned.row is not None, "the row tells of a dose"
        assert planned.dose is not None, "likewise"
        stated = planned.dose.clear
        for dose in self._shown(person.record)["doses"]:
            if dose["dose"] == str(planned.row.dose):
                return None  # our own, sent before an interruption
            if all(dose[name] == stated[name] for name in ("vaccine", "occurred_on")):
                return Standing(tuple(differences(dose, stated)))
        return None

    def show(self, record: UUID) -> dict[str, Any]:
        """Return a record as it stands.

        Raises:
            ProblemError: The clinic may not read it.
        """
        shown: dict[str, Any] = self._client.request("GET", f"/v1/records/{record}").json()
        return shown
