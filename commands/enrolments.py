"""Writes of schools about their pupils: enrolment, check, reissue, re-check (S-3 to S-12)."""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from commands.judging import judge, record_guard
from commands.papers import first_of_its_kind, register_key
from commands.permissions import Scope
from commands.reading import Reading
from commands.writing import Decision, Handler, Writing
from domain.check_statement import CheckStatement, StatementOfAnother
from domain.correction import Correction
from domain.enrolment import Enrolment
from domain.merging import check_open
from domain.schedules.verdict import Verdict
from domain.school_check import CorrectionOfAnother, NotChecked, lacking_of
from domain.sealed import Sealed
from domain.vaccination_record import VaccinationRecord
from domain.verdict import Finding, NoticeEdition
from domain.vocabulary import EntryType
from ledger.store.append import Guard


def enrol(writing: Writing) -> Decision:
    """Enrol a child whose record exists."""
    writing.check_new()
    fields = writing.fields
    school = writing.services.directory.organisation(fields["institution"])
    writing.permit(Scope(school.division, acting=school.id))
    record = writing.load(VaccinationRecord, fields["record"])
    check_open(record)
    sealing, _ = writing.seal({})
    enrolment = Enrolment.enrol(
        writing.statement.stream,
        institution_facts=school,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    registers = register_key(record.id, fields["entry_type"], fields["school_year"])
    return Decision(
        enrolment,
        sealing,
        guards=(Guard(record.id, record.version),),
        claims=first_of_its_kind(writing, registers, enrolment.id),
    )


def check(writing: Writing) -> Decision:
    """Check certificate and doses; the verdict comes from the rules and guards the record."""
    enrolment = _own(writing)
    record = writing.survivor(enrolment.record)
    verdict = judge(
        writing,
        record,
        on=writing.fields["checked_on"],
        entry_type=_entry_type(writing, enrolment),
        has_certificate=writing.fields["has_certificate"],
    )
    sealing, _ = writing.seal({})
    enrolment.check(
        finding=Finding.of(verdict, record.version),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(enrolment, sealing, guards=record_guard(writing, record))


def reissue(writing: Writing) -> Decision:
    """Note that the child has a certificate again."""
    enrolment = _own(writing)
    sealing, _ = writing.seal({})
    enrolment.reissue_certificate(
        recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields
    )
    return Decision(enrolment, sealing)


def recheck(writing: Writing) -> Decision:
    """Look again after make-up: which missing cells are filled now, and on which day."""
    enrolment = _own(writing)
    record = writing.survivor(enrolment.record)
    verdict = judge(
        writing,
        record,
        on=writing.fields["rechecked_on"],
        entry_type=_entry_type(writing, enrolment),
        has_certificate=bool(enrolment.has_certificate or enrolment.reissued_on),
    )
    sealing, _ = writing.seal({})
    enrolment.recheck(
        verdict=verdict,
        record_version=record.version,
        certified=_certified(writing, enrolment),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(enrolment, sealing, guards=record_guard(writing, record))


def restate(writing: Writing) -> Decision:
    """Let the check read what the record says of its day since a correction counts."""
    enrolment = _own(writing)
    sealing, _ = writing.seal({})
    guards = look_again(writing, enrolment, writing.fields["correction"], sealing.sealed)
    return Decision(enrolment, sealing, guards=guards)


def look_again(
    reading: Reading, enrolment: Enrolment, correction: UUID, sealed: tuple[Sealed, ...] = ()
) -> tuple[Guard, ...]:
    """Restate a check on the corrected record; returns what that rests on.

    Raises:
        CorrectionOfAnother: the correction is another child's, not applied, or not effective yet.
        DomainError: NotChecked or AlreadyRestated.
    """
    record = reading.survivor(enrolment.record)
    known = {one.id for one in reading.with_merged(record)}
    applied = reading.load(Correction, correction)
    if (
        applied.record not in known
        or applied.effective_on is None
        or applied.effective_on > reading.today
    ):
        raise CorrectionOfAnother
    if enrolment.checked_on is None:
        raise NotChecked
    entry_type = _entry_type(reading, enrolment)

    def judged(on: date) -> Verdict:
        has_certificate = bool(enrolment.has_certificate)
        return judge(reading, record, on=on, entry_type=entry_type, has_certificate=has_certificate)

    rechecked_on = enrolment.rechecked_on
    enrolment.restate(
        finding=Finding.of(judged(enrolment.checked_on), record.version),
        lacking=lacking_of(judged(rechecked_on)) if rechecked_on else (),
        recorded_at=reading.recorded_at,
        sealed=sealed,
        correction=correction,
    )
    return record_guard(reading, record)


def give_notice(writing: Writing) -> Decision:
    """Note that the parents were given annex 1."""
    enrolment = _own(writing)
    sealing, _ = writing.seal({})
    edition = writing.services.rules.requirements.edition
    enrolment.give_notice(
        edition=NoticeEdition(edition.id, edition.version),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(enrolment, sealing)


def _certified(writing: Writing, enrolment: Enrolment) -> Collection[tuple[str, int]] | None:
    """The completed rows of the statement that the school was shown.

    Raises:
        StatementOfAnother: it is another child's.
    """
    shown = writing.fields.get("statement")
    if shown is None:
        return None
    statement = writing.load(CheckStatement, shown)
    if statement.record != enrolment.record:
        raise StatementOfAnother
    return statement.made_up.keys()


def _entry_type(reading: Reading, enrolment: Enrolment) -> EntryType:
    """Kindergarten or primary school, as the institution is registered (S-38)."""
    school = reading.services.directory.organisation(enrolment.institution)
    assert school.institution_type is not None, "only schools enrol"
    return EntryType(school.institution_type)


def _own(writing: Writing) -> Enrolment:
    enrolment = writing.target(Enrolment)
    institution: UUID = enrolment.institution
    writing.permit(Scope(enrolment.division, acting=institution))
    return enrolment


HANDLERS: Mapping[str, Handler] = {
    "enrolment.enrolled.v1": enrol,
    "enrolment.checked.v1": check,
    "enrolment.certificate-reissued.v1": reissue,
    "enrolment.rechecked.v1": recheck,
    "enrolment.notice-given.v1": give_notice,
    "enrolment.check-restated.v1": restate,
}
