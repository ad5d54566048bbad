"""Writes about corrections; an applied one restates the dose in the same transaction (C-21)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from commands.errors import Erased
from commands.permissions import Scope
from commands.records import dose_facts, remarks_on
from commands.vault import NOTHING_SEALED, Place, Sealing
from commands.writing import PACKAGE_CODE, Decision, Effect, Handler, Writing
from domain.correction import Correction
from domain.correction_events import CorrectionKind
from domain.dose_policy import check_sealed_changes
from domain.effect import Cause
from domain.organisation import OrganisationKind
from domain.quality import Check
from domain.sealed import Sealed
from domain.topics import people
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Claim, Guard

_NO_CHANGES: Mapping[str, Any] = {}


def request(writing: Writing) -> Decision:
    """Ask for a correction, stating before and after; the record must still stand there."""
    writing.check_new()
    fields, statement = writing.fields, writing.statement
    record = writing.known(VaccinationRecord, fields["record"])
    _permit(writing, record)
    sealing = _seal(writing, record)
    # As they were written, like what stands: both passed the same vocabulary, and text compares.
    part = writing.private.get(record.recipient)
    values = part.values if part is not None else _NO_CHANGES
    before, after = values.get("before", _NO_CHANGES), values.get("after", _NO_CHANGES)
    if before or after:
        check_sealed_changes(writing.dose_values(record, fields["dose"]), before, after)
    correction = Correction.request(
        statement.stream,
        current=record.dose(fields["dose"]),
        is_struck=record.is_struck(fields["dose"]),
        changes_sealed=bool(before or after),
        by=_kind(writing),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    guards = (Guard(record.id, record.version),)
    return Decision(
        correction, sealing, guards=guards, remarks=_remarks(writing, correction, record)
    )


def verify(writing: Writing) -> Decision:
    """Find the correction right."""
    return _decide(writing, Correction.verify)


def reject(writing: Writing) -> Decision:
    """Refuse the correction, with a reason."""
    return _decide(writing, Correction.reject)


def withdraw(writing: Writing) -> Decision:
    """Take the correction back."""
    return _decide(writing, Correction.withdraw)


def apply(writing: Writing) -> Decision:
    """Apply the correction: the record's own event follows, signed by the platform.

    Of two corrections of one dose exactly one wins: both extend the record's stream from the
    version they saw.
    """
    correction, record = _open(writing)
    sealing = _seal(writing, record)
    changed = _sealed_changes(writing, correction, record)
    correction.apply(
        by=_kind(writing),
        current=record.dose(correction.dose),
        is_struck=record.is_struck(correction.dose),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    cause = Cause(correction.id, correction.version)
    if correction.kind is CorrectionKind.AMEND:
        found = _remarks(writing, correction, record)
        restated = _restate(writing, correction, record, changed)
        return replace(restated, sealing=sealing, remarks=found)
    strikes = correction.kind is CorrectionKind.ENTERED_IN_ERROR
    decide = record.enter_dose_in_error if strikes else record.reinstate_dose
    decide(
        urgency=correction.urgency,
        cause=cause,
        recorded_at=writing.recorded_at,
        dose=correction.dose,
        correction=correction.id,
        reason=correction.reason,
    )
    return Decision(correction, sealing, effects=(Effect(record),))


def _decide(writing: Writing, step: Callable[..., None]) -> Decision:
    correction, record = _open(writing)
    sealing = _seal(writing, record)
    step(
        correction,
        by=_kind(writing),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(correction, sealing)


def _remarks(
    writing: Writing, correction: Correction, record: VaccinationRecord
) -> tuple[Check, ...]:
    """What deserves a second look in the dose as it would read."""
    current = record.dose(correction.dose)
    if correction.kind is not CorrectionKind.AMEND or current is None:
        return ()
    facts = dose_facts(writing, record)
    return remarks_on(writing, record, current.changed(correction.changes), facts)


def _restate(
    writing: Writing,
    correction: Correction,
    record: VaccinationRecord,
    changed: Mapping[str, Mapping[str, Any]],
) -> Decision:
    effect = Effect(record)
    sealed: tuple[Sealed, ...] = ()
    if changed:
        part, commitment = writing.services.vault.part(changed)
        sealing = writing.services.vault.seal(
            {record.recipient: part},
            Place(VaccinationRecord.DoseCorrected.TOPIC, record.id, record.version + 1, 1),
            ring=writing.ring,
        )
        effect = Effect(record, {record.recipient: commitment}, sealing.blobs)
        sealed = sealing.sealed
    record.correct_dose(
        facts=dose_facts(writing, record),
        cause=Cause(correction.id, correction.version),
        recorded_at=writing.recorded_at,
        sealed=sealed,
        dose=correction.dose,
        changes=correction.changes,
        correction=correction.id,
        urgency=correction.urgency,
    )
    claims = _package_claims(writing, record, changed)
    return Decision(correction, NOTHING_SEALED, claims=claims, effects=(effect,))


def _sealed_changes(
    writing: Writing, correction: Correction, record: VaccinationRecord
) -> dict[str, Mapping[str, Any]]:
    """The sealed half of the request, opened again; it must still start from what stands."""
    if not correction.request_sealed:
        return {}
    values = writing.opened(correction.id, 1, record.recipient)
    if values is None:
        raise Erased
    changed = {name: values[name] for name in ("before", "after") if values.get(name)}
    if changed:
        check_sealed_changes(
            writing.dose_values(record, correction.dose),
            changed.get("before", _NO_CHANGES),
            changed.get("after", _NO_CHANGES),
        )
    return changed


def _package_claims(
    writing: Writing, record: VaccinationRecord, changed: Mapping[str, Mapping[str, Any]]
) -> tuple[Claim, ...]:
    claims = []
    for side, release in (("before", True), ("after", False)):
        code = changed.get(side, _NO_CHANGES).get("package_code")
        if code is not None:
            digest = writing.blind(PACKAGE_CODE, code)
            claims.append(Claim(PACKAGE_CODE, digest, record.id, release=release))
    return tuple(claims)


def _open(writing: Writing) -> tuple[Correction, VaccinationRecord]:
    asked = writing.known(Correction, writing.statement.stream)
    record = writing.known(VaccinationRecord, asked.record)
    _permit(writing, record)
    return writing.target(Correction), record


def _seal(writing: Writing, record: VaccinationRecord) -> Sealing:
    roles = people(writing.statement.topic, writing.fields, recipient=record.recipient)
    return writing.seal(roles)[0]


def _permit(writing: Writing, record: VaccinationRecord) -> None:
    acting: UUID = writing.fields["clinic"]
    writing.permit(Scope(record.division, acting=acting, managing=record.managing_organisation))


def _kind(writing: Writing) -> OrganisationKind:
    return writing.services.directory.organisation(writing.fields["clinic"]).kind


HANDLERS: Mapping[str, Handler] = {
    "correction.requested.v1": request,
    "correction.verified.v1": verify,
    "correction.applied.v1": apply,
    "correction.rejected.v1": reject,
    "correction.withdrawn.v1": withdraw,
}
