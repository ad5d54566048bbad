"""Who may book a dose for somebody who is not of age (C-2, A-18).

Whom a child's record names as a guardian, who holds its certificate, and who was granted the scope
`book`. For a child that nobody has registered the answer is the same, so that it tells nothing.
"""

from commands.certificate_use import CertificateUse
from commands.principal import Principal
from commands.reading import Reading
from commands.writing import HOLDER, ID_NUMBER
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.calendar import completed_age
from domain.certificate import Certificate
from domain.grant import Scope
from domain.identity import IdNumber
from domain.vaccination_record import VaccinationRecord


def entrusted_with(
    reading: Reading,
    caller: Principal,
    own_number: str,
    person: IdNumber,
    record: VaccinationRecord | None,
) -> Certificate | None:
    """The certificate by whose grant or holder a dose is booked for another person.

    Args:
        reading: The log.
        caller: Who books.
        own_number: Of the caller, normalised.
        person: The number of the person whom the dose is for.
        record: Of that person, where there is one.

    Returns:
        None for grown-ups, whom everyone may book for, and for the caller's own children.

    Raises:
        BookingRefused: the caller may not book for this child.
    """
    rules = reading.services.rules
    if completed_age(person.birth_date, reading.today) >= rules.claims.adult_age:
        return None
    if record is not None:
        if _is_guardian(reading, record, own_number):
            return None
        certificate = _granted(reading, caller, record)
        if certificate is not None:
            return certificate
    raise BookingRefused.by(rules.booking, Objection("not_entrusted"))


def _is_guardian(reading: Reading, record: VaccinationRecord, number: str) -> bool:
    known = {(person, stream) for _, person, stream in reading.find((ID_NUMBER,), number)}
    return any(
        (guardian.person, one.id) in known
        for one in reading.with_merged(record)
        for guardian in one.guardians
    )


def _granted(reading: Reading, caller: Principal, record: VaccinationRecord) -> Certificate | None:
    stream = reading.owner(HOLDER, record.id.bytes)
    if stream is None:
        return None
    certificate = reading.load(Certificate, stream)
    who = CertificateUse(reading.services).acting(caller, certificate, Scope.BOOK)
    return None if who is None else certificate
