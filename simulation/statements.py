"""What a clinic writes of a simulated child: the clear fields, and what it seals, by person."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from examples.kaifeng.making.draw import Draw
from simulation.child import Child
from simulation.life import Given

REGISTERED = "vaccination-record.registered.v1"
ADMINISTERED = "vaccination-record.dose-administered.v1"
_VACCINATORS = ("赵医生", "钱医生", "孙医生")

Statement = tuple[dict[str, Any], Mapping[UUID, Mapping[str, Any]]]
"""The data of an event, and the values sealed with it."""


def registration(child: Child, people: tuple[UUID, UUID], clinic: UUID, township: str) -> Statement:
    """Return the registration of a child.

    Args:
        child: Who.
        people: The handles of child and mother.
        clinic: Who looks after it.
        township: Where.
    """
    handle, mother = people
    data = {
        "kind": "child",
        "recipient": str(handle),
        "guardians": [{"person": str(mother), "relation": "mother"}],
        "birth_year": child.birth_date.year,
        "managing_organisation": str(clinic),
        "division": township,
        "roll": "active",
    }
    private = {
        handle: {
            "name": child.name,
            "sex": child.sex,
            "birth_date": child.birth_date.isoformat(),
            "id_number": child.id_number,
            "residence_division": township[:6],
        },
        mother: {
            "name": child.mother_name,
            "id_number": child.mother_id_number,
            "phone": child.phone,
        },
    }
    return data, private


def administration(
    what: Given, day: str, ids: tuple[UUID, UUID], clinic: UUID, draw: Draw
) -> Statement:
    """Return a dose.

    Args:
        what: Was given.
        day: In the form of ISO 8601.
        ids: Of the dose, and the handle of the child.
        clinic: Who gave it.
        draw: For what no schedule tells: who gave it, when on that day, from which package.
    """
    dose, handle = ids
    data = {
        "dose": str(dose),
        "vaccine": what.product.vaccine,
        "product": what.product.name,
        "maker": what.product.maker,
        "lot": what.lot,
        "expires_on": what.expires_on.isoformat(),
        "occurred_on": day,
        "site": what.site,
        "route": what.product.route,
        "quantity": what.product.quantity,
        "clinic": str(clinic),
        "source_system": "programme",
        "preparation": {"consent": "paper", "health_asked": True, "matched": True},
    }
    if what.product.national_code:
        data["national_code"] = what.product.national_code
    at = f"{8 + draw.below(9):02}:{draw.below(60):02}:{draw.below(60):02}"
    private = {
        handle: {
            "vaccinator": draw.pick(_VACCINATORS),
            "occurred_at": f"{day}T{at}+08:00",
            "package_code": f"81{what.product.tracing}{draw.below(10**13):013}",
        }
    }
    return data, private
