"""A row's texts as the values of a registration and of a dose, in the words of the domain."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from domain import private
from domain.codec import MalformedData, read_field
from domain.dose_events import DoseTranscribed
from domain.errors import DomainError
from domain.schedules.catalogue import Catalogue, Route, Site
from domain.topics import GUARDIAN, RECIPIENT, check_private
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import Relation, SourceSystem

UNKNOWN_UNIT = "不详"
"""What stands for a unit that the source does not tell."""
_PLACEHOLDER_UNITS = frozenset({"777777777777", "888888888888", "999999999999"})
"""Codes that stand for no organisation (E-18)."""

_SEXES = {
    **dict.fromkeys(("男", "男性", "1", "M"), "male"),
    **dict.fromkeys(("女", "女性", "2", "F"), "female"),
}
_RELATIONS = {
    **dict.fromkeys(("母", "母亲", "母子", "母女"), Relation.MOTHER),
    **dict.fromkeys(("父", "父亲", "父子", "父女"), Relation.FATHER),
    **dict.fromkeys(("监护人",), Relation.GUARDIAN),
    **dict.fromkeys(("其他", "其它"), Relation.OTHER),
}
_ID_TYPES = {
    "身份证": private.IdType.ID_CARD,
    "居民身份证": private.IdType.ID_CARD,
    "港澳台居民居住证": private.IdType.HK_MACAO_TAIWAN_RESIDENCE_PERMIT,
    "外国人永久居留身份证": private.IdType.FOREIGN_PERMANENT_RESIDENCE_CARD,
    "港澳居民来往内地通行证": private.IdType.HK_MACAO_TRAVEL_PERMIT,
    "台湾居民来往大陆通行证": private.IdType.TAIWAN_TRAVEL_PERMIT,
    "护照": private.IdType.PASSPORT,
}
_RECIPIENT = (
    "name",
    "sex",
    "birth_date",
    "id_type",
    "id_number",
    "birth_certificate_number",
    "certificate_number",
    "household_division",
    "residence_division",
    "address",
    "phone",
)
_GUARDIAN = {
    "name": "guardian_name",
    "id_number": "guardian_id_number",
    "phone": "guardian_phone",
}
_PERSON = (*_RECIPIENT, *_GUARDIAN.values(), "guardian_relation")
_KEPT = 16
_DOSE = ("product", "maker", "lot", "province")
_DAY = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[T ][\d:.]+)?"
)
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+|毫升|微克)")
_UNITS = {"ml": "mL", "毫升": "mL", "ug": "ug", "微克": "ug", "iu": "IU"}


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a row is about, as a registration seals them.

    Attributes:
        recipient: Values of the person.
        guardian: Values of a guardian, empty for none.
        relation: What the guardian is to the child.
    """

    recipient: Mapping[str, str]
    guardian: Mapping[str, str]
    relation: Relation

    @property
    def birth_date(self) -> date:
        """The day of birth."""
        return date.fromisoformat(self.recipient["birth_date"])


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose that a row tells of.

    Attributes:
        clear: Clear fields of a transcribed dose, as JSON values; without ids and evidence.
        typed: The same with the domain's types.
        unit: Who gave it.
        note: Free text, empty for none.
        is_component: Whether the row is one component of a combined vaccine (E-16).
    """

    clear: Mapping[str, Any]
    typed: Mapping[str, Any]
    unit: str
    note: str
    is_component: bool


def read_person(values: Mapping[str, str]) -> Person | None:
    """Return whom a row describes, None where it names nobody.

    Raises:
        DomainError: A value is not what it should be; the fact ``pointer`` names the field.
    """
    if "name" not in values:
        return None
    return _read_person(tuple((name, values[name]) for name in _PERSON if name in values))


@lru_cache(_KEPT)
def _read_person(told: tuple[tuple[str, str], ...]) -> Person:
    """Return whom a row describes; a person's rows mostly stand together, and say the same."""
    values = dict(told)
    recipient = {name: values[name] for name in _RECIPIENT if name in values}
    recipient = _spell(recipient)
    guardian = {name: values[at] for name, at in _GUARDIAN.items() if at in values}
    relation = _choose(_RELATIONS, values.get("guardian_relation", "监护人"), "guardian_relation")
    topic = VaccinationRecord.Registered.TOPIC
    check_private(topic, RECIPIENT, recipient)
    if guardian:
        try:
            check_private(topic, GUARDIAN, guardian)
        except DomainError as refused:
            raise refused.at(f"/guardian{refused.facts.pop('pointer', '')}") from None
    return Person(recipient, guardian, Relation(relation))


def read_dose(
    values: Mapping[str, str], catalogue: Catalogue, source_system: SourceSystem
) -> Dose | None:
    """Return the dose that a row tells of, None where it tells of none.

    Raises:
        DomainError: As ``read_person``; AmbiguousVaccine for a code that systems use differently.
    """
    if "vaccine" not in values and "occurred_on" not in values:
        return None
    stated = values.get("combined_vaccine") or values.get("vaccine", "")
    vaccine = catalogue.vaccine(stated)
    clear: dict[str, Any] = {
        "vaccine": vaccine.code,
        "occurred_on": read_day(values.get("occurred_on", ""), "occurred_on"),
        "source_system": source_system.value,
        **{name: values[name] for name in _DOSE if name in values},
    }
    if re.fullmatch(r"\d{4}", stated):
        clear["national_code"] = stated
    if "dose_number" in values:
        number = values["dose_number"].removeprefix("第").rstrip("剂针次")
        clear["dose_number"] = int(number) if re.fullmatch("[0-9]{1,2}", number) else number
    if "expires_on" in values:
        clear["expires_on"] = read_day(values["expires_on"], "expires_on")
    if "quantity" in values:
        clear["quantity"] = _quantity(values["quantity"])
    clear |= _codes(values, catalogue)
    typed = {name: read_field(DoseTranscribed, name, value) for name, value in clear.items()}
    unit = values.get("unit", UNKNOWN_UNIT)
    is_component = values.get("combined_vaccine", "") not in ("", values.get("vaccine"))
    return Dose(
        clear,
        typed,
        UNKNOWN_UNIT if unit in _PLACEHOLDER_UNITS else unit,
        values.get("note", ""),
        is_component,
    )


def read_sex(text: str) -> str:
    """Return `male` or `female`, however the source writes it.

    Raises:
        MalformedData: It is neither.
    """
    return _choose(_SEXES, text, "sex")


def _spell(recipient: dict[str, str]) -> dict[str, str]:
    """Write sex, birth date and kind of document as the vocabulary has them."""
    spelled = dict(recipient)
    if "sex" in spelled:
        spelled["sex"] = read_sex(spelled["sex"])
    if "birth_date" in spelled:
        spelled["birth_date"] = read_day(spelled["birth_date"], "birth_date")
    if "id_type" in spelled:
        spelled["id_type"] = _choose(_ID_TYPES, spelled["id_type"], "id_type")
    return spelled


def _codes(values: Mapping[str, str], catalogue: Catalogue) -> dict[str, str]:
    """Return site and route as codes; either may be written as its Chinese name."""
    known: dict[str, Mapping[str, Site] | Mapping[str, Route]]
    known = {"site": catalogue.sites, "route": catalogue.routes}
    return {
        name: next((code for code, one in choices.items() if one.name.zh == stated), stated)
        for name, choices in known.items()
        if (stated := values.get(name))
    }


def _choose(choices: Mapping[str, str], text: str, name: str) -> str:
    found = choices.get(text, text.lower())
    if found not in choices.values():
        raise MalformedData(pointer=f"/{name}", reason="not one of the words known for it")
    return str(found)


def read_day(text: str, name: str) -> str:
    """Return a day as YYYY-MM-DD, however the source spells it; the time of day is left out.

    Raises:
        MalformedData: There is no such day; `pointer` is made of `name`.
    """
    match = _DAY.fullmatch(unicodedata.normalize("NFKC", text))
    try:
        year, month, day = (int(part) for part in match.groups() if part) if match else (0, 0, 0)
        return date(year, month, day).isoformat()
    except ValueError:
        raise MalformedData(pointer=f"/{name}", reason="no such day") from None


def _quantity(text: str) -> str:
    match = _QUANTITY.fullmatch(unicodedata.normalize("NFKC", text))
    if match is None:
        raise MalformedData(pointer="/quantity", reason="a number and its unit")
    return f"{match[1]} {_UNITS.get(match[2].lower(), match[2])}"
