"""The roll-up (附件4) as a form: 29 columns, one row a unit. Pure.

What a row counts and how rows add up is decided in `domain.roll_up.row`.
"""

from collections.abc import Iterable

from domain.roll_up import row
from domain.roll_up.row import NO_DOSES

GROUPS: tuple[tuple[str, str], ...] = (
    ("BCG", "卡介苗"),
    ("HepB", "乙肝疫苗"),
    ("PV", "脊灰疫苗"),
    ("DPT", "百白破疫苗"),
    ("DT", "白破疫苗"),
    ("MCV", "含麻疹成分疫苗"),
    ("MenA", "A群流脑疫苗"),
    ("MenAC", "A+C群流脑疫苗"),
    ("JE", "乙脑疫苗"),
    ("HepA", "甲肝疫苗"),
)
"""Vaccine groups of columns 10 to 29 (S-40: summed over dose numbers)."""

COLUMNS: tuple[str, ...] = (
    "报告单位",
    "应查验数",
    "查验数",
    "入托入学人数",
    "查验人数",
    "持接种证人数",
    "补接种证人数",
    "全程接种人数",
    "完成补种人数",
    *(f"{name}{what}" for _, name in GROUPS for what in ("应补种剂次", "补种剂次数")),
)


class RollUpRow(row.RollUpRow):
    """A row as a line of the form."""

    def row(self) -> tuple[str | int, ...]:
        """Return the 29 cells."""
        doses = (self.doses.get(group, NO_DOSES) for group, _ in GROUPS)
        return (
            self.name or self.unit,
            *self.counts(),
            *(count for pair in doses for count in pair),
        )


def total(rows: Iterable[RollUpRow]) -> RollUpRow:
    """Add up rows (S-39, S-52); of no rows, zeros."""
    return RollUpRow(**vars(row.total(rows)))
