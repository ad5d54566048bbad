"""Drafts of the writes that many tests begin with: an organisation, a child, a dose."""

import secrets
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from client.identifiers import new_id
from client.signing import AuthorKey, Draft
from domain.identity import checksum

_ORDER = count()


def id_number(birth_date: str = "20140615", *, is_female: bool = False) -> str:
    """A synthetic number, valid in form, that no other test of this run is given."""
    place, order = divmod(next(_ORDER), 500)
    first = f"4102{10 + place}{birth_date}{order * 2 + (not is_female):03}"
    return first + checksum(first)


def organisation(
    origin: str, name: str, kind: str, division: str, **more: Any
) -> tuple[AuthorKey, Draft]:
    """The fresh key of an organisation, and the draft that registers it."""
    key = AuthorKey.from_seed(new_id(), secrets.token_bytes(32))
    data = {
        "name": name,
        "kind": kind,
        "division": division,
        "public_key": key.public.hex(),
        "key_proof": key.proof_of_possession(origin),
        **more,
    }
    return key, Draft("organisation.registered.v1", key.organisation, 0, data)


def registration(
    clinic: UUID, division: str, child: dict[str, str], mother: dict[str, str]
) -> tuple[Draft, UUID, UUID]:
    """The draft that registers a child with its mother, and the handles of both.

    Args:
        clinic: Manages the record.
        division: Of the record.
        child: Personal values; the birth date is among them.
        mother: Personal values.
    """
    handle, guardian = uuid4(), uuid4()
    data = {
        "kind": "child",
        "recipient": str(handle),
        "guardians": [{"person": str(guardian), "relation": "mother"}],
        "birth_year": int(child["birth_date"][:4]),
        "managing_organisation": str(clinic),
        "division": division,
        "roll": "active",
    }
    private = {handle: child, guardian: mother}
    return Draft("vaccination-record.registered.v1", new_id(), 0, data, private), handle, guardian


def dose(
    clinic: UUID,
    record: UUID,
    child: UUID,
    version: int,
    *,
    at: str = "T09:30:00+08:00",
    **changes: Any,
) -> Draft:
    """The draft of a dose of hepatitis B vaccine, or of what the changes make of it.

    Args:
        clinic: Gives it.
        record: Of the child.
        child: Its handle.
        version: Of the record, before the dose.
        at: Time of day and zone.
        changes: Clear fields by name.
    """
    data = {
        "dose": str(new_id()),
        "vaccine": "HepB",
        "product": "重组乙型肝炎疫苗",
        "maker": "北京生物",
        "lot": "A20140601",
        "expires_on": "2017-01-31",
        "occurred_on": "2014-08-15",
        "site": "LA",
        "route": "IM",
        "quantity": "0.5 mL",
        "clinic": str(clinic),
        "source_system": "programme",
        "preparation": {"consent": "paper", "health_asked": True, "matched": True},
        **changes,
    }
    private = {
        child: {
            "vaccinator": "赵医生",
            "occurred_at": f"{data['occurred_on']}{at}",
            "package_code": f"81{secrets.randbelow(10**18):018d}",
        }
    }
    return Draft("vaccination-record.dose-administered.v1", record, version, data, private)
