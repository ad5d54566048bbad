"""Twenty mistakes that clinics make, and what came of each request to put one right."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.calendar import add_months
from examples.kaifeng.making.dose_lines import ADMINISTERED, TRANSCRIBED, Written, packaging
from examples.kaifeng.making.draw import Draw
from examples.kaifeng.making.lines import Json
from examples.kaifeng.making.numbers import Numbers
from examples.kaifeng.making.organisations import CLINICS
from examples.kaifeng.making.programme import CHECK_DAY, GROUPS
from examples.kaifeng.making.vaccines import PRODUCTS, RIGHT_ARM

Difference = Callable[[Written, Draw, Numbers], tuple[Json, Json]]
"""Other values for a dose: clear fields and personal ones."""

Fits = Callable[[Written], bool]
MOST_DAYS_OFF = 4


@dataclass(frozen=True)
class Mistake:
    """A kind of mistake and what came of it.

    Attributes:
        reason: code of the request.
        fits: which doses it can happen to.
        differs: the other values; None where the dose is to be struck out.
        is_recorded: whether the other values stand in the record and the request asks for the
            true ones; else the request asks for the other values.
        is_urgent: effective at once, for safety.
        by_guardian: found by a guardian, who brings evidence to the clinic (C-22).
        outcome: applied, rejected or withdrawn.
        outcome_reason: code of a rejection or withdrawal.
        note: what the clinic wrote down.
    """

    reason: str
    fits: Fits
    differs: Difference | None = None
    is_recorded: bool = True
    is_urgent: bool = False
    by_guardian: bool = False
    outcome: str = "applied"
    outcome_reason: str | None = None
    note: str | None = None


def _plain(*vaccines: str) -> Fits:
    """Fit doses of children of the usual kind, so that no other example is disturbed."""

    def fits(written: Written) -> bool:
        return (
            written.topic == ADMINISTERED
            and written.child.shape in {"on-time", "late"}
            and written.dose.on + timedelta(days=MOST_DAYS_OFF) < CHECK_DAY
            and written.dose.vaccine in vaccines
        )

    return fits


def _second_entry(shape: str, topic: str) -> Fits:
    """Fit the second entry of one dose under one date."""

    def fits(written: Written) -> bool:
        dose = written.dose
        is_second = not dose.fills and dose.vaccine in GROUPS
        return written.child.shape == shape and written.topic == topic and is_second

    return fits


def _is_wrong_product(written: Written) -> bool:
    return written.child.shape == "wrong-product" and (
        (written.dose.vaccine, written.dose.number) == THIRD_OF_GROUP_A
    )


THIRD_OF_GROUP_A = ("MPSV-A", 3)
"""The programme has two."""


def _lot(written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    lot = str(written.data["lot"])
    return {"lot": f"{lot[:-1]}{(int(lot[-1]) + 1) % 10}"}, {}


def _day(written: Written, draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    moved = timedelta(days=draw.between(1, MOST_DAYS_OFF))
    at = datetime.fromisoformat(str(written.private["occurred_at"])) + moved
    return {"occurred_on": str(written.dose.on + moved)}, {"occurred_at": at.isoformat()}


def _maker(_written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    return {"maker": "长春生物"}, {}


def _entered_as_mr(written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    clinic = written.child.clinic
    return {**packaging(PRODUCTS["MR"], written.dose.on, clinic), "dose_number": 2}, {}


def _in_truth_group_ac(written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    clinic = written.child.clinic
    return {**packaging(PRODUCTS["MPSV-AC"], written.dose.on, clinic), "dose_number": 1}, {}


def _site(_written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    return {"site": RIGHT_ARM}, {}


def _quantity(_written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    return {"quantity": "5.0 mL"}, {}


def _expiry(written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    expires_on = datetime.fromisoformat(str(written.data["expires_on"])).date()
    return {"expires_on": str(add_months(expires_on, 12))}, {}


def _vaccinator(written: Written, _draw: Draw, _numbers: Numbers) -> tuple[Json, Json]:
    clinic = CLINICS[written.child.clinic.number]
    others = [name for name in clinic.vaccinators if name != written.private["vaccinator"]]
    return {}, {"vaccinator": others[0]}


def _package(written: Written, draw: Draw, numbers: Numbers) -> tuple[Json, Json]:
    tracing = str(written.private["package_code"])[2:7]
    return {}, {"package_code": numbers.package(tracing, draw)}


_lots = _plain("DTaP", "HepB", "JE-L", "MPSV-A")
_days = _plain("DTaP", "MPSV-A", "HepA-L", "MMR")

MISTAKES = (
    Mistake("wrong-lot", _lots, _lot),
    Mistake("wrong-lot", _lots, _lot),
    Mistake("wrong-lot", _lots, _lot, note="交接班核对时发现批号录入错误。"),
    Mistake("wrong-lot", _lots, _lot, by_guardian=True),
    Mistake("wrong-date", _days, _day),
    Mistake("wrong-date", _days, _day, by_guardian=True, note="家长出示接种证，日期与系统不符。"),
    Mistake("wrong-date", _days, _day, by_guardian=True),
    Mistake("wrong-maker", _plain("DTaP"), _maker),
    Mistake("duplicate-entry", _second_entry("entered-twice", ADMINISTERED)),
    Mistake("duplicate-entry", _second_entry("entered-twice", ADMINISTERED)),
    Mistake("duplicate-entry", _second_entry("copied", TRANSCRIBED), note="补录时未发现已有记录。"),
    Mistake(
        "wrong-vaccine",
        _plain("MMR"),
        _entered_as_mr,
        is_urgent=True,
        note="实际接种麻腮风疫苗，录为麻风疫苗。",
    ),
    Mistake("wrong-vaccine", _is_wrong_product, _in_truth_group_ac, is_recorded=False),
    Mistake("wrong-site", _plain("MR", "MPSV-A", "HepA-L"), _site),
    Mistake("wrong-quantity", _plain("DTaP", "MR"), _quantity),
    Mistake("wrong-expiry", _plain("JE-L", "HepB"), _expiry),
    Mistake("wrong-vaccinator", _plain("HepB", "DTaP", "JE-L"), _vaccinator),
    Mistake("wrong-package-code", _plain("HepB", "DTaP", "JE-L"), _package),
    Mistake(
        "wrong-date",
        _days,
        _day,
        is_recorded=False,
        by_guardian=True,
        outcome="rejected",
        outcome_reason="evidence-contradicts",
    ),
    Mistake(
        "wrong-lot",
        _lots,
        _lot,
        is_recorded=False,
        outcome="withdrawn",
        outcome_reason="requested-in-error",
    ),
)
