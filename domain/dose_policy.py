"""What is refused of a dose, whether it is new, transcribed or corrected.

The same checks stand behind a new dose and behind a corrected one: nothing may be corrected into
what could not have been entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.calendar import civil_day
from domain.dose import (
    CORRECTABLE,
    CORRECTABLE_SEALED,
    REQUIRED,
    DoseState,
    field_value,
)
from domain.dose_events import Change, Preparation
from domain.dose_rules import DoseRules
from domain.errors import AmbiguousVaccine, DomainError, UnknownVaccine, shown
from domain.organisation import NotAClinic, OrganisationKind
from domain.schedules.catalogue import Catalogue
from domain.vocabulary import SourceSystem

TRANSCRIBED_SOURCES = frozenset({SourceSystem.PAPER, SourceSystem.OTHER_PROVINCE})
"""Sources whose doses nobody here gave: they are transcribed, with evidence (C-26)."""

EMPTY_YEAR = 1900
"""The year that spreadsheets make of an empty date."""
PLACEHOLDER_YEARS = range(1981, 1987)
"""Years into which other systems write contraindicated, ill or too old (E-11)."""


class DoseBeforeBirth(DomainError):
    """The dose lies before the birth."""

    code = "dose-before-birth"
    zh = "接种日期早于出生日期。"


class DoseInFuture(DomainError):
    """The dose lies in the future."""

    code = "dose-in-future"
    zh = "接种日期晚于今天。"


class DoseAfterDeath(DomainError):
    """The dose lies after the death of the recipient."""

    code = "dose-after-death"
    zh = "接种日期晚于死亡日期。"


class PlaceholderDate(DomainError):
    """This date is a placeholder of other systems and no day on which a dose was given."""

    code = "placeholder-date"
    zh = "该日期为其他系统的占位日期，不是接种日期。"


class BeforeVaccineExisted(DomainError):
    """This vaccine did not exist yet on that day."""

    code = "before-vaccine-existed"
    zh = "该日期尚无此疫苗。"


class LotExpired(DomainError):
    """The package had expired on the day of the dose."""

    code = "lot-expired"
    zh = "接种当日疫苗已过有效期。"


class SiteNotAllowed(DomainError):
    """This vaccine is not given at this site."""

    code = "site-not-allowed"
    zh = "该疫苗不在此部位接种。"


class RouteNotAllowed(DomainError):
    """This vaccine is not given by this route."""

    code = "route-not-allowed"
    zh = "该疫苗不采用此接种途径。"


class NationalCodeMismatch(DomainError):
    """The national code stands for another vaccine."""

    code = "national-code-mismatch"
    zh = "疫苗编码与疫苗种类不一致。"


class TimeNotOnDay(DomainError):
    """The exact time of the dose lies on another day than its date."""

    code = "time-not-on-day"
    zh = "接种时刻与接种日期不一致。"


class EvidenceRequired(DomainError):
    """A dose from paper or another province is transcribed, with its evidence."""

    code = "evidence-required"
    zh = "来自纸质证或外省的接种记录须凭证据补录。"


class PreparationMissing(DomainError):
    """It must be said how this dose was prepared: consent, questions about health, the match."""

    code = "preparation-missing"
    zh = "须记录接种前的知情同意、健康询问和三查结果。"


class PreparationIncomplete(DomainError):
    """Nothing is given before people were asked and person, certificate and vaccine matched."""

    code = "preparation-incomplete"
    zh = "未询问健康状况或受种者、接种证、疫苗三者未核对一致，不得接种。"


class FieldNotCorrectable(DomainError):
    """This field cannot be corrected."""

    code = "field-not-correctable"
    zh = "该字段不可更正。"


class CurrentStateDiffers(DomainError):
    """The value before is not the current one; look again and correct that."""

    code = "current-state-differs"
    zh = "更正前的值与当前记录不符，请查看当前记录后重新提出。"


class NothingChanges(DomainError):
    """The correction changes nothing."""

    code = "nothing-changes"
    zh = "更正前后没有变化。"


@dataclass(frozen=True)
class DoseFacts:
    """What the policies of a dose must know beside its clear fields.

    Attributes:
        catalogue: the vaccine catalogue in force.
        birth_date: the recipient's birth date, opened for this decision.
        clinic_kind: what the organisation is that gives or transcribes.
        occurred_at: the exact time, opened for this decision.
        rules: what must be done before a dose; none where it is only corrected.
    """

    catalogue: Catalogue
    birth_date: date
    clinic_kind: OrganisationKind = OrganisationKind.CLINIC
    occurred_at: datetime | None = None
    rules: DoseRules | None = None


def check_preparation(fields: Mapping[str, Any], facts: DoseFacts) -> None:
    """Check what a clinic says it did before a dose (E-2).

    Raises:
        PreparationMissing, PreparationIncomplete: as they say.
    """
    preparation: Preparation | None = fields.get("preparation")
    if preparation is None:
        source, day = fields["source_system"], fields["occurred_on"]
        if facts.rules is not None and facts.rules.must_be_prepared(source, day):
            raise PreparationMissing(rules=facts.rules.edition.id, source_system=source.value)
    elif not (preparation.health_asked and preparation.matched):
        raise PreparationIncomplete


def check_dose(state: DoseState, facts: DoseFacts, died_on: date | None, today: date) -> None:
    """Check a dose as it is to read, whether new, transcribed or corrected.

    Args:
        state: the dose.
        facts: what must be known beside it.
        died_on: day of the recipient's death, if the roll knows one.
        today: civil day of our clock.

    Raises:
        DomainError: NotAClinic, EvidenceRequired, UnknownVaccine, NationalCodeMismatch,
            PlaceholderDate, DoseBeforeBirth, DoseInFuture, DoseAfterDeath, TimeNotOnDay,
            BeforeVaccineExisted, LotExpired, SiteNotAllowed or RouteNotAllowed.
    """
    if facts.clinic_kind is not OrganisationKind.CLINIC:
        raise NotAClinic(kind=facts.clinic_kind.value)
    if not state.is_transcribed and state.source_system in TRANSCRIBED_SOURCES:
        raise EvidenceRequired(source_system=state.source_system.value)
    _check_day(state, facts, died_on, today)
    _check_product(state, facts.catalogue)


def _check_day(state: DoseState, facts: DoseFacts, died_on: date | None, today: date) -> None:
    day = state.occurred_on
    if day.year == EMPTY_YEAR or (day.year in PLACEHOLDER_YEARS and day < facts.birth_date):
        raise PlaceholderDate(occurred_on=day.isoformat())
    if day < facts.birth_date:
        raise DoseBeforeBirth(occurred_on=day.isoformat())  # the birth date is sealed
    if day > today:
        raise DoseInFuture(occurred_on=day.isoformat(), today=today.isoformat())
    if died_on is not None and day > died_on:
        raise DoseAfterDeath(occurred_on=day.isoformat(), died_on=died_on.isoformat())
    if facts.occurred_at is not None and civil_day(facts.occurred_at) != day:
        raise TimeNotOnDay(occurred_on=day.isoformat())
    if state.expires_on is not None and day > state.expires_on:
        raise LotExpired(occurred_on=day.isoformat(), expires_on=state.expires_on.isoformat())


def _check_product(state: DoseState, catalogue: Catalogue) -> None:
    if state.vaccine not in catalogue:
        raise UnknownVaccine(vaccine=shown(state.vaccine))
    vaccine = catalogue.vaccines[state.vaccine]
    if vaccine.not_before is not None and state.occurred_on < vaccine.not_before:
        raise BeforeVaccineExisted(vaccine=vaccine.code, not_before=vaccine.not_before.isoformat())
    if state.site is not None and state.site not in vaccine.sites:
        raise SiteNotAllowed(vaccine=vaccine.code, site=state.site, allowed=list(vaccine.sites))
    if state.route is not None and state.route not in vaccine.routes:
        raise RouteNotAllowed(vaccine=vaccine.code, route=state.route, allowed=list(vaccine.routes))
    if state.national_code is not None:
        _check_national_code(state.national_code, vaccine.code, catalogue)


def _check_national_code(national_code: str, vaccine: str, catalogue: Catalogue) -> None:
    """Systems differ on some codes (E-17): any of their meanings will do."""
    try:
        meanings = [catalogue.vaccine(national_code).code]
    except AmbiguousVaccine as ambiguous:
        meanings = ambiguous.facts["candidates"]
    if vaccine not in meanings:
        raise NationalCodeMismatch(national_code=national_code, vaccine=vaccine, means=meanings)


def check_changes(current: DoseState, changes: tuple[Change, ...], *, and_sealed: bool) -> None:
    """Check that a correction starts from the current state and changes something.

    Args:
        current: the dose with all that is known.
        changes: clear changes.
        and_sealed: whether sealed fields change as well.

    Raises:
        FieldNotCorrectable, CurrentStateDiffers, NothingChanges: as they say.
        codec.MalformedData: a value has not the form of its field.
    """
    names = [change.field for change in changes]
    if not changes and not and_sealed:
        raise NothingChanges
    for change in changes:
        if change.field not in CORRECTABLE or names.count(change.field) > 1:
            raise FieldNotCorrectable(field=change.field)
        if change.field in REQUIRED and change.after is None:
            raise FieldNotCorrectable(field=change.field, reason="may not be empty")
        now = getattr(current, change.field)
        if field_value(change.field, change.before) != now:
            raise CurrentStateDiffers(field=change.field, current=None if now is None else str(now))
        if change.before == change.after:
            raise NothingChanges(field=change.field)


def check_sealed_changes(
    current: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Check the sealed half of a correction against the opened current values.

    No fact repeats a value.

    Raises:
        FieldNotCorrectable, CurrentStateDiffers, NothingChanges: as they say.
    """
    for name in before.keys() | after.keys():
        if name not in CORRECTABLE_SEALED:
            raise FieldNotCorrectable(field=shown(name))
        if before.get(name) != current.get(name):
            raise CurrentStateDiffers(field=name)
        if before.get(name) == after.get(name):
            raise NothingChanges(field=name)
