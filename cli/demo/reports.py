"""Annex 3 and annex 4 as the server gives them, printed with zh-CN and English headings."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from rich.console import Console

from cli.demo.tables import Wide, print_wide
from client.http import AsyncClient
from domain.vocabulary import EntryType

_ANNEX3_EN = (
    *("No.", "Name", "Sex", "Born", "Phone", "Cert.", "Full", "BCG"),
    *("HepB1", "HepB2", "HepB3", "PV1", "PV2", "PV3", "PV4"),
    *("DPT1", "DPT2", "DPT3", "DPT4", "DT", "MCV1", "MCV2"),
    *("MenA1", "MenA2", "MenAC1", "MenAC2", "JE1", "JE2", "HepA", "Made up"),
)
_ANNEX4_GROUPS_EN = ("BCG", "HepB", "PV", "DPT", "DT", "MCV", "MenA", "MenAC", "JE", "HepA")
_ANNEX4_EN = (
    *("Unit", "Due", "Done", "Pupils", "Checked", "With cert.", "Re- issued"),
    *("Full course", "Made up"),
    *(f"{group} {what}" for group in _ANNEX4_GROUPS_EN for what in ("due", "given")),
)
_ENTRY_TYPES = {
    EntryType.KINDERGARTEN: "入托 kindergarten",
    EntryType.PRIMARY: "入学 primary school",
}
_LEGEND = (
    "√ 全程 full course   ╳ 未全程 not   / 漏种 missed   "
    "日/月 补种 made up on day/month   禁 禁忌 contraindicated"
)


@dataclass(frozen=True, slots=True)
class ClassOf:
    """A class of a school.

    Attributes:
        institution: The school.
        name: As the school names it.
        school_year: Year in which the school year starts.
    """

    institution: UUID
    name: str
    school_year: int


class Reports:
    """What a school and its county read.

    Args:
        client: With a token that covers the county.
        at_least: Position that the views must have reached.
    """

    def __init__(self, client: AsyncClient, at_least: int) -> None:
        self._client = client
        self._at_least = at_least

    async def register(self, shown: ClassOf) -> dict[str, Any]:
        """Return annex 3 of a class."""
        path = f"/v1/institutions/{shown.institution}/classes/{quote(shown.name)}/register"
        return await self._get(path, school_year=shown.school_year)

    async def roll_up(
        self, division: str, entry_type: EntryType, school_year: int
    ) -> dict[str, Any]:
        """Return annex 4 of a division."""
        path = f"/v1/divisions/{division}/roll-up"
        return await self._get(path, entry_type=entry_type.value, school_year=school_year)

    async def _get(self, path: str, **query: object) -> dict[str, Any]:
        asked = urlencode({**query, "at_least": self._at_least})
        answer = await self._client.request("GET", f"{path}?{asked}")
        found: dict[str, Any] = answer.json()
        return found


def print_register(console: Console, register: dict[str, Any]) -> None:
    """Print annex 3."""
    title = (
        f"附件3 Annex 3  {register['institution_name']}  {register['class_name']}  "
        f"{register['school_year']}"
    )
    headings = list(zip(register["columns"], _ANNEX3_EN, strict=True))
    print_wide(console, Wide(title, headings, register["rows"], register["subtotals"], 2))
    console.print(f"[dim]{_LEGEND}[/dim]", highlight=False)


def print_roll_up(console: Console, roll_up: dict[str, Any]) -> None:
    """Print annex 4 of one entry type."""
    entry_type = _ENTRY_TYPES[EntryType(roll_up["entry_type"])]
    title = f"附件4 Annex 4  {roll_up['division']}  {entry_type}  {roll_up['school_year']}"
    rows = [[str(cell) for cell in row] for row in (*roll_up["rows"], roll_up["total"])]
    headings = list(zip(roll_up["columns"], _ANNEX4_EN, strict=True))
    print_wide(console, Wide(title, headings, rows[:-1], rows[-1:], 1))
