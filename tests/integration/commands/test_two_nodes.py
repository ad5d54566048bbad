"""Two nodes of the API on one log: each with pools, a writer and a memory of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import pytest

from bootstrap.wiring import wire
from client.signing import Draft
from commands.errors import KeyUnknown
from ledger.store.errors import ClaimTaken, VersionConflict
from tests import drafts
from tests.integration.commands.conftest import (
    COUNTY,
    Author,
    County,
    admit,
    dose,
    registration,
)

ROUNDS = 8


@pytest.fixture(scope="module")
def elsewhere(county: County) -> Iterator[Author]:
    """The clinic at another node."""
    with wire(county.parts.settings) as parts:
        yield replace(county.clinic, parts=parts)


def at_once(*calls):
    """Run calls at one moment; return what each returned or raised."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        try:
            return call()
        except (VersionConflict, ClaimTaken, KeyUnknown) as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_one_key_at_both_nodes_is_one_event_and_one_answer(county: County, elsewhere: Author):
    before = county.head()
    for _ in range(ROUNDS):
        draft, _ = registration(county.clinic)
        sent = (county.clinic.body(draft), county.clinic.principal, draft.idempotency_key)
        here, there = at_once(
            partial(county.parts.desk.submit, *sent), partial(elsewhere.parts.desk.submit, *sent)
        )
        assert here.position == there.position
        assert {here.replayed, there.replayed} == {False, True}
    assert county.head() == before + ROUNDS


def test_of_two_doses_upon_one_version_one_wins(county: County, elsewhere: Author):
    draft, child = registration(county.clinic)
    county.clinic.submit(draft)
    before = county.head()
    for version in range(1, ROUNDS + 1):
        two = [
            dose(county.clinic, draft.stream, child, version, lot=f"L{version}{n}") for n in "ab"
        ]
        told = at_once(partial(county.clinic.submit, two[0]), partial(elsewhere.submit, two[1]))
        assert sum(isinstance(one, VersionConflict) for one in told) == 1, told
    assert county.head() == before + ROUNDS


def test_of_two_children_under_one_number_one_is_registered(county: County, elsewhere: Author):
    for _ in range(ROUNDS):
        number = drafts.id_number()
        told = at_once(
            partial(county.clinic.submit, registration(county.clinic, number=number)[0]),
            partial(elsewhere.submit, registration(elsewhere, number=number)[0]),
        )
        assert sum(isinstance(one, ClaimTaken) for one in told) == 1, told


def test_a_key_revoked_at_one_node_signs_nothing_at_the_other(county: County, elsewhere: Author):
    clinic = admit(county.cdc, county.clinic.principal.role, "第九门诊", "clinic", f"{COUNTY}101")
    there = replace(clinic, parts=elsewhere.parts)
    there.submit(registration(there)[0])  # the other node knows the key
    revoked = {"keyid": clinic.key.keyid, "reason": "lost"}
    county.cdc.submit(Draft("organisation.key-revoked.v1", clinic.organisation, 1, revoked))
    with pytest.raises(KeyUnknown):
        there.submit(registration(there)[0])
