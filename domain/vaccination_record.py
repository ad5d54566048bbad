"""The vaccination record of one person: archive and roll, doses, contraindications.

Commands take the typed clear fields of a statement as keyword arguments (`**fields`, those of
the topic they yield), the facts that a policy needs, `recorded_at` (our clock) and the sealed
parts; they decide, and yield one event or a `DomainError`. Personal values never come here: facts
that rest on them are opened by the caller and passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from domain import (
    adverse_event,
    contraindication,
    dose_events,
    guardianship,
    merging,
    protection,
    registration,
    shredding,
)
from domain.adverse_event import AdverseEventState
from domain.calendar import civil_day, effective_next_day
from domain.contraindication import ContraindicationState
from domain.dose import DoseHistory, DoseState
from domain.dose_policy import DoseFacts, check_changes, check_dose, check_preparation
from domain.effect import Cause, CausedEffect, Effective, Noted, effective_day
from domain.errors import DomainError
from domain.guardianship import Guardian
from domain.organisation import NotAClinic, Organisation, OrganisationKind
from domain.protection import AlreadyShredded, Protection, ProtectionEvent, State
from domain.registration import Roll, RollState
from domain.retention import retention_until
from domain.sealed import Fact, Sealed
from domain.vocabulary import PersonKind, Urgency


class DuplicateDose(DomainError):
    """The record has a dose of this id already."""

    code = "duplicate-dose"
    zh = "该接种记录编号已存在。"


class UnknownDose(DomainError):
    """The record has no such dose, or it was entered in error."""

    code = "unknown-dose"
    zh = "档案中没有该接种记录，或该记录已作废。"


class NotStruck(DomainError):
    """Only a dose that was entered in error is reinstated."""

    code = "not-struck"
    zh = "只有已作废的接种记录才能恢复。"


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
    """

    TOPIC = "vaccination-record"
    Event = Fact

    Registered = registration.Registered
    RollChanged = registration.RollChanged
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
        self._doses: dict[UUID, DoseHistory] = {}

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
        history = self._doses.get(dose)
        return history.on() if history else None

    def is_struck(self, dose: UUID) -> bool:
        """Whether the record has the dose, and it was entered in error."""
        history = self._doses.get(dose)
        return history is not None and history.is_struck()

    def doses_on(self, day: date) -> tuple[DoseState, ...]:
        """The doses as effective on a civil day (C-21), by the day they were given."""
        states = [history.on(day) for history in self._doses.values()]
        return tuple(sorted((s for s in states if s), key=lambda state: state.occurred_on))

    def contraindications_on(self, day: date) -> tuple[ContraindicationState, ...]:
        """The contraindications that hold on a civil day."""
        return tuple(state for state in self.contraindications.values() if state.is_valid_on(day))

    def serving_clinics(self) -> frozenset[UUID]:
        """Clinics that may audit: the one that manages, the one of the newest dose (S-8)."""
        doses = [history.on() for history in self._doses.values()]
        given = [state for state in doses if state is not None and not state.is_transcribed]
        newest = max((state.occurred_on for state in given), default=None)
        lately = {state.clinic for state in given if state.occurred_on == newest}
        return frozenset({self.managing_organisation, *lately})

    @property
    def retention_until(self) -> date | None:
        """Last day on which the law wants it kept (E-3); None without doses."""
        known = (history.on() for history in self._doses.values())
        return retention_until(state for state in known if state is not None)

    # What may happen to it.

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

    def change_roll(
        self,
        *,
        managed_by: Organisation | None = None,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Move the record on or off the roll, or to another clinic.

        `managed_by`: the organisation named as `managing_organisation`, if one is.

        Raises:
            DomainError: RecordMerged or any of `registration.check_move`.
        """
        merging.check_open(self)
        registration.check_move(self, fields, managed_by=managed_by, today=civil_day(recorded_at))
        self.trigger_event(
            self.RollChanged,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Effective(civil_day(recorded_at)),
            **fields,
        )

    def amend_identity(
        self,
        *,
        birth_date: date | None = None,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Amend particulars of the recipient or a guardian, effective next day (C-21, C-23).

        `birth_date`: the recipient's birth date afterwards, if it changes.

        Raises:
            DomainError: RecordMerged, UnknownPerson, BirthYearDiffers or BornInFuture.
        """
        merging.check_open(self)
        registration.check_amendment(
            fields,
            people=self.people,
            recipient=self.recipient,
            birth_date=birth_date,
            today=civil_day(recorded_at),
        )
        self.trigger_event(
            self.IdentityAmended,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Effective(effective_next_day(recorded_at)),
            **fields,
        )

    def add_guardian(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Enter a guardian, whose identity counts from the next day on (C-23).

        Raises:
            DomainError: RecordMerged, GuardianOfAdult, PersonNamedTwice or TooManyGuardians.
        """
        merging.check_open(self)
        guardianship.check_guardian(self, fields["person"])
        self.trigger_event(
            self.GuardianAdded,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Effective(effective_next_day(recorded_at)),
            **fields,
        )

    def remove_guardian(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Let a person be a guardian no more, at once.

        Raises:
            DomainError: RecordMerged or NoSuchGuardian.
        """
        merging.check_open(self)
        guardianship.check_removal(self, fields["person"])
        self.trigger_event(
            self.GuardianRemoved,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Effective(civil_day(recorded_at)),
            **fields,
        )

    def administer_dose(
        self,
        *,
        facts: DoseFacts,
        remarks: tuple[str, ...] = (),
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Record a dose that a clinic gave.

        `facts`: what the policies must know; `died_on` is the record's own. `remarks`: ids of
        what deserves a second look in it.

        Raises:
            DomainError: RecordMerged, RecordNotOnRoll, DuplicateDose or any of
                `dose_policy.check_dose` and `check_preparation`.
        """
        check_preparation(fields, facts)
        self._check_new_dose(fields, facts, recorded_at, given=True)
        derived = Noted(civil_day(recorded_at), remarks or None)
        self.trigger_event(
            self.DoseAdministered, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def transcribe_dose(
        self,
        *,
        facts: DoseFacts,
        remarks: tuple[str, ...] = (),
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Record a dose given elsewhere, from its evidence (C-26); arguments as above.

        Raises:
            DomainError: RecordMerged, RecordNotOnRoll, DuplicateDose or any of
                `dose_policy.check_dose`.
        """
        self._check_new_dose(fields, facts, recorded_at, given=False)
        derived = Noted(civil_day(recorded_at), remarks or None)
        self.trigger_event(
            self.DoseTranscribed, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def _check_new_dose(
        self, fields: Mapping[str, Any], facts: DoseFacts, recorded_at: datetime, *, given: bool
    ) -> None:
        merging.check_open(self)
        today = civil_day(recorded_at)
        if self.roll_history[-1].status is Roll.MOVED_OUT:
            raise registration.RecordNotOnRoll(status=Roll.MOVED_OUT.value)
        if fields["dose"] in self._doses:
            raise DuplicateDose(dose=str(fields["dose"]))
        state = DoseState.proposed(fields, version=self.version + 1, day=today, given=given)
        check_dose(state, facts, self.died_on, today)

    def correct_dose(
        self,
        *,
        facts: DoseFacts,
        cause: Cause,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Let a dose read differently from the correction's effective day on.

        `facts`: what the policies must know of the dose as it will read. `cause`: the
        event that applied the correction.

        Raises:
            DomainError: UnknownDose, any of `dose_policy.check_changes` or `check_dose`.
        """
        current = self._current(fields["dose"])
        check_changes(current, fields["changes"], and_sealed=bool(sealed))
        check_dose(current.changed(fields["changes"]), facts, self.died_on, civil_day(recorded_at))
        derived = CausedEffect(effective_day(fields["urgency"], recorded_at), cause)
        self.trigger_event(
            self.DoseCorrected, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def enter_dose_in_error(
        self,
        *,
        urgency: Urgency,
        cause: Cause,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Strike a dose out from the correction's effective day on; it is never deleted.

        `urgency`: the correction's. `cause`: the event that applied the correction.

        Raises:
            UnknownDose: there is none, or it is struck out already.
        """
        self._current(fields["dose"])
        derived = CausedEffect(effective_day(urgency, recorded_at), cause)
        self.trigger_event(
            self.DoseEnteredInError, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def reinstate_dose(
        self,
        *,
        urgency: Urgency,
        cause: Cause,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Let a dose that was struck out read again, from the correction's effective day on.

        `urgency`: the correction's. `cause`: the event that applied the correction.

        Raises:
            NotStruck: it is not struck out.
        """
        if not self.is_struck(fields["dose"]):
            raise NotStruck(dose=str(fields["dose"]))
        derived = CausedEffect(effective_day(urgency, recorded_at), cause)
        self.trigger_event(
            self.DoseReinstated, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def record_contraindication(
        self,
        *,
        known_groups: frozenset[str],
        clinic_kind: OrganisationKind,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Record a contraindication against vaccine groups (A-11).

        `known_groups`: vaccine groups of the requirements in force. `clinic_kind`: what
        the organisation is that records it.

        Raises:
            DomainError: RecordMerged, NotAClinic or any of
                `contraindication.check_contraindication`.
        """
        merging.check_open(self)
        if clinic_kind is not OrganisationKind.CLINIC:
            raise NotAClinic(kind=clinic_kind.value)
        contraindication.check_contraindication(
            fields, existing=self.contraindications, known_groups=known_groups
        )
        self.trigger_event(
            self.ContraindicationRecorded, timestamp=recorded_at, sealed=sealed, **fields
        )

    def lift_contraindication(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """End a contraindication.

        Raises:
            DomainError: UnknownContraindication, ContraindicationEnded or ValidityReversed.
        """
        contraindication.check_lifting(
            self.contraindications.get(fields["contraindication"]), fields["on"]
        )
        self.trigger_event(
            self.ContraindicationLifted, timestamp=recorded_at, sealed=sealed, **fields
        )

    def report_adverse_event(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Report a suspected adverse event after a dose, also of a record that was merged.

        Raises:
            DomainError: UnknownDose, DuplicateAdverseEvent or OnsetBeforeDose.
        """
        dose = self._current(fields["dose"])
        adverse_event.check_report(self, dose, fields, civil_day(recorded_at))
        self.trigger_event(
            self.AdverseEventReported, timestamp=recorded_at, sealed=sealed, **fields
        )

    def classify_adverse_event(
        self, *, by: OrganisationKind, recorded_at: datetime, **fields: Any
    ) -> None:
        """Say what an adverse event was found to be.

        Raises:
            DomainError: UnknownAdverseEvent or NotAClassifier.
        """
        adverse_event.check_classification(self, fields["adverse_event"], by)
        self.trigger_event(self.AdverseEventClassified, timestamp=recorded_at, **fields)

    def merge(self, duplicate: Self, *, recorded_at: datetime, **fields: Any) -> None:
        """Read as another record too, which is about the same person; both get an event.

        Raises:
            DomainError: any of `merging.check_merge`.
        """
        merging.check_merge(self, duplicate)
        self.trigger_event(self.Merged, timestamp=recorded_at, duplicate=duplicate.id, **fields)
        duplicate.trigger_event(
            self.MergedInto, timestamp=recorded_at, survivor=self.id, derived=self._at_once()
        )

    def separate(self, duplicate: Self, *, recorded_at: datetime, **fields: Any) -> None:
        """Read without a record that was merged into this one; both get an event.

        Raises:
            NotMerged: it was not.
        """
        merging.check_separation(self, duplicate.id)
        self.trigger_event(self.Separated, timestamp=recorded_at, duplicate=duplicate.id, **fields)
        duplicate.trigger_event(
            self.SeparatedFrom, timestamp=recorded_at, survivor=self.id, derived=self._at_once()
        )

    def tell_apart(self, other: Self, *, recorded_at: datetime, **fields: Any) -> None:
        """Note that another record, however alike, is about another person.

        Raises:
            DomainError: RecordsNotAlike or RecordMerged.
        """
        merging.check_other(self, other)
        self.trigger_event(self.ToldApart, timestamp=recorded_at, other=other.id, **fields)

    def _at_once(self) -> CausedEffect:
        """What the event just triggered causes elsewhere, on the same day."""
        return CausedEffect(civil_day(self.modified_on), Cause(self.id, self.version))

    def protect(
        self,
        decision: type[ProtectionEvent],
        *,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Restrict, lift, or shred: a request, its withdrawal, or another's confirmation.

        Raises:
            DomainError: AlreadyShredded, or what the decision's own `check` refuses.
        """
        if self.protection.state is State.SHREDDED:
            raise AlreadyShredded
        derived = decision.check(self, fields, civil_day(recorded_at))
        self.trigger_event(decision, timestamp=recorded_at, sealed=sealed, **derived, **fields)

    def _current(self, dose: UUID) -> DoseState:
        state = self.dose(dose)
        if state is None:
            raise UnknownDose(dose=str(dose))
        return state

    # How events change it.

    def move(self, state: RollState) -> None:
        """Add a state of the roll."""
        self.roll_history.append(state)

    def let_identities_count(self, day: date) -> None:
        """Let everyone's identity count for claims from a day on (C-23, C-24)."""
        self.identity_effective_on = dict.fromkeys(self.handles, day)

    def add_dose(self, event: dose_events.DoseAdministered | dose_events.DoseTranscribed) -> None:
        """Add a dose as first entered."""
        self._doses[event.dose] = DoseHistory(DoseState.of(event))

    def restate_dose(
        self,
        event: dose_events.DoseCorrected
        | dose_events.DoseEnteredInError
        | dose_events.DoseReinstated,
    ) -> None:
        """Add a later reading of a dose."""
        self._doses[event.dose].later.append(event)
