"""The class register (附件3) as a form: 30 columns, and the three subtotal rows under them. Pure.

Marks (S-11, S-12, X-5): `√` full course, `╳` not, `/` a missed dose, day/month when it was made
up, `禁` a dose that a lasting contraindication exempts and that is therefore not due. What is
counted and where a dose stands is decided in `domain.roll_up.register`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from domain.roll_up import register
from domain.roll_up.register import PupilCheck, dose_columns
from domain.schedules.entry_requirements import EntryRequirements

GROUPS = EntryRequirements.load().groups
"""Vaccine groups of the form."""

DOSE_COLUMNS: tuple[tuple[str, int], ...] = dose_columns(GROUPS)
"""Columns 8 to 29: vaccine group and dose number."""

COLUMNS: tuple[str, ...] = (
    "编号",
    "儿童姓名",
    "性别",
    "出生日期",
    "家长联系电话",
    "是否有接种证",
    "是否全程接种",
    "卡介苗",
    *(f"乙肝疫苗{number}" for number in (1, 2, 3)),
    *(f"脊灰疫苗{number}" for number in (1, 2, 3, 4)),
    *(f"百白破疫苗{number}" for number in (1, 2, 3, 4)),
    "白破疫苗",
    *(f"含麻疹成分疫苗{number}" for number in (1, 2)),
    *(f"A群流脑疫苗{number}" for number in (1, 2)),
    *(f"A+C流脑疫苗{number}" for number in (1, 2)),
    *(f"乙脑疫苗{number}" for number in (1, 2)),
    "甲肝疫苗",
    "是否完成补种",
)

ERASED = "已删除"
RESTRICTED = "已限制"
YES = "是"
NO = "否"
_NOTHING = ("",) * len(DOSE_COLUMNS)
_ANSWERS = {True: YES, False: NO, None: ""}
_SEXES = {"male": "男", "female": "女"}


@dataclass(frozen=True)
class Particulars:
    """What the first columns say of a child; None stands for not known.

    Attributes:
        erased: Whether the person's data were deleted.
        restricted: Whether the record is stored only; then its cells are not shown either.
    """

    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    phone: str | None = None
    erased: bool = False
    restricted: bool = False


@dataclass(frozen=True)
class Pupil:
    """One line.

    Attributes:
        number: Column 1.
        particulars: Columns 2 to 5.
        check: Columns 6 to 29.
        completed: Column 30; None before a re-check.
    """

    number: int
    particulars: Particulars
    check: PupilCheck
    completed: bool | None = None

    @property
    def complete(self) -> bool | None:
        """Column 7, the finding of the check (S-36); None where not judgeable (X-3)."""
        return self.check.complete

    def row(self) -> tuple[str, ...]:
        """Return the 30 cells."""
        if self.particulars.restricted:
            return (str(self.number), *[RESTRICTED] * 4, *[""] * (len(COLUMNS) - 5))
        return (
            str(self.number),
            *_first_columns(self.particulars),
            _ANSWERS[self.check.has_certificate],
            self.check.mark,
            *self._doses(),
            _ANSWERS[self.completed] if self.check.missing else "",
        )

    def _doses(self) -> tuple[str, ...]:
        """Columns 8 to 29; most children lack nothing."""
        if not self.check.missing and not self.check.exempt:
            return _NOTHING
        marks = self.check.cells(GROUPS)
        return tuple(marks.get(dose, "") for dose in DOSE_COLUMNS)


class Subtotals(register.Subtotals):
    """The subtotals of a class as lines of the form."""

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return three rows of 30 cells; what a row does not count is empty (S-35)."""
        head = ("", "", "")
        return (
            (
                *("查验小计", str(self.checked), *head),
                *(str(self.with_certificate), str(self.fully_vaccinated)),
                *(*_NOTHING, ""),
            ),
            (
                *("无证、漏种小计", "", *head),
                *(str(self.without_certificate), str(self.not_fully_vaccinated)),
                *(str(self.missed.get(dose, 0)) for dose in DOSE_COLUMNS),
                "",
            ),
            (
                *("补证、补种小计", "", *head),
                *(str(self.certificates_reissued), ""),
                *(str(self.made_up.get(dose, 0)) for dose in DOSE_COLUMNS),
                str(self.makeup_completed),
            ),
        )


def subtotals(pupils: Iterable[Pupil]) -> Subtotals:
    """Count a class."""
    return Subtotals(**vars(register.subtotals((pupil.check for pupil in pupils), GROUPS)))


def _first_columns(child: Particulars) -> tuple[str, str, str, str]:
    if child.erased:
        return (ERASED, ERASED, ERASED, ERASED)
    return (
        child.name or "",
        _SEXES.get(child.sex or "", ""),
        child.birth_date.isoformat() if child.birth_date else "",
        child.phone or "",
    )
