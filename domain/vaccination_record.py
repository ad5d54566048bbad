"""The vaccination record of one person: archive and roll, doses, contraindications.

Commands take the typed clear fields of a statement as keyword arguments (`**fields`, those of
the topic they yield), the facts that a policy needs, `recorded_at` (our clock) and the sealed
parts; they decide, and yield one event or a `DomainError`. Personal values never come here: facts
that rest on them are opened by the caller and passed in. Each command stands with what it is about:
the roll, doses, guardians.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from domain import (
    adverse_event,
    contraindication,
    dose_events,
    dosing,
    guardianship,
    merging,
    protection,
    registration,
    roll,
    shredding,
)
from domain.adverse_event import AdverseEventState
from domain.calendar import civil_day
from domain.contraindication import ContraindicationState
from domain.dose import DoseHistory, DoseState
from domain.effect import Effective
from domain.guardianship import Guardian
from domain.organisation import Organisation
from domain.protection import AlreadyShredded, Protection, ProtectionEvent, State
from domain.retention import NO_PAPERS, Papers, retention_until
from domain.roll import Roll, RollState
from domain.sealed import Fact, Sealed
from domain.vocabulary import PersonKind


class VaccinationRecord(BaseAggregate[UUID]):
    """One person's vaccination record.

    Attributes:
        kind: child or adult.
        recipient: handle of the person whose record it is.
        guardians: guardians of a child.
        former_guardians: who was one; the record holds their identity still.
        birth_year: year of birth of the recipient.
        contraindications: contraindications by id, lifted ones included.
        roll_history: states of the roll in the order of the record's versions.
        identity_effective_on: first day on which each person's identity counts for claims
            (C-23, C-24).
        protection: whether it may be processed.
        merged: records that were merged into this one.
        merged_into: record that this one was merged into.
        told_apart: records that are alike and about others.
        adverse_events: suspected adverse events by id.
        dose_histories: what is known of each dose by its id.
    """

    TOPIC = "vaccination-record"
    Event = Fact

    Registered = registration.Registered
    RollChanged = roll.RollChanged
    IdentityAmended = registration.IdentityAmended
    GuardianAdded = guardianship.GuardianAdded
    GuardianRemoved = guardianship.GuardianRemoved
    DoseAdministered = dose_events.DoseAdministered
    DoseTranscribed = dose_events.DoseTranscribed
    DoseCorrected = dose_events.DoseCorrected
    DoseEnteredInError = dose_events.DoseEnteredInError
    DoseReinstated = dose_events.DoseReinstated
    ContraindicationRecorded = contraindication.ContraindicationRecorded
    ContraindicationLifted = contraindication.ContraindicationLifted
    AdverseEventReported = adverse_event.AdverseEventReported
    AdverseEventClassified = adverse_event.AdverseEventClassified
    Merged = merging.Merged
    MergedInto = merging.MergedInto
    Separated = merging.Separated
    SeparatedFrom = merging.SeparatedFrom
    ToldApart = merging.ToldApart
    Restricted = protection.Restricted
    RestrictionLifted = protection.RestrictionLifted
    ShredRequested = shredding.ShredRequested
    ShredWithdrawn = shredding.ShredWithdrawn
    Shredded = shredding.Shredded

    def __init__(
        self, kind: PersonKind, recipient: UUID, guardians: tuple[Guardian, ...], birth_year: int
    ) -> None:
        self.kind = kind
        self.recipient = recipient
        self.guardians = guardians
        self.former_guardians: frozenset[UUID] = frozenset()
        self.birth_year = birth_year
        self.roll_history: list[RollState] = []
        self.contraindications: dict[UUID, ContraindicationState] = {}
        self.identity_effective_on: dict[UUID, date] = {}
        self.protection = Protection()
        self.merged: frozenset[UUID] = frozenset()
        self.merged_into: UUID | None = None
        self.told_apart: frozenset[UUID] = frozenset()
        self.adverse_events: dict[UUID, AdverseEventState] = {}
        self.dose_histories: dict[UUID, DoseHistory] = {}

    # What the record tells.

    @property
    def managing_organisation(self) -> UUID:
        """The clinic that manages the record now."""
        return self.roll_history[-1].managing_organisation

    @property
    def division(self) -> str:
        """The division of the clinic that manages the record now."""
        return self.roll_history[-1].division

    @property
    def handles(self) -> frozenset[UUID]:
        """Handles of everyone whose identity the record holds."""
        return self.people | self.former_guardians

    @property
    def people(self) -> frozenset[UUID]:
        """Handles of the recipient and of the guardians as they are."""
        return frozenset({self.recipient, *(guardian.person for guardian in self.guardians)})

    def roll_on(self, day: date) -> RollState | None:
        """Where the record stands on the roll on a civil day; None before it was opened."""
        states = [state for state in self.roll_history if state.effective_on <= day]
        return states[-1] if states else None

    @property
    def died_on(self) -> date | None:
        """Day of the recipient's death, if the roll knows one."""
        newest = self.roll_history[-1]
        return newest.on if newest.status is Roll.DECEASED else None

    def dose(self, dose: UUID) -> DoseState | None:
        """A dose with all that is known; None if there is none or it was entered in error."""
        history = self.dose_histories.get(dose)
        return history.on() if history else None

    def is_struck(self, dose: UUID) -> bool:
        """Whether the record has the dose, and it was entered in error."""
        history = self.dose_histories.get(dose)
        return history is not None and history.is_struck()

    def doses_on(self, day: date) -> tuple[DoseState, ...]:
        """The doses as effective on a civil day (C-21), by the day they were given."""
        states = [history.on(day) for history in self.dose_histories.values()]
        return tuple(sorted((s for s in states if s), key=lambda state: state.occurred_on))

    def contraindications_on(self, day: date) -> tuple[ContraindicationState, ...]:
        """The contraindications that hold on a civil day."""
        return tuple(state for state in self.contraindications.values() if state.is_valid_on(day))

    def serving_clinics(self) -> frozenset[UUID]:
        """Clinics that may audit: the one that manages, the one of the newest dose (S-8)."""
        doses = [history.on() for history in self.dose_histories.values()]
        given = [state for state in doses if state is not None and not state.is_transcribed]
        newest = max((state.occurred_on for state in given), default=None)
        lately = {state.clinic for state in given if state.occurred_on == newest}
        return frozenset({self.managing_organisation, *lately})

    @property
    def retention_until(self) -> date | None:
        """Last day on which the law wants it kept (E-3); None without doses."""
        known = (history.on() for history in self.dose_histories.values())
        return retention_until(state for state in known if state is not None)

    # What may happen to it.

    change_roll = roll.change_roll
    amend_identity = registration.amend_identity
    add_guardian = guardianship.add_guardian
    remove_guardian = guardianship.remove_guardian
    administer_dose = dosing.administer_dose
    transcribe_dose = dosing.transcribe_dose
    correct_dose = dosing.correct_dose
    enter_dose_in_error = dosing.enter_dose_in_error
    reinstate_dose = dosing.reinstate_dose
    record_contraindication = contraindication.record_contraindication
    lift_contraindication = contraindication.lift_contraindication
    report_adverse_event = adverse_event.report_adverse_event
    classify_adverse_event = adverse_event.classify_adverse_event
    merge = merging.merge
    separate = merging.separate
    tell_apart = merging.tell_apart

    @classmethod
    def register(
        cls,
        stream: UUID,
        *,
        managed_by: Organisation,
        birth_date: date,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Open a record (建档).

        `managed_by`: the organisation named as `managing_organisation`. `birth_date`:
        the recipient's birth date, opened for this decision.

        Raises:
            DomainError: NotAClinic, DivisionDiffers, PersonNamedTwice, GuardianOfAdult,
                NotARegistrationRoll, NotBornHere, BirthYearDiffers or BornInFuture.
        """
        registration.check_registration(
            fields, managed_by=managed_by, birth_date=birth_date, today=civil_day(recorded_at)
        )
        return cls._create(
            event_class=cls.Registered,
            id=stream,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Effective(civil_day(recorded_at)),
            **fields,
        )

    def protect(
        self,
        decision: type[ProtectionEvent],
        *,
        recorded_at: datetime,
        papers: Papers = NO_PAPERS,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Restrict, lift, or shred: a request, its withdrawal, or another's confirmation.

        `papers`: what schools keep of the recipient.

        Raises:
            DomainError: AlreadyShredded, or what the decision's own `check` refuses.
        """
        if self.protection.state is State.SHREDDED:
            raise AlreadyShredded
        derived = decision.check(self, fields, civil_day(recorded_at), papers)
        self.trigger_event(decision, timestamp=recorded_at, sealed=sealed, **derived, **fields)

    # How events change it.

    def move(self, state: RollState) -> None:
        """Add a state of the roll."""
        self.roll_history.append(state)

    def let_identities_count(self, day: date) -> None:
        """Let everyone's identity count for claims from a day on (C-23, C-24)."""
        self.identity_effective_on = dict.fromkeys(self.handles, day)

    def add_dose(self, event: dose_events.DoseAdministered | dose_events.DoseTranscribed) -> None:
        """Add a dose as first entered."""
        self.dose_histories[event.dose] = DoseHistory(DoseState.of(event))

    def restate_dose(self, event: dose_events.DoseCorrected | dose_events.DoseStanding) -> None:
        """Add a later reading of a dose."""
        self.dose_histories[event.dose].later.append(event)
