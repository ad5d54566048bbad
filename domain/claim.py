"""Who may claim an electronic certificate: the policy as data, and its reasons (C-5 to C-14).

The codes of the refusals are the reason vocabulary of certificate rules; each says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from domain.calendar import completed_age
from domain.errors import DomainError
from domain.roll import Roll
from domain.vocabulary import PersonKind, SourceSystem

CITY_DIGITS = 4


class NotLoggedIn(DomainError):
    """Nobody is logged in: do so first."""

    code = "not_logged_in"
    zh = "请先登录。"


class FaceNotVerified(DomainError):
    """The person was not verified by face: do so first."""

    code = "face_not_verified"
    zh = "请先完成人脸验证。"


class NoConsent(DomainError):
    """The person did not consent to the claim: read it, and agree."""

    code = "no_consent"
    zh = "请阅读并勾选同意后申领。"


class NoArchive(DomainError):
    """There is no vaccination record for this person: have a clinic open one."""

    code = "no_archive"
    zh = "未查询到预防接种档案，请携带接种证到居住地预防接种门诊建档。"


class NotPilotCity(DomainError):
    """The record is not managed in a city of the pilot: use the paper certificate."""

    code = "not_pilot_city"
    zh = "档案不在试点城市管理，暂不能申领，请使用纸质预防接种证。"


class ArchiveNotActive(DomainError):
    """The record is not on the active roll: ask the clinic to put it there."""

    code = "archive_not_active"
    zh = "档案不在册，请到预防接种门诊办理在册管理。"


class ArchiveInMaternity(DomainError):
    """The record is still with the maternity ward: have it moved, claim the day after."""

    code = "archive_in_maternity"
    zh = "档案仍在产科，请转入儿童预防接种门诊后次日申领。"


class BornBeforeCutoff(DomainError):
    """The child was born before the first birth date: use the paper certificate."""

    code = "born_before_cutoff"
    zh = "儿童出生日期早于可申领的起始日期，请使用纸质预防接种证。"


class Under18(DomainError):
    """The person is not of age: a parent claims the certificate of a child."""

    code = "under_18"
    zh = "未满18周岁，不能申领成人电子预防接种证，请由父母申领儿童的。"


class NoDoseAfterCutoff(DomainError):
    """There is no dose since the first day for adults: claim after the next one."""

    code = "no_dose_after_cutoff"
    zh = "起始日期以来没有可显示的接种记录，请在下次接种后申领。"


class OwnIdNotOnFile(DomainError):
    """The record holds no identity number of the person: have a clinic enter it."""

    code = "own_id_not_on_file"
    zh = "档案未登记本人有效身份证号，请到预防接种门诊补登。"


class ParentIdNotOnFile(DomainError):
    """The record holds no identity number of a parent: have a clinic enter it."""

    code = "parent_id_not_on_file"
    zh = "儿童档案未登记父母有效身份证号，请到预防接种门诊补登。"


class IdMismatch(DomainError):
    """The identity number on file is not the verified one: ask the clinic."""

    code = "id_mismatch"
    zh = "档案登记的身份证号与实名认证的不一致，请联系预防接种单位核实。"


class ParentIdMismatch(DomainError):
    """No parent's identity number on file is the verified one: ask the clinic."""

    code = "parent_id_mismatch"
    zh = "档案登记的父母身份证号与申领人的不一致，请联系预防接种单位核实。"


class EffectiveNextDay(DomainError):
    """The identity was entered today; it counts from tomorrow on."""

    code = "effective_next_day"
    zh = "身份信息登记后次日生效，请明日再申领。"


class AlreadyClaimed(DomainError):
    """The certificate has been claimed; ask its holder for a grant."""

    code = "already_claimed"
    zh = "该电子预防接种证已被申领，请联系持有人授权。"


@dataclass(frozen=True)
class ClaimPolicy:
    """The dates, cities and numbers of certificate rules; the defaults are `nantong-2024`.

    Attributes:
        name: id of the policy.
        child_born_from: first birth date of eligible children, included (C-5, X-1).
        adult_age: completed years of adults (C-6).
        adult_dose_from: first day of the dose that an adult needs, included (C-6, X-1).
        sources_not_shown: source systems whose doses do not count (C-20).
        cities: first four digits of the divisions where certificates are issued; None is
            everywhere (C-8).
        max_grants: how many persons a holder may let use a certificate (C-17).
        identity_next_day: whether identity counts only from the next day on (C-23, C-24).
    """

    name: str = "nantong-2024"
    child_born_from: date = date(2017, 1, 1)
    adult_age: int = 18
    adult_dose_from: date = date(2020, 12, 1)
    sources_not_shown: frozenset[SourceSystem] = frozenset({SourceSystem.BITE_INJURY})
    cities: frozenset[str] | None = frozenset({"3206", "3202"})
    max_grants: int = 10
    identity_next_day: bool = True


NANTONG_2024 = ClaimPolicy()


@dataclass(frozen=True)
class ClaimFacts:
    """What is known when someone claims a certificate, in the order of the checks.

    Attributes:
        kind: whether a child's or an adult's is claimed.
        is_logged_in: by the platform.
        is_face_verified: by the platform's identity provider.
        has_consented: to the claim (C-12).
        division: division of the record; None if there is no record.
        roll: where the record stands on the roll today.
        is_in_maternity: whether the maternity ward still manages it (C-24).
        birth_date: the recipient's, opened for this decision.
        doses: day and source system of each dose as effective today.
        is_id_on_file: an adult's own number, or a parent's number of a child (C-9, C-10).
        is_id_matching: whether such a number is the claimant's verified one.
        identity_effective_on: first day on which that identity counts, if known.
        is_claimed: whether the record has a certificate with a holder (C-14).
    """

    kind: PersonKind
    birth_date: date
    division: str | None
    roll: Roll | None
    is_id_on_file: bool
    is_id_matching: bool
    is_logged_in: bool = True
    is_face_verified: bool = True
    has_consented: bool = True
    is_in_maternity: bool = False
    doses: tuple[tuple[date, SourceSystem], ...] = field(default=())
    identity_effective_on: date | None = None
    is_claimed: bool = False


def check_claim(facts: ClaimFacts, policy: ClaimPolicy, today: date) -> None:
    """Check a claim; the first rule that is broken answers.

    Raises:
        DomainError: one of this module.
    """
    _check_person(facts)
    _check_archive(facts, policy)
    if facts.kind is PersonKind.CHILD:
        _check_child(facts, policy)
    else:
        _check_adult(facts, policy, today)
    counts_from = facts.identity_effective_on
    if policy.identity_next_day and counts_from is not None and today < counts_from:
        raise EffectiveNextDay(counts_from=counts_from.isoformat())
    if facts.is_claimed:
        raise AlreadyClaimed


def _check_person(facts: ClaimFacts) -> None:
    if not facts.is_logged_in:
        raise NotLoggedIn
    if not facts.is_face_verified:
        raise FaceNotVerified
    if not facts.has_consented:
        raise NoConsent


def _check_archive(facts: ClaimFacts, policy: ClaimPolicy) -> None:
    if facts.division is None:
        raise NoArchive
    if policy.cities is not None and facts.division[:CITY_DIGITS] not in policy.cities:
        raise NotPilotCity(policy=policy.name)
    if facts.roll not in (Roll.ACTIVE, Roll.TEMPORARY, Roll.MATERNITY):
        raise ArchiveNotActive(roll=facts.roll.value if facts.roll else None)
    if facts.is_in_maternity or facts.roll is Roll.MATERNITY:
        raise ArchiveInMaternity


def _check_child(facts: ClaimFacts, policy: ClaimPolicy) -> None:
    if facts.birth_date < policy.child_born_from:
        raise BornBeforeCutoff(born_from=policy.child_born_from.isoformat())
    if not facts.is_id_on_file:
        raise ParentIdNotOnFile
    if not facts.is_id_matching:
        raise ParentIdMismatch


def _check_adult(facts: ClaimFacts, policy: ClaimPolicy, today: date) -> None:
    if completed_age(facts.birth_date, today) < policy.adult_age:
        raise Under18(age=policy.adult_age)
    counting = (
        day >= policy.adult_dose_from and source not in policy.sources_not_shown
        for day, source in facts.doses
    )
    if not any(counting):
        raise NoDoseAfterCutoff(dose_from=policy.adult_dose_from.isoformat())
    if not facts.is_id_on_file:
        raise OwnIdNotOnFile
    if not facts.is_id_matching:
        raise IdMismatch
