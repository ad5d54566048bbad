"""The history: every dose of one person that the certificate shows, in one claim.

    history = [1, identifier, name, birth, effective, rules, version, position, root,
               [* vaccine], [* day], [* lot / null], [* clinic], [* provenance]]

The doses stand in columns of equal length, dose by dose in their order: like beside like packs
tighter than row by row. Days are days since 1970-01-01; a dose's day is counted from the
birth. A lacking dose says nothing (C-27): not all places report, and some doses are not shown
(C-20).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from certificates.cbor import Cbor
from certificates.errors import ClaimsError
from certificates.holder import Holder, LogState, RuleFile
from certificates.shape import check_code, check_day, check_number, day_of, number_of

MAX_DOSES = 400

_FORMAT = 1
_COLUMNS = 5
_MOST_DAYS = 150 * 366
_VACCINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_LOT = re.compile(r"[0-9A-Za-z][0-9A-Za-z ()/._-]{0,39}")
CLINIC_FORM = re.compile(r"[0-9A-Z][0-9A-Z-]{0,15}")
"""Short code of a clinic: its division, and what tells it from others."""


class Provenance(StrEnum):
    """Where the knowledge of a dose comes from (C-26, C-27)."""

    GIVEN = "given"
    PAPER = "paper"
    OTHER_PROVINCE = "other-province"
    OTHER_SYSTEM = "other-system"


_CODES = tuple(Provenance)


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose.

    Attributes:
        vaccine: Code in the catalogue that the history names, such as ``DTaP``.
        day: Civil day on which it was given.
        lot: As printed on the package, or None where a transcribed dose has none.
        clinic: Short code of the clinic that gave it; of a transcribed one, that wrote it down.
        provenance: Given there, or transcribed, and from what.
    """

    vaccine: str
    day: date
    lot: str | None
    clinic: str
    provenance: Provenance = Provenance.GIVEN

    def __post_init__(self) -> None:
        check_code(self.vaccine, _VACCINE, "vaccine")
        check_day(self.day, "dose day")
        if self.lot is not None:
            check_code(self.lot, _LOT, "lot")
        check_code(self.clinic, CLINIC_FORM, "clinic")

    @property
    def order(self) -> tuple[date, str, str, str, str]:
        """The key by which doses of a history are sorted."""
        return self.day, self.vaccine, self.lot or "", self.clinic, self.provenance


@dataclass(frozen=True, slots=True)
class History:
    """All doses of a person as a certificate shows them on a day.

    Attributes:
        holder: Whose doses.
        effective_on: Civil day on which the record read so (C-21).
        rules: The vaccine catalogue that the codes of the doses are of.
        log: The state of the log that they were read at.
        doses: At most 400, ascending by `Dose.order`.
    """

    holder: Holder
    effective_on: date
    rules: RuleFile
    log: LogState
    doses: tuple[Dose, ...]

    def __post_init__(self) -> None:
        check_day(self.effective_on, "effective day")
        check_number(len(self.doses), 0, MAX_DOSES, "doses")
        if list(self.doses) != sorted(self.doses, key=lambda dose: dose.order):
            raise ClaimsError("Doses stand in the order of their days.")
        for dose in self.doses:
            check_number(self._offset(dose), -_MOST_DAYS, _MOST_DAYS, "dose day")

    def encode(self) -> Cbor:
        """Return the array of the claim."""
        holder, rules, log = self.holder, self.rules, self.log
        return (
            *(_FORMAT, holder.identifier, holder.name, number_of(holder.birth_date)),
            *(number_of(self.effective_on), rules.id, rules.version),
            *(log.position, log.root_prefix),
            tuple(dose.vaccine for dose in self.doses),
            tuple(self._offset(dose) for dose in self.doses),
            tuple(dose.lot for dose in self.doses),
            tuple(dose.clinic for dose in self.doses),
            tuple(_CODES.index(dose.provenance) for dose in self.doses),
        )

    @classmethod
    def decode(cls, claim: Cbor) -> Self:
        """Read the array of the claim.

        Raises:
            ClaimsError: If it is anything that `encode` would not write.
        """
        match claim:
            case [
                int() as form,
                bytes() as identifier,
                str() as name,
                int() as birth,
                int() as effective,
                str() as rules,
                int() as version,
                int() as position,
                bytes() as root,
                *columns,
            ] if form == _FORMAT:
                holder = Holder(identifier, name, day_of(birth, "birth date"))
                return cls(
                    holder,
                    day_of(effective, "effective day"),
                    RuleFile(rules, version),
                    LogState(position, root),
                    tuple(_decode_dose(row, holder.birth_date) for row in _rows(columns)),
                )
        raise ClaimsError("This is not a history of a known format.")

    def _offset(self, dose: Dose) -> int:
        return (dose.day - self.holder.birth_date).days


def _rows(columns: Sequence[Cbor]) -> Iterable[Sequence[Cbor]]:
    lists = [column for column in columns if isinstance(column, list)]
    if len(lists) != _COLUMNS or len(columns) != _COLUMNS or len(set(map(len, lists))) > 1:
        raise ClaimsError("The doses stand in five columns of equal length.")
    return zip(*lists, strict=True)


def _decode_dose(row: Sequence[Cbor], birth_date: date) -> Dose:
    match row:
        case (
            str() as vaccine,
            int() as day,
            (None | str()) as lot,
            str() as clinic,
            int() as code,
        ):
            check_number(day, -_MOST_DAYS, _MOST_DAYS, "dose day")
            check_number(code, 0, len(_CODES) - 1, "provenance")
            return Dose(vaccine, birth_date + timedelta(days=day), lot, clinic, _CODES[code])
    raise ClaimsError("This is not a dose.")
