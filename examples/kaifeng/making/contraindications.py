"""Contraindications: lasting ones exempt, passing ones postpone (X-5)."""

from datetime import date, timedelta

from domain.calendar import add_months
from examples.kaifeng.making.child import Child
from examples.kaifeng.making.draw import uuid7
from examples.kaifeng.making.lines import Json, members, sealed

TOPIC = "vaccination-record.contraindication-recorded.v1"

LASTING_GROUPS = {
    "contraindicated-live": ("MCV", "JE", "HepA"),
    "contraindicated-pertussis": ("DPT", "DT"),
}
PASSING_GROUPS = {
    "contraindicated-for-now": ("JE", "HepA"),
    "contraindicated-once": ("MCV",),
}
KINDS = {
    "contraindicated-live": ("immunodeficiency", "市级医院确诊，禁用减毒活疫苗。"),
    "contraindicated-pertussis": ("severe-reaction", "接种后出现严重过敏反应，已报告。"),
    "contraindicated-for-now": ("immunodeficiency", "正在接受免疫抑制治疗，停药后补种。"),
    "contraindicated-once": ("acute-illness", None),
}
TREATMENT_ENDS = date(2018, 9, 30)
ILLNESS = timedelta(days=14)


def lasting_groups(child: Child) -> tuple[str, ...]:
    """Return the groups of which the child never gets a dose any more."""
    return LASTING_GROUPS.get(child.shape, ())


def contraindication(child: Child) -> Json | None:
    """Return the child's line, or None for a child without contraindication."""
    if child.shape not in KINDS:
        return None
    groups = LASTING_GROUPS.get(child.shape) or PASSING_GROUPS[child.shape]
    valid_from, valid_to = _period(child)
    kind, note = KINDS[child.shape]
    return {
        "record": str(child.record),
        "topic": TOPIC,
        "data": members(
            contraindication=uuid7(f"{child.label}/contraindication"),
            vaccine_groups=list(groups),
            lasting=child.shape in LASTING_GROUPS,
            valid_from=valid_from,
            valid_to=valid_to,
            clinic=child.clinic.id,
        ),
        "private": sealed(child.recipient, members(kind=kind, note=note)),
    }


def _period(child: Child) -> tuple[date, date | None]:
    if child.shape == "contraindicated-live":
        return add_months(child.birth, 5), None
    if child.shape == "contraindicated-pertussis":
        last = max(dose.on for dose in child.doses if dose.vaccine == "DTaP")
        return last + timedelta(days=1), None
    if child.shape == "contraindicated-for-now":
        return add_months(child.birth, 17), TREATMENT_ENDS
    ill_on = add_months(child.birth, 18)
    return ill_on, ill_on + ILLNESS
