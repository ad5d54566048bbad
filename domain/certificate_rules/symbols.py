"""The symbols of cases in our own terms: cities, units, systems and persons by their names.

Cases name a person by any text, such as ``ID-M``; two texts that differ are two persons. A word
that stands for no unit, status or role of ours never opens anything: it is a stranger, not on the
roll, or not a pilot city.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.certificate_rules.rules import CertificateRules
from domain.certificate_rules.visit import Presenter
from domain.claim import ClaimFacts
from domain.organisation import OrganisationKind
from domain.roll import Roll
from domain.vocabulary import PersonKind, SourceSystem

SYSTEMS: Mapping[str, SourceSystem] = {
    "adult_child": SourceSystem.PROGRAMME,
    "rabies_exposure": SourceSystem.BITE_INJURY,
    "other_province": SourceSystem.OTHER_PROVINCE,
    **{source.value: source for source in SourceSystem},
}
"""Source systems (C-20)."""

UNITS: Mapping[str, OrganisationKind] = {
    **dict.fromkeys(
        (
            *("vaccination_unit", "vaccination_clinic", "child_clinic", "adult_clinic", "unit"),
            *("maternity", "接种单位", "预防接种单位"),
        ),
        OrganisationKind.CLINIC,
    ),
    **{kind.value: kind for kind in OrganisationKind},
    **{kind.value.replace("-", "_"): kind for kind in OrganisationKind},
}
"""Who may ask for a correction, as organisations; everyone else is a citizen (C-22)."""

CLINICS = frozenset({"child_clinic", "adult_clinic", "clinic"})
MATERNITY = "maternity"
"""Who holds an archive: one of the clinics, or a maternity ward however it is called (C-24)."""

PRESENTERS: Mapping[str, Presenter] = {
    **dict.fromkeys(("holder", "claimant", "applicant", "self", "parent"), Presenter.HOLDER),
    "grantee": Presenter.GRANTEE,
}
"""Who shows a code; everyone else is another."""

_ROLLS: Mapping[str, Roll] = {roll.value: roll for roll in Roll}


def roll(status: str) -> Roll:
    """Return where a status of an archive stands on the roll (C-8)."""
    return _ROLLS.get(status.replace("_", "-"), Roll.MOVED_OUT)


def division(city: str | None, rules: CertificateRules) -> str:
    """Return the division of a city by its name; of a city that the rules do not name, nowhere."""
    for digits, name in rules.cities.items():
        if city in (name.zh, name.en, name.zh.removesuffix("市")):
            return digits
    return ""


def handle(person: str) -> UUID:
    """Return the handle of a person: one a name."""
    return uuid5(NAMESPACE_OID, same_case(person))


def same_case(number: str) -> str:
    """Return a number as it is compared: the check character X is written small as well."""
    return number.strip().upper()


def counts_from(*entered_on: date | None) -> date | None:
    """Return the first day on which an identity counts: the day after the last step (C-23, C-24).

    Args:
        *entered_on: Days on which the archive was opened, moved to the child clinic and given the
            parents' numbers, as far as they are known.
    """
    days = [day for day in entered_on if day is not None]
    return max(days) + timedelta(days=1) if days else None


def eligible(kind: PersonKind, rules: CertificateRules) -> ClaimFacts:
    """Return the facts of a claim that every rule allows: how a held certificate came to be."""
    policy = rules.claims
    is_child = kind is PersonKind.CHILD
    return ClaimFacts(
        kind=kind,
        birth_date=policy.child_born_from if is_child else date.min,
        division=next(iter(rules.cities), ""),
        roll=Roll.ACTIVE,
        is_id_on_file=True,
        is_id_matching=True,
        doses=((policy.adult_dose_from, SourceSystem.PROGRAMME),),
    )
