"""What is done before a dose and what may follow it: E-2 (law articles 45 and 46)."""

from datetime import date, timedelta

import pytest

from domain.adverse_event import (
    Classification,
    DuplicateAdverseEvent,
    NotAClassifier,
    OnsetBeforeDose,
    UnknownAdverseEvent,
)
from domain.dose_events import Consent, Preparation
from domain.dose_policy import PreparationIncomplete, PreparationMissing
from domain.dose_rules import DoseRules
from domain.dosing import UnknownDose
from domain.organisation import OrganisationKind
from domain.schedules.edition import InvalidRuleFile
from domain.schedules.json_document import parse_document
from domain.vocabulary import SourceSystem
from tests.spec.actors import CLINIC, DOSE, TODAY, at, facts, give, handle, record

RULES = DoseRules.load()
IN_FORCE = date(2019, 12, 1)
DONE = Preparation(consent=Consent.PAPER, health_asked=True, matched=True)
EVENT = handle(90)


def prepared(day, preparation=None, **changes):
    stated = {"occurred_on": day, "expires_on": date(2030, 1, 1), **changes}
    return give(
        record(), date(2020, 6, 1), knowing=facts(rules=RULES), preparation=preparation, **stated
    )


class TestPreparation:
    """接种前告知、询问、三查."""

    def test_before_the_law_nothing_need_be_said(self):
        assert prepared(IN_FORCE - timedelta(days=1)).dose(DOSE)

    def test_from_the_laws_first_day_on_it_must_be_said(self):
        with pytest.raises(PreparationMissing) as refused:
            prepared(IN_FORCE)
        assert refused.value.facts["rules"] == "cn-2019-dose"
        assert prepared(IN_FORCE, DONE).dose(DOSE)

    @pytest.mark.parametrize("missing", ["health_asked", "matched"])
    @pytest.mark.parametrize("day", [IN_FORCE - timedelta(days=1), IN_FORCE])
    def test_nothing_is_given_unasked_or_unmatched(self, day, missing):
        done = {"consent": Consent.ELECTRONIC, "health_asked": True, "matched": True}
        with pytest.raises(PreparationIncomplete):
            prepared(day, Preparation(**{**done, missing: False}))

    def test_a_dose_after_a_bite_was_prepared_in_its_own_system(self):
        bite = {"vaccine": "Rabies", "route": "IM", "source_system": SourceSystem.BITE_INJURY}
        assert prepared(IN_FORCE, **bite).dose(DOSE)

    def test_a_rule_file_names_sources_that_exist(self):
        head = (
            '{"id": "a", "version": 1, "title": {"zh": "一", "en": "one"}, "source": {},'
            ' "effective_from": "2020-01-01", "effective_to": null, "prepared_from": '
        )
        with pytest.raises(InvalidRuleFile):
            DoseRules.read(parse_document(f'{head}{{"paper-mill": "2020-01-01"}}}}'.encode()))


def report(child, onset=TODAY, dose=DOSE, event=EVENT):
    child.report_adverse_event(
        recorded_at=at(TODAY + timedelta(days=2)),
        adverse_event=event,
        dose=dose,
        onset_on=onset,
        is_serious=False,
        organisation=CLINIC,
    )
    return child


def classify(child, by=OrganisationKind.COUNTY_CDC, event=EVENT):
    child.classify_adverse_event(
        by=by,
        recorded_at=at(TODAY + timedelta(days=3)),
        adverse_event=event,
        classification=Classification.COMMON,
        organisation=CLINIC,
    )
    return child


class TestAdverseEvents:
    """疑似预防接种异常反应."""

    def test_it_is_linked_to_its_dose_and_classified_later(self):
        child = report(give(record()))
        assert child.adverse_events[EVENT].dose == DOSE
        assert child.adverse_events[EVENT].classification is None
        assert classify(child).adverse_events[EVENT].classification is Classification.COMMON

    @pytest.mark.parametrize("days", [-1, 3])
    def test_it_begins_after_the_dose_and_not_tomorrow(self, days):
        with pytest.raises(OnsetBeforeDose):
            report(give(record()), TODAY + timedelta(days=days))

    def test_there_is_such_a_dose(self):
        with pytest.raises(UnknownDose):
            report(give(record()), dose=handle(91))

    def test_it_is_reported_once(self):
        with pytest.raises(DuplicateAdverseEvent):
            report(report(give(record())))

    def test_only_a_cdc_classifies(self):
        with pytest.raises(NotAClassifier):
            classify(report(give(record())), OrganisationKind.CLINIC)

    def test_only_what_was_reported_is_classified(self):
        with pytest.raises(UnknownAdverseEvent):
            classify(give(record()))
