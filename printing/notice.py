"""The notice to parents (附件1) on paper: its steps, and on the back what each age requires."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.schedules.entry_requirements import EntryRequirements
from printing.paper import Form, set_pdf
from printing.wording import chinese_day

_OPENING = (
    "根据《中华人民共和国传染病防治法》等国家法律规定，儿童入托、入学时，应当查验预防接种证。"
    "为了您孩子的健康，请到现住址所属预防接种单位或近期您孩子接种疫苗的接种单位查验儿童预防接种情况，"
    "并开具“{title}”。办理流程如下："
)
_STEPS = (
    "携带预防接种证原件到现住址所属的预防接种单位或近期孩子接种疫苗的接种单位审核疫苗完成情况。",
    "如完成国家规定的疫苗接种，接种单位开具“{title}”。",
    "如未完成国家规定的疫苗接种，请按照预约时间，尽快带孩子到预防接种单位补种。",
    (
        "入学时凭预防接种证原件和接种单位开具的查验证明办理相关手续。"
        "查验证明将作为学生的健康档案由学校长期保存。"
    ),
    "如接种证遗失或未办理，到现住址所属预防接种单位或近期孩子接种疫苗的接种单位补办。",
)
_SUBSTITUTIONS = (
    "百白破疫苗、脊灰减毒活疫苗可用百白破、脊灰灭活、Hib（五联）疫苗替代。",
    "A群流脑疫苗可用流脑A+C结合疫苗替代。",
    "A+C群流脑疫苗可用流脑A+C+Y+W135（四价）疫苗替代。",
    "乙脑减毒活疫苗可用乙脑灭活疫苗替代。",
    "甲肝减毒活疫苗可用甲肝灭活疫苗替代接种2剂次。",
    "甲肝减毒活疫苗也可用甲乙肝灭活疫苗替代接种2剂次。",
)
_AGE_NOTE = (
    "周岁：指过生日以后儿童（红色为本年龄组新增针次），例如：满2周岁指已经过2岁生日未过3岁生日儿童，"
    "其他年龄以此类推。"
)


@dataclass(frozen=True)
class NoticeForm:
    """Notices of one institution, one a child.

    Attributes:
        city: Whose form it is.
        institution: Name of the kindergarten or school.
        day: When it is handed out.
        children: Names; an empty one leaves the addressee open.
        foot: For the foot of each page.
    """

    city: str
    institution: str
    day: date
    children: Sequence[str]
    foot: str

    def pdf(self) -> bytes:
        """Return it as PDF: front and back for each child."""
        statement = f"{self.city}入托、入学儿童预防接种证查验证明"
        values = {
            "title": f"{self.city}入托、入学儿童预防接种证查验通知单",
            "children": self.children,
            "opening": _OPENING.format(title=statement),
            "steps": [step.format(title=statement) for step in _STEPS],
            "institution": self.institution,
            "day": chinese_day(self.day),
            "ages": _ages(EntryRequirements.load()),
            "substitutions": _SUBSTITUTIONS,
            "age_note": _AGE_NOTE,
            "foot": self.foot,
        }
        return set_pdf(Form.NOTICE, values, self.day)


def _ages(requirements: EntryRequirements) -> list[dict[str, Any]]:
    """The rows of annex 1; what an age asks for beyond the one before is marked."""
    before: dict[str, int] = {}
    ages = []
    for age, row in requirements.rows.items():
        doses = [
            {
                "title": f"{requirements.groups[code].name.zh}（{code}）",
                "times": f"{count}次",
                "new": bool(before) and before.get(code) != count,
            }
            for code, count in row.items()
        ]
        ages.append({"title": f"满{age}周岁儿童须完成接种疫苗种类及次数", "doses": doses})
        before = dict(row)
    return ages
