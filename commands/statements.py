"""Writes of clinics about check statements (S-7 to S-10)."""

from collections.abc import Mapping
from uuid import UUID

from commands.judging import judge, record_guard
from commands.papers import first_of_its_kind, statement_key
from commands.permissions import Scope
from commands.reading import Reading
from commands.writing import Decision, Effect, Handler, Writing
from domain.check_statement import Certified, CheckStatement, PaperDiffers, StatementOfAnother
from domain.merging import check_open
from domain.paper_comparison import PaperComparison
from domain.vaccination_record import VaccinationRecord
from domain.verdict import Finding, cells, given_on
from ledger.store.append import Claim

PAPER_DIFFERS = "paper-differs"
"""Kind of claim: a record whose paper certificate says otherwise, until that is settled."""


def issue(writing: Writing) -> Decision:
    """Issue a check statement on the record as it stands."""
    writing.check_new()
    fields = writing.fields
    record = writing.known(VaccinationRecord, fields["record"])
    check_open(record)
    writing.permit(
        Scope(record.division, acting=fields["clinic"], managing=record.managing_organisation)
    )
    known = [one.id.bytes for one in writing.with_merged(record)]
    if writing.services.reader.claims.holders((PAPER_DIFFERS,), known):
        raise PaperDiffers
    verdict = judge(
        writing,
        record,
        on=fields["checked_on"],
        entry_type=fields["entry_type"],
        has_certificate=fields["has_certificate"],
    )
    sealing, _ = writing.seal({})
    statement = CheckStatement.issue(
        writing.statement.stream,
        finding=Finding.of(verdict, record.version),
        serving=record.serving_clinics(),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    return Decision(
        statement,
        sealing,
        guards=record_guard(writing, record),
        # Taken and given back at once: a difference that came in meanwhile holds it, and wins.
        claims=(
            *(
                Claim(PAPER_DIFFERS, one, statement.id, release=release)
                for one in known
                for release in (False, True)
            ),
            *first_of_its_kind(writing, statement_key(record.id), statement.id),
        ),
        effects=_superseding(writing, record),
    )


def report_difference(writing: Writing) -> Decision:
    """Note that paper and record differ: no statement until that is settled (S-9)."""
    writing.check_new()
    fields = writing.fields
    record = writing.known(VaccinationRecord, fields["record"])
    writing.permit(Scope(record.division, acting=fields["clinic"]))
    sealing, _ = writing.seal({})
    found = PaperComparison.differ(
        writing.statement.stream,
        serving=record.serving_clinics(),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    return Decision(found, sealing, claims=(Claim(PAPER_DIFFERS, record.id.bytes, found.id),))


def settle_difference(writing: Writing) -> Decision:
    """Note that both say the same again."""
    found = writing.target(PaperComparison)
    writing.permit(Scope(found.division, acting=writing.fields["clinic"]))
    sealing, _ = writing.seal({})
    found.settle(recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields)
    released = Claim(PAPER_DIFFERS, found.record.bytes, found.id, release=True)
    return Decision(found, sealing, claims=(released,))


def record_makeup(writing: Writing) -> Decision:
    """Write a dose of the record into the row of the statement that asked for it."""
    issued = writing.known(CheckStatement, writing.statement.stream)
    record = writing.known(VaccinationRecord, issued.record)
    writing.permit(Scope(record.division, acting=writing.fields["clinic"]))
    statement = writing.target(CheckStatement)
    sealing, _ = writing.seal({})
    statement.record_makeup(
        certified=_certified(writing, record, statement),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(statement, sealing, guards=record_guard(writing, record))


def corrected_by(reading: Reading, statement: CheckStatement) -> tuple[UUID, ...]:
    """The corrections since which a statement says what the record does not; none while it does.

    What was issued is never rewritten (S-34): from the day on which such a correction counts
    (C-21) the paper does not hold, and the clinic issues another in its place.

    Raises:
        CommandError: NotFound, Restricted or Erased.
    """
    record = reading.survivor(statement.record)
    since = reading.corrected_since(record, statement.created_on)
    if not since or _says_still(reading, record, statement):
        return ()
    return since


def _says_still(reading: Reading, record: VaccinationRecord, statement: CheckStatement) -> bool:
    """Whether the audit would find the same today, and the doses made up stand as certified."""
    said = statement.audit
    assert said is not None, "a statement is issued with its audit"
    verdict = judge(
        reading,
        record,
        on=statement.checked_on,
        entry_type=statement.entry_type,
        has_certificate=not said.reissue_certificate,
    )
    found = Finding.of(verdict, record.version)
    standing = {
        Certified(dose.dose, dose.occurred_on, dose.lot)
        for dose in reading.doses_on(record, reading.today)
    }
    return (
        cells(found.missing) == cells(said.missing)
        and cells(found.exempt) == cells(said.exempt)
        and standing.issuperset(statement.made_up.values())
    )


def _superseding(writing: Writing, record: VaccinationRecord) -> tuple[Effect, ...]:
    """The end of the statement in whose place the new one stands.

    Raises:
        StatementOfAnother: it is another child's.
        StatementSuperseded: another stands in its place already.
    """
    replaced = writing.fields.get("supersedes")
    if replaced is None:
        return ()
    earlier = writing.load(CheckStatement, replaced)
    if earlier.record != record.id:
        raise StatementOfAnother
    earlier.supersede(writing.statement.stream, writing.recorded_at)
    return (Effect(earlier),)


def _certified(
    writing: Writing, record: VaccinationRecord, statement: CheckStatement
) -> Certified | None:
    """The dose of the record that fills a row today; None where the row is still open."""
    group, number = writing.fields["vaccine_group"], writing.fields["dose_number"]
    verdict = judge(
        writing, record, on=writing.today, entry_type=statement.entry_type, has_certificate=True
    )
    if (group, number) in cells(Finding.of(verdict, record.version).missing):
        return None
    day = given_on(verdict, group, number)
    catalogue = writing.services.rules.catalogue
    filling = {
        dose.vaccine
        for cell in verdict.cells
        if cell.vaccine_group == group
        for dose in cell.doses
        if dose.date == day
    }
    return next(
        (
            Certified(dose.dose, dose.occurred_on, dose.lot)
            for dose in writing.doses_on(record, writing.today)
            if dose.occurred_on == day and catalogue.vaccine(dose.vaccine).code in filling
        ),
        None,
    )


HANDLERS: Mapping[str, Handler] = {
    "check-statement.issued.v1": issue,
    "check-statement.makeup-recorded.v1": record_makeup,
    "paper-comparison.differed.v1": report_difference,
    "paper-comparison.settled.v1": settle_difference,
}
