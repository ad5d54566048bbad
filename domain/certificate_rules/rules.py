"""A certificate scheme as a versioned rule file, validated whole when it is loaded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from domain import claim
from domain.claim import CITY_DIGITS, ClaimPolicy
from domain.schedules.edition import Edition, InvalidRuleFile, Wording
from domain.schedules.json_document import Node, load_document
from domain.vocabulary import SourceSystem

NEWEST = "nantong-2024"

CHECK_ORDER: tuple[str, ...] = tuple(
    refusal.code
    for refusal in (
        *(claim.NotLoggedIn, claim.FaceNotVerified, claim.NoConsent),
        *(claim.NoArchive, claim.NotPilotCity, claim.ArchiveNotActive, claim.ArchiveInMaternity),
        *(claim.BornBeforeCutoff, claim.Under18, claim.NoDoseAfterCutoff),
        *(claim.ParentIdNotOnFile, claim.OwnIdNotOnFile),
        *(claim.ParentIdMismatch, claim.IdMismatch),
        *(claim.EffectiveNextDay, claim.AlreadyClaimed),
    )
)
"""The order in which `claim.check_claim` finds reasons; a file that wants another is refused."""

REASONS: tuple[str, ...] = (
    *CHECK_ORDER,
    *("not_claimed", "not_holder", "adult_not_grantable", "grant_to_holder", "already_granted"),
    *("missing_name", "missing_id_number", "missing_phone", "missing_relation", "grant_limit"),
    *("only_vaccination_unit_corrects", "channel_not_offered"),
)
"""Every reason of a refusal: codes of the errors that claims, grants and the rest raise."""

OCCASIONS: tuple[str, ...] = ("leave_province", "return_to_province", "local_visit")
"""When paper is spoken of (C-25, C-26, C-28)."""

_DIVISION = re.compile(rf"[0-9]{{{CITY_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Channel:
    """A way by which a certificate may be claimed (C-11).

    Attributes:
        code: Its name.
        aliases: Other names of the same.
        title: What people call it.
    """

    code: str
    aliases: tuple[str, ...]
    title: Wording


@dataclass(frozen=True, slots=True)
class HiddenSource:
    """A source system whose doses are not shown, until it is linked (C-20).

    Attributes:
        source: The system.
        shown_from: First day on which its doses show; None while that is open.
        sentence: What the holder is told.
    """

    source: SourceSystem
    shown_from: date | None
    sentence: Wording

    def is_hidden(self, on: date | None) -> bool:
        """Tell whether its doses are hidden on a day; without a day, until it is linked."""
        return self.shown_from is None or (on is not None and on < self.shown_from)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a holder is told to do.

    Attributes:
        code: Its name.
        rule: Number of the rule.
        sentence: The advice in words.
    """

    code: str
    rule: str
    sentence: Wording


@dataclass(frozen=True, slots=True)
class CertificateRules:
    """An edition of the rules of electronic certificates.

    Attributes:
        edition: Which file, and when it is in force.
        channels: Where one may claim.
        reasons: Number of the rule behind each reason of a refusal.
        cities: Names of the cities whose archives are eligible, by the first digits of divisions.
        claims: The policy of claims and grants while no hidden source is linked.
        hidden: Source systems that are not shown, with their switch dates.
        visit_steps: What one show code carries a visit through (C-19).
        advice: What to do about paper, by the occasion (C-25, C-26, C-28).
        notices: Sentences that go with every certificate (C-4, C-27).
    """

    edition: Edition
    channels: tuple[Channel, ...]
    cities: Mapping[str, Wording]
    reasons: Mapping[str, str]
    claims: ClaimPolicy
    hidden: tuple[HiddenSource, ...]
    visit_steps: tuple[Wording, ...]
    advice: Mapping[str, Advice]
    notices: Mapping[str, Advice]

    @classmethod
    def load(cls, name: str = NEWEST) -> "CertificateRules":
        """Return a shipped edition, validated whole; read once a process."""
        return _load(name)

    @classmethod
    def read(cls, document: Node) -> "CertificateRules":
        """Read an edition and check it.

        Raises:
            InvalidRuleFile: When it contradicts itself or asks for what is not implemented; other
                `DomainError`s for its form.
        """
        found = document.members(
            (
                *(*Edition.MEMBERS, "channels", "cities", "child_born_from", "adult_age"),
                *("adult_dose_from", "identity_next_day", "sources_not_shown", "max_grants"),
                *("check_order", "reasons", "visit_steps", "advice", "notices"),
            )
        )
        edition = Edition.read(found)
        if found["check_order"].texts() != CHECK_ORDER:
            raise InvalidRuleFile(reason="another order of checks than the one implemented").at(
                found["check_order"].pointer
            )
        cities = _cities(found["cities"])
        hidden = tuple(_hidden(item) for item in found["sources_not_shown"].items())
        return cls(
            edition=edition,
            channels=_channels(found["channels"]),
            cities=cities,
            reasons={code: node.text() for code, node in found["reasons"].members(REASONS).items()},
            claims=ClaimPolicy(
                name=edition.id,
                child_born_from=found["child_born_from"].day(),
                adult_age=found["adult_age"].integer(least=1),
                adult_dose_from=found["adult_dose_from"].day(),
                sources_not_shown=frozenset(one.source for one in hidden if one.is_hidden(None)),
                cities=frozenset(cities),
                max_grants=found["max_grants"].integer(least=1),
                identity_next_day=found["identity_next_day"].boolean(),
            ),
            hidden=hidden,
            visit_steps=tuple(Wording.read(item) for item in found["visit_steps"].items()),
            advice=_advice(found["advice"]),
            notices=_notices(found["notices"]),
        )

    def claims_on(self, day: date) -> ClaimPolicy:
        """Return the policy of claims and grants on a day: doses of linked systems count (C-20)."""
        return replace(self.claims, sources_not_shown=self.sources_not_shown(day))

    def sources_not_shown(self, on: date | None = None) -> frozenset[SourceSystem]:
        """Return the source systems whose doses are not shown on a day (C-20).

        Args:
            on: Civil day; without one, those that have no day yet from which they show.
        """
        return frozenset(one.source for one in self.hidden if one.is_hidden(on))


@cache
def _load(name: str) -> CertificateRules:
    return CertificateRules.read(load_document(f"{name}.certificate.json"))


def _channels(node: Node) -> tuple[Channel, ...]:
    channels: list[Channel] = []
    names: set[str] = set()
    for item in node.items():
        found = item.members(("code", "aliases", "zh", "en"))
        title = Wording(found["zh"].text(), found["en"].text())
        channel = Channel(found["code"].text(), found["aliases"].texts(), title)
        own = {channel.code, *channel.aliases}
        if own & names:
            raise InvalidRuleFile(reason="a channel is named twice").at(item.pointer)
        names |= own
        channels.append(channel)
    return tuple(channels)


def _cities(node: Node) -> dict[str, Wording]:
    cities: dict[str, Wording] = {}
    for item in node.items():
        found = item.members(("division", "zh", "en"))
        division = found["division"].text()
        if not _DIVISION.fullmatch(division) or division in cities:
            raise InvalidRuleFile(reason="a city has four digits of its own").at(item.pointer)
        cities[division] = Wording(found["zh"].text(), found["en"].text())
    if not cities:
        raise InvalidRuleFile(reason="no city issues certificates").at(node.pointer)
    return cities


def _hidden(node: Node) -> HiddenSource:
    found = node.members(("source", "shown_from", "zh", "en"))
    day = found["shown_from"]
    return HiddenSource(
        source=SourceSystem(found["source"].choice(tuple(SourceSystem))),
        shown_from=None if day.value is None else day.day(),
        sentence=Wording(found["zh"].text(), found["en"].text()),
    )


def _advice(node: Node) -> dict[str, Advice]:
    advice = {}
    for occasion, item in node.members(OCCASIONS).items():
        found = item.members(("code", "rule", "zh", "en"))
        sentence = Wording(found["zh"].text(), found["en"].text())
        advice[occasion] = Advice(found["code"].text(), found["rule"].text(), sentence)
    return advice


def _notices(node: Node) -> dict[str, Advice]:
    notices = {}
    for code, item in node.members(("absence", "difference")).items():
        found = item.members(("rule", "zh", "en"))
        sentence = Wording(found["zh"].text(), found["en"].text())
        notices[code] = Advice(code, found["rule"].text(), sentence)
    return notices
