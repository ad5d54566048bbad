"""A school-entry verdict on a record as it stands, by the rules in force (S-9, S-23)."""

from datetime import date

from commands.reading import Reading
from domain.schedules.dose_allocation import Dose
from domain.schedules.school_entry import decide
from domain.schedules.school_entry_case import Case, Contraindication
from domain.schedules.verdict import Verdict
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import EntryType
from ledger.store.append import Guard


def judge(
    reading: Reading,
    record: VaccinationRecord,
    *,
    on: date,
    entry_type: EntryType,
    has_certificate: bool,
) -> Verdict:
    """What the requirements say of the doses that are effective today, counted up to `on`.

    Those of records that were merged into this one count with it. The verdict has no sentences.

    Raises:
        Erased: the birth date can no longer be opened.
    """
    catalogue = reading.services.rules.catalogue
    case = Case(
        birth_date=reading.person(record, record.recipient)["birth_date"],
        check_date=on,
        entry_type=entry_type.value,
        has_certificate=has_certificate,
        doses=tuple(
            Dose(catalogue.vaccine(dose.vaccine).code, dose.occurred_on)
            for dose in reading.doses_on(record, reading.today)
        ),
        contraindications=tuple(
            Contraindication(group, "permanent" if state.lasting else "temporary")
            for state in reading.contraindications_on(record, on)
            for group in state.vaccine_groups
        ),
    )
    return decide(reading.services.rules.requirements, case)


def record_guard(reading: Reading, record: VaccinationRecord) -> tuple[Guard, ...]:
    """The verdict rests on the record, and on those merged into it, at these versions."""
    return tuple(Guard(one.id, one.version) for one in reading.with_merged(record))
