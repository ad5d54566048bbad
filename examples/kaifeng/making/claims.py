"""Ten certificates claimed by a parent, twelve grants, and an eleventh that must be refused."""

from domain.identity import Sex
from examples.kaifeng.making import names
from examples.kaifeng.making.child import Child, Cohort
from examples.kaifeng.making.draw import Draw, uuid7
from examples.kaifeng.making.families import Guardian
from examples.kaifeng.making.lines import Json, members, sealed
from examples.kaifeng.making.numbers import Numbers
from examples.kaifeng.making.programme import CHECK_DAY

CLAIMS = 10
MOST_GRANTS = 10
PARENTS = ("mother", "father")
OTHER_GRANTS = 2
RELATIONS: tuple[tuple[str, str, Sex], ...] = (
    ("grandmother", "奶奶", "female"),
    ("grandfather", "爷爷", "male"),
    ("grandmother", "外婆", "female"),
    ("grandfather", "外公", "male"),
    ("relative", "姑姑", "female"),
    ("relative", "舅舅", "male"),
    ("relative", "小姨", "female"),
    ("other", "邻居", "female"),
    ("other", "保姆", "female"),
    ("other", "家庭医生", "male"),
    ("relative", "叔叔", "male"),
)
"""Relation by its code, in the holder's words, and the grantee's sex."""

SCOPES = (["view"], ["view", "show-code"], ["view", "show-code", "book"])
ENDS_ON = "2030-08-31"
OLDER_BY = (20, 50)


def claims_and_grants(children: Cohort, numbers: Numbers) -> Json:
    """Return claims with the applicant's verified identity, and grants in their order."""
    claimed = _claimed(children)
    grants = [
        _grant(claimed[0], turn, numbers, "granted" if turn < MOST_GRANTS else "refused")
        for turn in range(MOST_GRANTS + 1)
    ]
    others = claimed[1 : 1 + OTHER_GRANTS]
    grants.extend(_grant(child, 0, numbers, "granted") for child in others)
    return {"claims": [_claim(child) for child in claimed], "grants": grants}


def _claimed(children: Cohort) -> Cohort:
    """Return children of different families, each with a parent whose number is on file (C-10)."""
    fitting = [
        child
        for child in children
        if child.admission == "new" and not child.has("sibling") and _numbered(child)
    ]
    return Draw("claims").order(fitting)[:CLAIMS]


def _numbered(child: Child) -> list[Guardian]:
    return [each for each in child.family.guardians if each.id_number and each.relation in PARENTS]


def _claim(child: Child) -> Json:
    holder = _numbered(child)[0]
    return {
        "certificate": str(_certificate(child)),
        "data": members(
            record=child.record,
            kind="child",
            division=child.clinic.division,
            holder=holder.handle,
        ),
        "applicant": {"name": holder.name, "id_number": holder.id_number},
    }


def _certificate(child: Child) -> object:
    return uuid7(f"{child.label}/certificate")


def _grant(child: Child, turn: int, numbers: Numbers, expected: str) -> Json:
    label = f"{child.label}/grant/{turn}"
    draw = Draw(label)
    relation, wording, sex = RELATIONS[turn]
    year = CHECK_DAY.year - draw.between(*OLDER_BY)
    born = draw.day(CHECK_DAY.replace(year=year), CHECK_DAY.replace(year=year, month=12))
    grantee = uuid7(f"{label}/person")
    return {
        "certificate": str(_certificate(child)),
        "data": members(
            grant=uuid7(label),
            grantee=grantee,
            relation=relation,
            scope=SCOPES[turn % len(SCOPES)],
            ends_on=ENDS_ON if turn % len(SCOPES) == 1 else None,
        ),
        "private": sealed(
            grantee,
            members(
                name=names.adult_name(names.surname(draw), sex, draw),
                id_number=numbers.id_number(born, sex, draw),
                phone=numbers.phone(draw),
                relation=wording,
            ),
        ),
        "expected": expected,
    }
