"""Corrections over HTTP, step by step, as a clinic's software makes them."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from client.signing import Draft
from tests.integration.api.conftest import Author, Child, County, dose, doses_path, register

STEPS = {"verified": "verification", "applied": "application"}
ENDS = {"rejected": "rejection", "withdrawn": "withdrawal"}
LOT = {"field": "lot", "before": "A20140601", "after": "A20140610"}


def vaccinated(county: County, **changes: Any) -> tuple[Child, str]:
    """A child with one dose; returns both."""
    child = register(county.clinic)
    given = dose(county.clinic, child, **changes)
    answer = county.clinic.post(doses_path(child), given)
    assert answer.status_code == 201, answer.text
    return replace(child, version=2), given.data["dose"]


def request(
    by: Author, child: Child, which: str, *changes: dict[str, str], **fields: Any
) -> tuple[UUID, httpx.Response]:
    """Ask for a correction; returns its stream and the answer."""
    stream = uuid4()
    data = {
        "record": str(child.record),
        "dose": which,
        "division": by.principal.division,
        "kind": "amend",
        "changes": list(changes),
        "urgency": "next-day",
        "reason": "typing-error",
        "requested_by": "clinic",
        "clinic": str(by.organisation),
        **fields,
    }
    return stream, by.post("/v1/corrections", Draft("correction.requested.v1", stream, 0, data))


def step(by: Author, stream: UUID, name: str, version: int, **fields: Any) -> httpx.Response:
    """Take one step."""
    data = {"clinic": str(by.organisation), **fields}
    path = f"/v1/corrections/{stream}/{(STEPS | ENDS)[name]}"
    return by.post(path, Draft(f"correction.{name}.v1", stream, version, data))


def correct(
    by: Author, child: Child, which: str, *changes: dict[str, str], **fields: Any
) -> tuple[UUID, int]:
    """Request, verify and apply; returns the stream and the position of the application."""
    stream, requested = request(by, child, which, *changes, **fields)
    assert requested.status_code == 201, requested.text
    answers = [step(by, stream, name, version) for version, name in enumerate(STEPS, 1)]
    for answer in answers:
        assert answer.status_code == 201, answer.text
    return stream, answers[-1].json()["position"]
