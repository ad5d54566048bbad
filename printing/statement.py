"""The check statement of a clinic (附件2) on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from printing.paper import Form, set_pdf
from printing.wording import chinese_day

_HEADS = ("需补种疫苗", "预约时间", "补种时间", "疫苗批号", "接种医生签章")
_COMPLETE = "经查验接种记录，已按国家免疫规划程序完成接种。特此证明。"
_TO_MAKE_UP = (
    "经查验接种记录，还有以下疫苗未完成接种（见下表），其他疫苗已按程序完成接种。特此证明。"
)
_EXEMPT = "经查验接种记录，{}因禁忌不能补种，其他疫苗已按程序完成接种。特此证明。"
_ALSO_EXEMPT = "另有{}因禁忌不能补种。"
_REISSUE = "该儿童无预防接种证，由本单位根据接种记录补办。"
_SUPERSEDED = "本证明已由新的查验证明替代，仅供查阅。"
_CORRECTED = "接种记录已更正，本证明不再有效，请向查验单位索取新的证明。"


@dataclass(frozen=True)
class StatementRow:
    """A dose to make up.

    Attributes:
        vaccine: Name and number of the dose.
        appointment: When it is booked.
        made_up_on: When it was given; the row is completed then.
        lot: Of what was given.
        certified_by: Name of the clinic that wrote it in.
    """

    vaccine: str
    appointment: date | None = None
    made_up_on: date | None = None
    lot: str = ""
    certified_by: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the five cells."""
        days = (chinese_day(self.appointment), chinese_day(self.made_up_on))
        return (self.vaccine, *days, self.lot, self.certified_by)


@dataclass(frozen=True)
class StatementForm:
    """A statement.

    Attributes:
        city: Whose form it is.
        name: Of the child; likewise sex and birth date.
        rows: Doses to make up; none makes the first template.
        exempt: Vaccines that a contraindication rules out (S-33).
        reissue: Whether the certificate is issued again with it (S-10).
        superseded: Whether another stands in its place.
        corrected: Whether the record was corrected since and reads otherwise.
        clinic: Who issued it.
        day: When it was issued.
        foot: Which document it is, for the foot of the page.
        code: A code that verifies offline, as SVG.
    """

    city: str
    name: str
    sex: str
    birth_date: date | None
    rows: Sequence[StatementRow]
    exempt: Sequence[str]
    reissue: bool
    superseded: bool
    corrected: bool
    clinic: str
    day: date
    foot: str
    code: str | None = None

    def pdf(self) -> bytes:
        """Return it as PDF."""
        values = {
            "title": f"{self.city}入托、入学儿童预防接种证查验证明",
            "name": self.name,
            "sex": self.sex,
            "birth_date": chinese_day(self.birth_date),
            "finding": self._finding(),
            "heads": _HEADS,
            "rows": [row.cells() for row in self.rows],
            "remarks": self._remarks(),
            "code": self.code,
            "code_says": "扫码离线核验本证明",
            "checker": "",
            "clinic": self.clinic,
            "day": chinese_day(self.day),
            "foot": self.foot,
        }
        return set_pdf(Form.STATEMENT, values, self.day)

    def _finding(self) -> str:
        if self.rows:
            return _TO_MAKE_UP
        return _EXEMPT.format("、".join(self.exempt)) if self.exempt else _COMPLETE

    def _remarks(self) -> list[str]:
        told = []
        if self.rows and self.exempt:
            told.append(_ALSO_EXEMPT.format("、".join(self.exempt)))
        if self.reissue:
            told.append(_REISSUE)
        if self.superseded:
            told.append(_SUPERSEDED)
        elif self.corrected:
            told.append(_CORRECTED)
        return told
