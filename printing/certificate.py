"""A vaccination certificate on paper: one person's doses in the columns of the paper one (C-25)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from printing.paper import Form, set_pdf
from printing.wording import chinese_day

_HEADS = ("疫苗", "剂次", "接种日期", "接种部位", "疫苗批号", "生产企业", "接种单位", "备注")
_COMPLETE = "截至{day}，档案中的接种记录共{count}剂次，已全部打印。"
_INCOMPLETE = "截至{day}，档案中的接种记录共{count}剂次，其中{withheld}剂次（犬伤处置系统）未打印。"
_DIFFERS = (
    "本人的纸质预防接种证与电子记录有差异，已登记待核对。两者均有效，请到管理档案的接种单位核实。"
)


@dataclass(frozen=True)
class CertificateLine:
    """A dose.

    Attributes:
        vaccine: Its name; lines of one vaccine stand together.
        given_on: When.
        site: Where on the body; likewise lot, maker and clinic, empty where not known.
        remark: Where the line comes from, unless the clinic gave the dose itself (C-27).
    """

    vaccine: str
    given_on: date
    site: str
    lot: str
    maker: str
    clinic: str
    remark: str = ""


@dataclass(frozen=True)
class CertificateForm:
    """A certificate.

    Attributes:
        name: Whose; likewise sex and birth date.
        holder: Who holds the electronic certificate.
        managed_by: Name of the clinic that manages the record.
        identifier: Of the electronic certificate: random, says nothing of the person (C-3).
        lines: Doses, those of one vaccine together, each vaccine's in the order given.
        withheld: Doses of the record that certificates do not show (C-20).
        differs: Whether a clinic found that the paper certificate says something else (C-4).
        notices: What its reader is told: of missing lines (C-27), of travelling (C-25).
        day: As of when it reads.
        foot: Which document it is, for the foot of the page.
        code: A code that verifies offline, as SVG.
    """

    name: str
    sex: str
    birth_date: date | None
    holder: str
    managed_by: str
    identifier: str
    lines: Sequence[CertificateLine]
    withheld: int
    differs: bool
    notices: Sequence[str]
    day: date
    foot: str
    code: str | None = None

    def pdf(self) -> bytes:
        """Return it as PDF."""
        values = {
            "title": "预防接种证",
            "subtitle": "（电子预防接种证打印件）",
            "particulars": [
                ("姓名", self.name),
                ("性别", self.sex),
                ("出生日期", chinese_day(self.birth_date)),
                ("持有人", self.holder),
                ("管理单位", self.managed_by),
                ("电子证编号", self.identifier),
            ],
            "heads": _HEADS,
            "vaccines": self._vaccines(),
            "remarks": self._remarks(),
            "code": self.code,
            "code_says": "扫码离线核验",
            "day": chinese_day(self.day),
            "foot": self.foot,
        }
        return set_pdf(Form.CERTIFICATE, values, self.day)

    def _vaccines(self) -> list[dict[str, object]]:
        """The lines of each vaccine, numbered."""
        vaccines: dict[str, list[tuple[str, ...]]] = {}
        for line in self.lines:
            rows = vaccines.setdefault(line.vaccine, [])
            day = line.given_on.isoformat()
            cells = (day, line.site, line.lot, line.maker, line.clinic, line.remark)
            rows.append((str(len(rows) + 1), *cells))
        return [{"name": name, "rows": rows} for name, rows in vaccines.items()]

    def _remarks(self) -> list[str]:
        said = _INCOMPLETE if self.withheld else _COMPLETE
        count = len(self.lines) + self.withheld
        told = [said.format(day=chinese_day(self.day), count=count, withheld=self.withheld)]
        return [*told, *([_DIFFERS] if self.differs else []), *self.notices]
