"""What a credential shows: the views of one person as `certificates` spells them."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from certificates.history import Dose, History, Provenance
from certificates.holder import Holder, LogState, RuleFile
from projections.doses import DoseRow

CLINIC_TAIL = 6


def holder_of(identifier: str, name: str, birth_date: date) -> Holder:
    """The person of a credential.

    Args:
        identifier: The certificate's, 32 hex digits.
        name: As on the record.
        birth_date: Likewise.

    Raises:
        ClaimsError: The name or the date is none that a credential can show.
    """
    return Holder(bytes.fromhex(identifier), unicodedata.normalize("NFC", name), birth_date)


def history_of(
    holder: Holder,
    doses: Iterable[DoseRow],
    clinics: Mapping[UUID, str],
    read: tuple[date, RuleFile, LogState],
) -> History:
    """All doses that a certificate shows, as a claim.

    Args:
        holder: Whose.
        doses: As effective on the day, without those that certificates do not show (C-20).
        clinics: Short codes of the clinics, by organisation.
        read: The effective day, the catalogue of the vaccine codes, and the state of the log.

    Raises:
        ClaimsError: There are more doses than a credential holds.
    """
    shown = [
        Dose(row.vaccine, row.occurred_on, row.lot, clinics[row.clinic], Provenance(row.provenance))
        for row in doses
    ]
    day, catalogue, log = read
    in_order = tuple(sorted(shown, key=lambda dose: dose.order))
    return History(holder, day, catalogue, log, in_order)


def clinic_code(clinic: UUID, division: str) -> str:
    """The short code of a clinic: its division, and six hex digits that tell it from others."""
    return f"{division}-{clinic.hex[-CLINIC_TAIL:].upper()}"
