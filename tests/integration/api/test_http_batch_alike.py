"""A batch brings each line what it would have brought alone, in whatever order lines stand."""

import random
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from api.problems import kind_of
from client.signing import Draft, SignedWrite
from commands.signed_body import SignedBody
from ledger.jcs import parse
from tests.drafts import id_number
from tests.integration.api.conftest import Author, Child, County, dose, registration
from tests.integration.api.test_http_batches import body_of, outcomes

CHILDREN = 5
LINES = 60
KINDS = (
    *("dose", "dose", "dose", "dose", "early", "unknown", "stale", "ahead"),
    *("again", "twin", "package", "contraindication", "registered-again"),
)
Script = list[tuple[str, int]]


def script(seed: int) -> Script:
    """What happens to which child; the same for every clinic that plays it."""
    drawn = random.Random(seed)
    lines = [("registered", child) for child in range(CHILDREN)]
    lines += [(drawn.choice(KINDS), drawn.randrange(CHILDREN)) for _ in range(LINES)]
    return lines


class Players:
    """Draws up the lines of a script for children of their own."""

    def __init__(self, clinic: Author) -> None:
        self.clinic = clinic
        made = [registration(clinic, number=id_number()) for _ in range(CHILDREN)]
        self.registrations: list[Draft] = [draft for draft, _ in made]
        self.children: list[Child] = [child for _, child in made]
        self.versions = [0] * CHILDREN
        self.package = f"81{uuid4().int % 10**18:018d}"
        self.drafts: list[Draft] = []

    def lines(self, happens: Script) -> list[SignedWrite]:
        for kind, number in happens:
            self.drafts.append(self.draft(kind, number))
        origin = self.clinic.served.parts.settings.origin
        return self.clinic.key.sign_batch(origin, self.drafts)

    def draft(self, kind: str, number: int) -> Draft:
        if kind == "registered":
            self.versions[number] = 1
            return self.registrations[number]
        if kind == "registered-again":
            return replace(self.registrations[number], idempotency_key=uuid4())
        if kind == "again" and len(self.drafts) > CHILDREN:
            return self.drafts[-1]
        version = self.versions[number]
        child = replace(self.children[number], version=version)
        if kind == "contraindication":
            self.versions[number] += 1
            return self.contraindication(child)
        draft = dose(self.clinic, child, occurred_on=f"2015-{1 + version % 12:02}-15")
        if kind in {"dose", "again"}:
            self.versions[number] += 1
        return {
            "early": lambda: dose(self.clinic, child, occurred_on="2013-01-01"),
            "unknown": lambda: replace(draft, data={**draft.data, "vaccine": "none"}),
            "stale": lambda: replace(draft, expected_version=max(1, version - 1)),
            "ahead": lambda: replace(draft, expected_version=version + 1),
            "twin": lambda: replace(self.drafts[-1], data=draft.data, private=draft.private),
            "package": lambda: self.from_one_package(draft, number),
        }.get(kind, lambda: draft)()

    def from_one_package(self, draft: Draft, number: int) -> Draft:
        """One of the child's own: which of two children gets one, a batch does not promise."""
        ((who, part),) = draft.private.items()
        code = f"{self.package}{number}"
        return replace(draft, private={who: {**part, "package_code": code}})

    def contraindication(self, child: Child) -> Draft:
        data: dict[str, Any] = {
            "contraindication": str(uuid4()),
            "vaccine_groups": ["HepB"],
            "lasting": False,
            "valid_from": "2015-01-01",
            "valid_to": "2015-12-31",
            "clinic": str(self.clinic.organisation),
        }
        topic = "vaccination-record.contraindication-recorded.v1"
        return Draft(topic, child.record, child.version, data, {child.handle: {"kind": "allergy"}})


def alone(clinic: Author, lines: list[SignedWrite]) -> list[int | str]:
    """What each line brings where nothing is decided ahead."""
    desk, found = clinic.served.parts.desk, []
    for line in lines:
        body = SignedBody.parse(parse(line.body()))
        try:
            desk.submit(body, clinic.principal, body.statement.idempotency_key)
        except Exception as error:  # noqa: BLE001  the outcome of this line
            found.append(kind_of(error).slug)
        else:
            found.append(201)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_lines_of_a_batch_bring_what_they_would_have_brought_alone(county: County, seed: int):
    happens = script(seed)
    singly, together = Players(county.clinic), Players(county.clinic)
    expected = alone(county.clinic, singly.lines(happens))
    found = outcomes(county.clinic, body_of(together.lines(happens)))
    assert [*zip(happens, found, strict=True)] == [*zip(happens, expected, strict=True)]
    assert len({*map(str, found)}) > 4, "the script is worth playing"
    county.served.caught_up()
    for one, other in zip(singly.children, together.children, strict=True):
        shown = [county.clinic.get(f"/v1/records/{child.record}").json() for child in (one, other)]
        days = [[dose["occurred_on"] for dose in record["doses"]] for record in shown]
        assert days[0] == days[1]
        assert shown[0]["version"] == shown[1]["version"]
