"""A line for each dose, as the clinic writes it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from hmac import digest

from domain.calendar import SHANGHAI, completed_months
from examples.kaifeng.making.child import Child
from examples.kaifeng.making.draw import Draw, uuid7
from examples.kaifeng.making.lines import Json, members, sealed
from examples.kaifeng.making.numbers import Numbers
from examples.kaifeng.making.organisations import CLINICS, Clinic
from examples.kaifeng.making.programme import Dose
from examples.kaifeng.making.vaccines import Product, product

ADMINISTERED = "vaccination-record.dose-administered.v1"
TRANSCRIBED = "vaccination-record.dose-transcribed.v1"

OPENING = (time(8, 0), time(14, 30))
HALF_DAY_MINUTES = 150
NOTE_PERCENT = 2
NOTES = ("接种后留观30分钟，无不适。", "接种时哭闹，留观后离开。", "家长咨询下一剂时间，已告知。")
UNIT_NAMES = {
    "32": "江苏省",
    "33": "浙江省",
    "44": "广东省",
    "37": "山东省",
    "81": "香港特别行政区",
}
WITHOUT_PACKAGE_PERCENT = 35
"""Transcribed doses of which the paper tells neither maker nor lot."""


@dataclass(frozen=True)
class Written:
    """A dose as it was written down.

    Attributes:
        child: whose dose.
        dose: what happened.
        topic: administered or transcribed.
        data: clear fields.
        private: personal values of the recipient.
    """

    child: Child
    dose: Dose
    topic: str
    data: Json
    private: Json

    @property
    def line(self) -> Json:
        """The line in the file."""
        return {
            "record": str(self.child.record),
            "topic": self.topic,
            "data": self.data,
            "private": sealed(self.child.recipient, self.private),
        }

    @property
    def order(self) -> tuple[str, str, str]:
        """By occurrence; within a day by time, then by id."""
        return (
            str(self.data["occurred_on"]),
            str(self.private.get("occurred_at", "")),
            str(self.data["dose"]),
        )

    def but(self, **changes: object) -> "Written":
        """Return it with other clear fields."""
        return replace(self, data={**self.data, **members(**changes)})


def write_doses(child: Child, doses: list[Dose], numbers: Numbers, *, series: str) -> list[Written]:
    """Write down doses of one child.

    Args:
        child: the child.
        doses: in the order in which they were given.
        numbers: gives out package codes.
        series: tells the ids of doses from those of make-ups.
    """
    return [
        _write(child, dose, numbers, f"{child.label}/{series}/{turn}", turn)
        for turn, dose in enumerate(doses)
    ]


def clinic_of(child: Child, dose: Dose) -> Clinic:
    """Return who writes a dose: the managing clinic, or the one near the school (S-15)."""
    return CLINICS[2 * child.institution.township] if dose.source == "near-school" else child.clinic


def _write(child: Child, dose: Dose, numbers: Numbers, label: str, turn: int) -> Written:
    draw = Draw(label)
    given = product(dose.vaccine, dose.on)
    clinic = clinic_of(child, dose)
    lot, expires_on = given.lot(dose.on, clinic.number)
    data = members(
        dose=uuid7(label),
        vaccine=dose.vaccine,
        national_code=given.national_code,
        dose_number=dose.number,
        product=given.name,
        maker=given.maker,
        lot=lot,
        expires_on=expires_on,
        occurred_on=dose.on,
        site=given.site(completed_months(child.birth, dose.on), turn),
        route=given.route,
        quantity=given.quantity,
        clinic=clinic.id,
        source_system="programme" if dose.source == "near-school" else dose.source,
    )
    if dose.source in {"paper", "other-province"}:
        return _transcribed(child, dose, data, draw)
    private = _given(
        clinic, dose.on, numbers.package(given.tracing, draw), _minutes(child, dose), draw
    )
    return Written(child, dose, ADMINISTERED, data, private)


def _minutes(child: Child, dose: Dose) -> int:
    """Return when on the day: one visit has one time."""
    return Draw(f"{child.label}/{dose.on}").below(2 * HALF_DAY_MINUTES)


def _given(clinic: Clinic, day: date, package: str, minutes: int, draw: Draw) -> Json:
    half, within = divmod(minutes, HALF_DAY_MINUTES)
    start = datetime.combine(day, OPENING[half], SHANGHAI)
    at = start + timedelta(minutes=within, seconds=draw.between(0, 240))
    return members(
        vaccinator=draw.pick(clinic.vaccinators),
        occurred_at=at.isoformat(),
        package_code=package,
        note=draw.pick(NOTES) if draw.chance(NOTE_PERCENT) else None,
    )


def _transcribed(child: Child, dose: Dose, data: Json, draw: Draw) -> Written:
    salt = draw.hex32()
    kind = "card" if dose.source == "paper" and draw.chance(40) else "certificate"
    if dose.source == "other-province" and draw.chance(25):
        kind = "other-system"
    unit = _unit(child, dose)
    if draw.chance(WITHOUT_PACKAGE_PERCENT):
        data = {name: value for name, value in data.items() if name not in _ON_THE_PACKAGE}
    data = {
        **data,
        **members(province=dose.province, evidence_kind=kind, evidence=evidence(salt, dose, unit)),
    }
    private = members(
        unit=unit, transcriber=draw.pick(child.clinic.vaccinators), evidence_salt=salt
    )
    return Written(child, dose, TRANSCRIBED, data, private)


_ON_THE_PACKAGE = {"product", "maker", "lot", "expires_on", "site", "quantity", "route"}


def _unit(child: Child, dose: Dose) -> str:
    if dose.province is None:
        return child.clinic.name
    number = Draw(f"{child.label}/unit").between(1, 9)
    return f"{UNIT_NAMES[dose.province]}第{number}示例接种单位"


def evidence(salt: str, dose: Dose, unit: str) -> str:
    """Return the digest of the paper's line: HMAC-SHA256 under the salt.

    The evidence of this data set is the line's text, `<vaccine> <date> <unit>` in UTF-8, where in
    life it would be a photograph.
    """
    text = f"{dose.vaccine} {dose.on} {unit}".encode()
    return digest(bytes.fromhex(salt), text, sha256).hex()


def packaging(given: Product, day: date, clinic: Clinic) -> Json:
    """Return the clear fields that follow from a product in use at a clinic on a day."""
    lot, expires_on = given.lot(day, clinic.number)
    return members(
        vaccine=given.vaccine,
        national_code=given.national_code,
        product=given.name,
        maker=given.maker,
        lot=lot,
        expires_on=expires_on,
    )
