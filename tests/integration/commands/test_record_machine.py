"""Whatever is written about records, in any order: nothing is lost, doubled or out of order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

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
from psycopg.conninfo import conninfo_to_dict

from bootstrap.embedded.postgres import EmbeddedPostgres
from bootstrap.views import open_views
from bootstrap.wiring import Parts
from client.identifiers import new_id
from client.signing import Draft
from commands.reclaiming import Reclaiming
from commands.writing import HOLDER
from domain.correction import NotStruck
from domain.dosing import UnknownDose
from domain.guardianship import (
    MAX_GUARDIANS,
    NoSuchGuardian,
    PersonNamedTwice,
    TooManyGuardians,
)
from domain.merging import HasMergedRecords, NotMerged, RecordMerged, RecordsNotAlike
from ledger.entry import Entry
from ledger.store.errors import VersionConflict
from projections.change import read_change
from projections.doses import Doses
from projections.record_as_of import record_as_of
from tests.conftest import Databases
from tests.drafts import id_number
from tests.integration.commands.conftest import MOTHER, Author, County, dose, registration
from tests.integration.commands.record_house import DEATHS, VIEWS, House

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


@pytest.fixture(scope="module")
def house(
    county: County,
    parts: Parts,
    postgres: EmbeddedPostgres,
    migrated_database: Callable[[], Databases],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    database = str(conninfo_to_dict(parts.settings.database_url or "")["dbname"])
    with open_views(parts.settings) as views:
        house = House(
            county,
            views,
            superuser=postgres.superuser_url(database),
            elsewhere=migrated_database().log,
            export=tmp_path_factory.mktemp("export"),
        )
        yield house
        house.close()


class Machine(RuleBasedStateMachine):
    """Three records of one clinic, and a model of their doses, guardians and merges."""

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
        named = [UUID(draft.data["guardians"][0]["person"]) for draft, _ in drafts]
        self.guardians = [(mother,) for mother in named]
        self.numbers = dict.fromkeys(named, MOTHER)
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

    @rule(which=RECORDS, where=st.sampled_from(sorted(DEATHS)))
    def give_while_somebody_dies(self, which, where):
        """Who was ended amid its work begins again; the dose stands once."""
        if which in self.into:
            return
        with self.house.dying(where):
            self.give(which, "HepB")
            self.house.follow()

    @rule(which=RECORDS, data=st.data())
    def name_guardian(self, which, data):
        """Somebody new, or somebody whom one of the records has or had."""
        person = data.draw(st.none() | st.sampled_from(sorted(self.numbers))) or uuid4()
        self.write_about_guardian(which, person, "guardian-added", relation="father")

    @rule(which=RECORDS, data=st.data())
    def remove_guardian(self, which, data):
        person = data.draw(st.sampled_from(sorted(self.numbers)))
        self.write_about_guardian(which, person, "guardian-removed", reason="guardianship-ended")

    def write_about_guardian(self, which, person, what, **fields):
        stream, _ = self.children[which]
        there = self.guardians[which]
        number = self.numbers.get(person) or id_number("19880303")
        identity = {"name": "李强", "id_number": number}
        private = {person: identity} if what == "guardian-added" else {}
        draft = Draft(
            f"vaccination-record.{what}.v1",
            stream,
            self.versions[which],
            {"person": str(person), **fields},
            private,
        )
        if which in self.into:
            refusal = RecordMerged
        elif not private:
            refusal = None if person in there else NoSuchGuardian
        elif person in there:
            refusal = PersonNamedTwice
        else:
            refusal = TooManyGuardians if len(there) == MAX_GUARDIANS else None
        if refusal is not None:
            with pytest.raises(refusal):
                self.clinic.submit(draft)
            return
        self.clinic.submit(draft)
        self.versions[which] += 1
        self.numbers[person] = number
        others = tuple(one for one in there if one != person)
        self.guardians[which] = (*others, person) if private else others

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
        live = self.house.digests()
        self.house.projector.rebuild(*VIEWS)
        assert self.house.digests() == live

    @rule()
    def replay(self):
        """An export alone gives the same digest, in another database."""
        self.house.follow()
        assert self.house.replayed() == self.house.digests()

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
        """Its own doses and those of what was merged into it; its guardians."""
        homes = {which, *(other for other, into in self.into.items() if into == which)}
        doses = sorted(
            (str(one), given.lot)
            for one, given in self.doses.items()
            if given.home in homes and not given.is_struck
        )
        return doses, self.guardians[which]

    def seen(self, which, at):
        doses: Doses = self.house.views.doses
        record = self.children[which][0]
        rows = doses.of_record(record, self.today(), at)
        told = [read_change(at, raw) for at, raw, _ in self.parts.reader.stream(record)]
        row = record_as_of(told, at)
        assert row is not None
        if at == self.past[-1][0]:
            assert self.house.views.records.get(record) == row
        guardians = tuple(one.person for one in row.guardians)
        return sorted((str(row.dose), row.lot) for row in rows), guardians

    def today(self):
        return self.parts.services.clock().date().replace(year=EVER)


@pytest.mark.parametrize("examples", [6, pytest.param(100, marks=pytest.mark.long)])
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


@pytest.mark.parametrize("where", sorted(DEATHS))
def test_nothing_is_lost_or_doubled_when_one_dies(house, where):
    class Here(Machine):
        pass

    Here.house = house
    machine = Here()
    machine.begin()
    machine.give(0, "HepB")
    machine.give_while_somebody_dies(0, where)
    machine.views_show_the_model_now_and_then()
    machine.the_log_has_every_write_once_and_in_order()
    machine.replay()


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
