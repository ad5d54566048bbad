"""Whatever is written about records, in any order: nothing is lost, doubled or out of order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bootstrap.folders import outside_path
from bootstrap.identifiers import new_id
from bootstrap.log_keys import log_signers
from bootstrap.views import Views, open_views
from bootstrap.wiring import Parts
from client.signing import Draft
from commands.reclaiming import Reclaiming
from commands.writing import HOLDER
from domain.correction import NotStruck
from domain.dosing import UnknownDose
from domain.merging import HasMergedRecords, NotMerged, RecordMerged, RecordsNotAlike
from ledger.entry import Entry
from ledger.store.errors import VersionConflict
from ledger.store.integration import Integrator
from projections.doses import Doses
from projections.loop import Projector
from tests.integration.commands.conftest import Author, County, dose, registration
from tests.leading import lead

RECORDS = st.integers(0, 2)
EVER = 9999
VACCINES = ("HepB", "BCG", "MPSV-A")
ROUTES = {"HepB": "IM", "BCG": "ID", "MPSV-A": "SC"}


@dataclass(frozen=True)
class Given:
    """A dose as the model knows it."""

    home: int
    lot: str
    is_struck: bool = False


@dataclass
class House:
    """The write side, and what follows it."""

    county: County
    integrator: Integrator
    projector: Projector
    views: Views

    def follow(self) -> int:
        """Carry everything into the views; return the position."""
        while self.integrator.round():
            pass
        self.projector.catch_up()
        return self.county.head()


@pytest.fixture(scope="module")
def house(county: County, parts: Parts) -> Iterator[House]:
    given = parts.settings
    assert given.database_url
    assert given.keys_url
    outside = outside_path(given)
    outside.parent.mkdir(exist_ok=True)
    integrator = Integrator(given.database_url, log_signers(given), outside)
    lead(integrator)
    projector = Projector(parts.reader, given.database_url, given.keys_url, parts.vault)
    with open_views(given) as views:
        yield House(county, integrator, projector, views)
    projector.close()
    integrator.close()


class Machine(RuleBasedStateMachine):
    """Three records of one clinic, and a model of their doses and of who is merged into whom."""

    house: House

    @property
    def clinic(self) -> Author:
        return self.house.county.clinic

    @property
    def parts(self) -> Parts:
        return self.clinic.parts

    @initialize()
    def begin(self):
        self.first = self.house.county.head() + 1
        drafts = [registration(self.clinic) for _ in range(3)]
        self.children = [(draft.stream, child) for draft, child in drafts]
        self.versions = [self.clinic.submit(draft).version for draft, _ in drafts]
        self.doses: dict[UUID, Given] = {}
        self.into: dict[int, int] = {}  # duplicate -> survivor
        self.past: list[tuple[int, Any]] = []
        self.lots = iter(range(10**6))

    # Commands ---------------------------------------------------------------------------------

    @rule(which=RECORDS, vaccine=st.sampled_from(VACCINES))
    def give(self, which, vaccine):
        draft = self.draft_of_dose(which, vaccine)
        if which in self.into:
            with pytest.raises(RecordMerged):
                self.clinic.submit(draft)
            return
        self.clinic.submit(draft)
        self.versions[which] += 1
        self.doses[UUID(draft.data["dose"])] = Given(which, draft.data["lot"])

    @rule(which=RECORDS)
    def give_twice_over_the_wire(self, which):
        """The same bytes again are answered as before and stored once."""
        if which in self.into:
            return
        draft = self.draft_of_dose(which, "HepB")
        body = self.clinic.body(draft)
        desk, caller = self.parts.desk, self.clinic.principal
        first = desk.submit(body, caller, draft.idempotency_key)
        again = desk.submit(body, caller, draft.idempotency_key)
        assert (again.position, again.replayed) == (first.position, True)
        self.versions[which] += 1
        self.doses[UUID(draft.data["dose"])] = Given(which, draft.data["lot"])

    @rule(which=RECORDS)
    def give_from_an_old_look(self, which):
        draft = replace(self.draft_of_dose(which, "BCG"), expected_version=self.versions[which] - 1)
        if draft.expected_version:
            with pytest.raises(VersionConflict):
                self.clinic.submit(draft)

    @precondition(lambda self: self.doses)
    @rule(data=st.data(), kind=st.sampled_from(("amend", "entered-in-error", "reinstate")))
    def correct(self, data, kind):
        """Also of a record that was merged: it takes corrections alone."""
        which = data.draw(st.sampled_from(sorted(self.doses)))
        given = self.doses[which]
        lot = f"C{next(self.lots)}"
        changes = [{"field": "lot", "before": given.lot, "after": lot}] if kind == "amend" else []
        request = {
            "record": str(self.children[given.home][0]),
            "dose": str(which),
            "division": self.clinic.principal.division,
            "kind": kind,
            "changes": changes,
            "urgency": "immediate",
            "reason": "wrong-lot",
            "requested_by": "clinic",
            "clinic": str(self.clinic.organisation),
        }
        draft = Draft("correction.requested.v1", new_id(), 0, request)
        if given.is_struck is not (kind == "reinstate"):
            with pytest.raises((UnknownDose, NotStruck)):
                self.clinic.submit(draft)
            return
        own = {"clinic": str(self.clinic.organisation)}
        self.clinic.submit(draft)
        self.clinic.submit(Draft("correction.verified.v1", draft.stream, 1, own))
        self.clinic.submit(Draft("correction.applied.v1", draft.stream, 2, own))
        self.versions[given.home] += 1
        if kind == "amend":
            self.doses[which] = replace(given, lot=lot)
        else:
            self.doses[which] = replace(given, is_struck=kind == "entered-in-error")

    @rule(which=RECORDS, step=st.integers(0, 2))
    def merge(self, which, step):
        other = (which + step) % 3
        data = {
            "duplicate": str(self.children[other][0]),
            "duplicate_version": self.versions[other],
            "organisation": str(self.clinic.organisation),
            "reason": "same-person",
        }
        draft = Draft(
            "vaccination-record.merged.v1", self.children[which][0], self.versions[which], data
        )
        chained = {which, other} & set(self.into) or other in self.into.values()
        if which == other or chained:
            with pytest.raises((RecordsNotAlike, RecordMerged, HasMergedRecords)):
                self.clinic.submit(draft)
            return
        self.clinic.submit(draft)
        self.into[other] = which
        self.versions[which] += 1
        self.versions[other] += 1

    @precondition(lambda self: self.into)
    @rule(data=st.data(), which=st.none() | RECORDS)
    def separate(self, data, which):
        """From its survivor, or from any record."""
        other = data.draw(st.sampled_from(sorted(self.into)))
        which = self.into[other] if which is None else which
        data = {
            "duplicate": str(self.children[other][0]),
            "organisation": str(self.clinic.organisation),
            "reason": "another-person",
        }
        draft = Draft(
            "vaccination-record.separated.v1", self.children[which][0], self.versions[which], data
        )
        if self.into[other] != which:
            with pytest.raises(NotMerged):
                self.clinic.submit(draft)
            return
        self.clinic.submit(draft)
        del self.into[other]
        self.versions[which] += 1
        self.versions[other] += 1

    @rule()
    def rebuild(self):
        """Live and rebuilt views have one digest."""
        self.house.follow()
        projector = self.house.projector
        for name in ("records", "doses"):
            live = projector.digest(name)
            projector.rebuild(name)
            assert projector.digest(name) == live

    # What must hold ---------------------------------------------------------------------------

    @invariant()
    def views_show_the_model_now_and_then(self):
        position = self.house.follow()
        expected = [self.expected(which) for which in range(3)]
        self.past.append((position, expected))
        for at, then in (self.past[-1], self.past[len(self.past) // 2]):
            assert [self.seen(which, at) for which in range(3)] == then

    @invariant()
    def the_log_has_every_write_once_and_in_order(self):
        self.house.follow()
        for (stream, _), version in zip(self.children, self.versions, strict=True):
            told = self.parts.reader.stream(stream)
            entries = [Entry.decode(raw) for _, raw, _ in told]
            assert [entry.version for entry in entries] == list(range(1, version + 1))
            positions = [position for position, _, _ in told]
            assert positions == sorted(set(positions))
        given = [
            entry.data["dose"]
            for _, raw, _ in self.parts.reader.entries(self.first, 10**4)
            if (entry := Entry.decode(raw)).topic == "vaccination-record.dose-administered.v1"
        ]
        assert sorted(given) == sorted(map(str, self.doses))

    @invariant()
    def the_log_alone_tells_who_may_claim_a_certificate(self):
        self.house.follow()
        entries = [
            (at, Entry.decode(raw)) for at, raw, _ in self.parts.reader.entries(self.first, 10**4)
        ]
        told, _ = Reclaiming(self.parts.vault, self.parts.reader).claims_of(entries)
        held = set()
        for _, claim in told:
            if claim.kind == HOLDER:
                (held.discard if claim.release else held.add)(claim.stream)
        assert held == {self.children[which][0] for which in self.into}

    # The model --------------------------------------------------------------------------------

    def draft_of_dose(self, which, vaccine):
        stream, child = self.children[which]
        return dose(
            self.clinic,
            stream,
            child,
            self.versions[which],
            vaccine=vaccine,
            route=ROUTES[vaccine],
            lot=f"L{next(self.lots)}",
        )

    def expected(self, which):
        """Its own doses, and those of what was merged into it."""
        homes = {which, *(other for other, into in self.into.items() if into == which)}
        return sorted(
            (str(one), given.lot)
            for one, given in self.doses.items()
            if given.home in homes and not given.is_struck
        )

    def seen(self, which, at):
        doses: Doses = self.house.views.doses
        rows = doses.of_record(self.children[which][0], self.today(), at)
        return sorted((str(row.dose), row.lot) for row in rows)

    def today(self):
        return self.parts.services.clock().date().replace(year=EVER)


@pytest.mark.parametrize("examples", [5, pytest.param(100, marks=pytest.mark.long)])
def test_nothing_is_lost_doubled_or_out_of_order(house, examples):
    class Here(Machine):
        pass

    Here.house = house
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_machine_would_notice_a_lost_dose(house):
    """The invariants are not vacuous: a row removed from the view shows."""

    class Here(Machine):
        pass

    Here.house = house
    machine = Here()
    machine.begin()
    machine.give(0, "HepB")
    machine.views_show_the_model_now_and_then()
    url = machine.parts.settings.database_url
    with psycopg.connect(url) as database:
        database.execute("SET ROLE vaxledger_project")
        database.execute("DELETE FROM views.doses WHERE dose = %s", [next(iter(machine.doses))])
    with pytest.raises(AssertionError):
        machine.views_show_the_model_now_and_then()
    house.projector.rebuild("doses")
    machine.views_show_the_model_now_and_then()
