"""A question about booking as JSON, the same for HTTP, files and the command line.

What is asked shows in the members: a whole request, or one of its parts (the window of dose 2, an
address, a person booked for, a visit, the events of a booking, the day of a reminder).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from domain.booking.address import judge_address, judge_proxy
from domain.booking.arrival import Arrival, judge_visit
from domain.booking.course import window_after
from domain.booking.decision import Decision, decide
from domain.booking.hours import read_moment, read_slot
from domain.booking.lifecycle import Event, follow
from domain.booking.objection import Objection
from domain.booking.reminder import reminder_day
from domain.booking.request_document import (
    read_civil_day,
    read_fields,
    read_filled_in,
    read_request,
)
from domain.booking.rules import WARNING, BookingRules
from domain.errors import DomainError
from domain.schedules.finding import Finding
from domain.schedules.json_document import MissingMember, Node

_DAYS = ("appointment_date", "today")

_ABOUT_THE_DAY = (None, "interval_too_short", WARNING)
"""Reasons beside which the window of the dose is told."""

_SOME_DAY = date(2000, 1, 1)
"""Stands on both sides where slot and arrival are given by their hours only."""


class UnknownQuestion(DomainError):
    """The members do not tell what is asked."""

    code = "unknown-question"
    zh = "无法识别所问的预约事项。"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules say.

    Attributes:
        actual: The JSON object that interfaces show.
        findings: The reasons as sentences, the first the one that `actual` names.
    """

    actual: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()


def answer(rules: BookingRules, question: Node) -> Answer:
    """Answer one question.

    Raises:
        DomainError: The first fault of the question, with its JSON pointer.
    """
    asked = question.entries()
    for marks, reply in _REPLIES:
        if any(mark in asked for mark in marks):
            return reply(rules, question)
    raise UnknownQuestion().at(question.pointer)


def describe(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON.

    Always ``decision`` and ``reason``; ``defer`` beside a contraindication; the window where the
    dose asked for is the one due and nothing but its day speaks for or against it.
    """
    shown_members: dict[str, Any] = {"decision": decision.outcome.value, "reason": decision.reason}
    if decision.reason == "contraindicated":
        shown_members["defer"] = decision.defers
    if decision.window is not None and decision.reason in _ABOUT_THE_DAY:
        shown_members["earliest"] = decision.window.earliest.isoformat()
        shown_members["recommended_by"] = _written(decision.window.recommended_by)
    return shown_members


def _decision(rules: BookingRules, question: Node) -> Answer:
    decision = decide(rules, read_request(rules, question))
    return Answer(describe(decision), decision.findings)


def _window(rules: BookingRules, question: Node) -> Answer:
    """Give the window of a later dose from the day of dose 1; a course of one dose has none.

    Of dose 2, unless another is asked for; those between are taken as given on their first day.
    """
    found = question.members(("product", "dose1"), ("dose_number",))
    course = rules.course(found["product"].choice(rules.courses))
    first_on = read_civil_day(found["dose1"])
    number = found["dose_number"].integer(least=2) if "dose_number" in found else 2
    if number > course.doses:
        return Answer({"earliest": None, "recommended_by": None})
    last_on = first_on + (number - 2) * timedelta(days=course.min_days)
    window = window_after(course, number, first_on, last_on)
    return Answer(
        {
            "earliest": window.earliest.isoformat(),
            "recommended_by": _written(window.recommended_by),
        }
    )


def _address(rules: BookingRules, question: Node) -> Answer:
    text = read_filled_in(question.members(("detail_address",))["detail_address"])
    return _validity(rules, *judge_address(text, rules.address_characters))


def _proxy(rules: BookingRules, question: Node) -> Answer:
    fields = read_fields(question.members(("proxy_for",))["proxy_for"], rules.proxy_fields)
    return _validity(rules, *judge_proxy(fields, rules.proxy_fields, rules.address_characters))


def _validity(rules: BookingRules, *objections: Objection) -> Answer:
    findings = tuple(rules.finding(objection) for objection in objections)
    return Answer({"valid": not objections}, findings)


def _events(rules: BookingRules, question: Node) -> Answer:
    names = question.members(("events",))["events"].items()
    progress = follow(Event(name.choice(tuple(Event))) for name in names)
    if progress.objection is not None:
        finding = rules.finding(progress.objection)
        return Answer({"valid": False, "reason": finding.code}, (finding,))
    state = None if progress.state is None else progress.state.value
    return Answer({"final_state": state, "valid": True})


def _visit(rules: BookingRules, question: Node) -> Answer:
    """Say whether the dose may be given; what is not spoken of is not asked about."""
    found = question.members((), ("id_card", "consent_signed", "slot", "arrived", *_DAYS))
    day = read_civil_day(found["appointment_date"]) if "appointment_date" in found else _SOME_DAY
    has_hours = "arrived" in found
    if has_hours and "slot" not in found:
        raise MissingMember(member="slot").at(question.pointer)
    arrival = Arrival(
        slot=read_slot(found["slot"], day) if has_hours else None,
        arrived=read_moment(found["arrived"], day) if has_hours else None,
        has_id_card="id_card" not in found or found["id_card"].boolean(),
        has_signed_consent="consent_signed" not in found or found["consent_signed"].boolean(),
    )
    findings = tuple(rules.finding(objection) for objection in judge_visit(arrival))
    reason = findings[0].code if findings else None
    return Answer({"may_vaccinate": not findings, "reason": reason}, findings)


def _reminder(rules: BookingRules, question: Node) -> Answer:
    found = question.members(("appointment_date",), ("today", "slot"))
    today = read_civil_day(found["today"]) if "today" in found else None
    on = read_civil_day(found["appointment_date"])
    return Answer({"reminder_on": _written(reminder_day(on, rules.reminder_days_before, today))})


def _written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


_REPLIES: tuple[tuple[tuple[str, ...], Callable[[BookingRules, Node], Answer]], ...] = (
    (("person",), _decision),
    (("events",), _events),
    (("id_card", "consent_signed", "arrived"), _visit),
    (("dose1",), _window),
    (("proxy_for",), _proxy),
    (("detail_address",), _address),
    (("appointment_date",), _reminder),
)
"""What is asked, by the members that only such a question has; the first that fits."""
