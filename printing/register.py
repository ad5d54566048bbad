"""The class registers of a school (附件3) on paper and as a workbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.schedules.entry_requirements import EntryRequirements
from printing.paper import Form, set_pdf
from printing.sheet import Sheet
from printing.wording import chinese_day

_OWN_NAMES = {"MenAC": "A+C流脑疫苗"}  # only annex 3 calls it so
_GROUPS = {
    _OWN_NAMES.get(code, group.name.zh): group.columns
    for code, group in EntryRequirements.load().groups.items()
}
_FIRST = ("编号", "儿童姓名", "性别", "出生日期", "家长联系电话", "是否有接种证", "是否全程接种")
_LAST = "是否完成补种"
_NOTES = (
    "说明：1、此表由托幼机构或学校根据“儿童接种证”和“查验证明”填写，每年9月底和11月底报本地乡镇卫生院"
    "或社区卫生服务中心；2、已完成全程接种的写“√”，未完成的写“╳”，并在需要补种的疫苗和剂次栏内打“/”，"
    "因禁忌不补种的写“禁”；3、补种后在相应栏记录接种时间“日/月”；4、以班级为单位汇总。"
)


@dataclass(frozen=True)
class PrintedClass:
    """The register of one class.

    Attributes:
        name: As the school names it.
        rows: 30 cells for each child.
        subtotals: Three rows of 30 cells.
    """

    name: str
    rows: Sequence[Sequence[str]]
    subtotals: Sequence[Sequence[str]]


@dataclass(frozen=True)
class RegisterForm:
    """The registers of a school, class after class.

    Attributes:
        city: Whose form it is.
        institution: Name of the school.
        day: As of which the form reads.
        foot: Which state of the log it shows, for the foot of each page.
        classes: In the order in which they are printed.
    """

    city: str
    institution: str
    day: date
    foot: str
    classes: Sequence[PrintedClass]

    @property
    def title(self) -> str:
        """The form's title."""
        return f"{self.city}入托、入学儿童预防接种证查验登记表（托幼机构和学校用）"

    def pdf(self) -> bytes:
        """Return it as PDF: A4 across, a new page for each class, heads on every page."""
        values = {
            "title": self.title,
            "institution": self.institution,
            "registrar": "",
            "day": chinese_day(self.day),
            "foot": self.foot,
            "first": _FIRST,
            "last": _LAST,
            "groups": [{"title": name, "columns": columns} for name, columns in _GROUPS.items()],
            "classes": [
                {
                    "name": one.name,
                    "grade": "",
                    "rows": one.rows,
                    "subtotals": [_joined(row) for row in one.subtotals],
                }
                for one in self.classes
            ],
            "notes": _NOTES,
        }
        return set_pdf(Form.REGISTER, values, self.day)

    def xlsx(self) -> bytes:
        """Return it as a workbook with a sheet for each class."""
        from printing.workbook import workbook  # noqa: PLC0415 - openpyxl is for the few who ask

        heads = [
            *_FIRST,
            *(
                name if columns == 1 else f"{name}{number}"
                for name, columns in _GROUPS.items()
                for number in range(1, columns + 1)
            ),
            _LAST,
        ]
        return workbook(
            [
                Sheet(one.name, f"{self.institution} {one.name} {self.foot}", heads, one.rows,
                      one.subtotals)
                for one in self.classes
            ],
            self.day,
        )  # fmt: skip


def _joined(row: Sequence[str]) -> list[str]:
    """A subtotal's name and number, which stand in one cell on paper."""
    return [f"{row[0]} {row[1]}".strip(), *row[2:]]
