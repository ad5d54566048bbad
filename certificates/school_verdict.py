"""The verdict for a school: whether a child's doses are complete, for sixty days at most.

    verdict = [1, identifier, name, birth, checked, entry, class / null, row, outcome, missing,
               rules, version, position, root]
    missing = [* [group, [* dose number]]]

It holds no dose that was given and nothing of a contraindication but that no dose is to be made up
(X-5): neither its kind nor the vaccine it concerns.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from certificates.cbor import Cbor
from certificates.errors import ClaimsError
from certificates.holder import Holder, LogState, RuleFile
from certificates.shape import (
    check_code,
    check_day,
    check_number,
    check_text,
    day_of,
    number_of,
)

LONGEST_LIFE = timedelta(days=60)

_FORMAT = 1
_MAX_CLASS = 40
_MAX_AGE = 30
_MAX_DOSES = 20
_MAX_GROUPS = 40
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")


class EntryType(StrEnum):
    """What the child enters (S-1)."""

    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"


class Outcome(StrEnum):
    """The three results of an audit (S-10)."""

    COMPLETE = "complete"
    TO_MAKE_UP = "to-make-up"
    NOT_TO_MAKE_UP = "not-to-make-up"


_ENTRY_TYPES = tuple(EntryType)
_OUTCOMES = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Missing:
    """Doses of a vaccine group that are to be made up.

    Attributes:
        vaccine_group: A column of the register (annex 3), such as ``MCV``.
        dose_numbers: Which doses of it, ascending.
    """

    vaccine_group: str
    dose_numbers: tuple[int, ...]

    def __post_init__(self) -> None:
        check_code(self.vaccine_group, _GROUP, "vaccine group")
        check_number(len(self.dose_numbers), 1, _MAX_DOSES, "dose numbers")
        for number in self.dose_numbers:
            check_number(number, 1, _MAX_DOSES, "dose number")
        if list(self.dose_numbers) != sorted(set(self.dose_numbers)):
            raise ClaimsError("Dose numbers ascend.")


@dataclass(frozen=True, slots=True)
class SchoolVerdict:
    """What a check of a child's doses found.

    Attributes:
        holder: Whose doses.
        checked_on: Civil day that was judged.
        entry_type: What the child enters.
        class_name: The class, where it is known.
        age_row: Row of annex 1 that judged, in completed years.
        outcome: The result.
        missing: What is to be made up, in the register's order; not empty exactly when something
            is.
        rules: The entry requirement that judged.
        log: The state of the log that it judged.
    """

    holder: Holder
    checked_on: date
    entry_type: EntryType
    class_name: str | None
    age_row: int
    outcome: Outcome
    missing: tuple[Missing, ...]
    rules: RuleFile
    log: LogState

    def __post_init__(self) -> None:
        check_day(self.checked_on, "day of the check")
        if self.class_name is not None:
            check_text(self.class_name, _MAX_CLASS, "class")
        check_number(self.age_row, 0, _MAX_AGE, "age row")
        check_number(len(self.missing), 0, _MAX_GROUPS, "missing groups")
        if len({gap.vaccine_group for gap in self.missing}) != len(self.missing):
            raise ClaimsError("A vaccine group stands once.")
        if bool(self.missing) != (self.outcome is Outcome.TO_MAKE_UP):
            raise ClaimsError("The outcome and the missing doses contradict each other.")

    def encode(self) -> Cbor:
        """Return the array of the claim."""
        holder, rules, log = self.holder, self.rules, self.log
        return (
            *(_FORMAT, holder.identifier, holder.name, number_of(holder.birth_date)),
            *(number_of(self.checked_on), _ENTRY_TYPES.index(self.entry_type), self.class_name),
            *(self.age_row, _OUTCOMES.index(self.outcome)),
            tuple((gap.vaccine_group, gap.dose_numbers) for gap in self.missing),
            *(rules.id, rules.version, log.position, log.root_prefix),
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
                int() as checked,
                int() as entry_type,
                (None | str()) as class_name,
                int() as age_row,
                int() as outcome,
                list() as missing,
                str() as rules,
                int() as version,
                int() as position,
                bytes() as root,
            ] if form == _FORMAT:
                check_number(entry_type, 0, len(_ENTRY_TYPES) - 1, "entry type")
                check_number(outcome, 0, len(_OUTCOMES) - 1, "outcome")
                return cls(
                    Holder(identifier, name, day_of(birth, "birth date")),
                    day_of(checked, "day of the check"),
                    _ENTRY_TYPES[entry_type],
                    class_name,
                    age_row,
                    _OUTCOMES[outcome],
                    tuple(map(_decode_missing, missing)),
                    RuleFile(rules, version),
                    LogState(position, root),
                )
        raise ClaimsError("This is not a school verdict of a known format.")


def _decode_missing(fields: Cbor) -> Missing:
    match fields:
        case [str() as group, list() as numbers]:
            return Missing(group, tuple(numbers))
    raise ClaimsError("This is not a missing dose.")
