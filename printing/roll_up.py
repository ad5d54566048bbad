"""The roll-up (附件4) on paper and as a workbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.schedules.entry_requirements import EntryRequirements
from printing.paper import Form, set_pdf
from printing.sheet import Sheet
from printing.wording import chinese_day

_GROUPS = [group.name.zh for group in EntryRequirements.load().groups.values()]
_COUNTS = (
    "入托入学人数",
    "查验人数",
    "持接种证人数",
    "补接种证人数",
    "全程接种人数",
    "完成补种人数",
)
_NOTES = (
    "说明：1、本表为通用汇总表，各级分入托、入学儿童分类进行统计报告。2、乡镇卫生院、社区卫生服务"
    "中心以托幼机构/学校为单位分别填报。3、县级以乡镇为单位、市级以县为单位、省级以市为单位汇总报告。"
)


@dataclass(frozen=True)
class RollUpForm:
    """A roll-up of one unit and entry type.

    Attributes:
        unit: Who reports.
        is_kindergarten: Whether 入托, else 入学.
        day: As of which the form reads.
        foot: Which state of the log it shows, for the foot of each page.
        rows: 29 cells for each unit below.
        total: Their sum.
    """

    unit: str
    is_kindergarten: bool
    day: date
    foot: str
    rows: Sequence[Sequence[str | int]]
    total: Sequence[str | int]

    title = "儿童入托、入学预防接种证查验汇总表"  # the scheme has two more names for it

    def pdf(self) -> bytes:
        """Return it as PDF: A4 across, the head on every page."""
        values = {
            "title": self.title,
            "unit": self.unit,
            "kindergarten": self.is_kindergarten,
            "day": chinese_day(self.day),
            "foot": self.foot,
            "counts": _COUNTS,
            "groups": _GROUPS,
            "rows": [[str(cell) for cell in row] for row in self.rows],
            "total": [str(cell) for cell in self.total],
            "notes": _NOTES,
        }
        return set_pdf(Form.ROLL_UP, values, self.day)

    def xlsx(self) -> bytes:
        """Return it as a workbook."""
        from printing.workbook import workbook  # noqa: PLC0415 - openpyxl is for the few who ask

        heads = [
            *("报告单位", "应查验数", "查验数", *_COUNTS),
            *(f"{group}{what}" for group in _GROUPS for what in ("应补种剂次", "补种剂次数")),
        ]
        name = "入托" if self.is_kindergarten else "入学"
        sheet = Sheet(name, f"{self.unit} {name} {self.foot}", heads, self.rows, [self.total])
        return workbook([sheet], self.day)
