"""Asking the rules without writing anything: the code that decides writes answers here too.

Open to everyone: nothing is stored, and nobody's data is read. A birth date and a list of doses
name no person. One is answered at a time, and while many wait, further ones are sent away. What is
asked about one person holds no more than a life does, so that each answer takes a few milliseconds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.body import parse_json, read_body
from api.errors import BodyTooLarge
from api.parts import serving_of
from commands.services import Rules
from domain.booking import question as booking
from domain.certificate_rules import case as certificates
from domain.roll_up import answers as roll_ups
from domain.roll_up import case as roll_up_case
from domain.schedules import immunization_case as immunization
from domain.schedules import school_entry_case as entry
from domain.schedules.edition import Edition
from domain.schedules.finding import Finding
from domain.schedules.immunization_history import evaluate_history
from domain.schedules.json_document import Node
from domain.schedules.school_entry import evaluate

MOST_LISTED = 100
"""Doses, contraindications and the like of one person together: the programme's thirty, and an
influenza dose each year to the age of seventy. A hundred doses take 5 ms, 1,400 took 53 ms."""
MOST_BYTES = 16_384
"""Of what is asked: a class of fifty children takes some 10,000."""

Judge = Callable[[Any, Rules], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """One address that answers.

    Attributes:
        path: Below `/v1/evaluations`.
        operation: Name of the operation in OpenAPI.
        case: The schema of what is asked.
        judge: Answers.
        description: What it answers, for OpenAPI.
        is_of_one: Whether it asks about one person.
    """

    path: str
    operation: str
    case: str
    judge: Judge
    description: str
    is_of_one: bool = True


def _school_entry(values: Any, rules: Rules) -> dict[str, Any]:
    verdict = evaluate(rules.requirements, entry.parse_case(values, rules.requirements))
    return entry.answer(verdict) | {"explanation": entry.explanation(verdict)}


def _schedule(values: Any, _: Rules) -> dict[str, Any]:
    node = Node(values)
    chosen = immunization.schedule_of(node)
    evaluation = evaluate_history(chosen, immunization.parse_question(node, chosen))
    return immunization.answer(evaluation) | {"explanation": immunization.explanation(evaluation)}


def _certificate(values: Any, rules: Rules) -> dict[str, Any]:
    scheme = rules.certificates
    answer = certificates.answer_case(Node(values), scheme, annotated=False)
    return _told(answer.actual, scheme.edition, answer.findings)


def _roll_up(values: Any, rules: Rules) -> dict[str, Any]:
    case = roll_up_case.parse_case(Node(values), rules.roll_up, annotated=False)
    return _told(roll_ups.answer(case, rules.roll_up), rules.roll_up.edition, ())


def _appointment(values: Any, rules: Rules) -> dict[str, Any]:
    answer = booking.answer(rules.booking, Node(values))
    return _told(dict(answer.actual), rules.booking.edition, answer.findings)


def _told(
    actual: dict[str, Any], edition: Edition, findings: tuple[Finding, ...]
) -> dict[str, Any]:
    return {
        "actual": actual,
        "explanation": {
            "rules": {"id": edition.id, "version": edition.version},
            "findings": [finding.describe() for finding in findings],
        },
    }


QUESTIONS = (
    Question(
        "/school-entry",
        "evaluateSchoolEntry",
        "SchoolEntryCase",
        _school_entry,
        "Judge a child by the entry requirements in force: what is missing, and why.",
    ),
    Question(
        "/schedule",
        "evaluateSchedule",
        "ImmunizationCase",
        _schedule,
        "Evaluate each dose of a child by the immunization schedule, and forecast the next ones. "
        "By the schedule that the case names, else by the one in force on the day asked about. "
        "What the facts behind the schedule do not say stands under `explanation.gaps`. "
        f"All lists of a case hold at most {MOST_LISTED} things together (413).",
    ),
    Question(
        "/certificate",
        "evaluateCertificate",
        "CertificateCase",
        _certificate,
        "Ask the rules of electronic certificates: claims, grants, contents, visits.",
    ),
    Question(
        "/roll-up",
        "evaluateRollUp",
        "RollUpCase",
        _roll_up,
        "Ask the rules of registers and roll-ups: subtotals, rows, rates, deadlines.",
        is_of_one=False,
    ),
    Question(
        "/appointment",
        "evaluateAppointment",
        "AppointmentCase",
        _appointment,
        "Ask the booking rules: a whole request, or one of its parts.",
    ),
)


def _listed(values: Any) -> int:
    """How many things all lists hold together."""
    if isinstance(values, dict):
        return sum(map(_listed, values.values()))
    return len(values) + sum(map(_listed, values)) if isinstance(values, list) else 0


def _endpoint(question: Question) -> Callable[[Request], Awaitable[Response]]:
    def answered(raw: bytes, rules: Rules) -> dict[str, Any]:
        values = parse_json(raw)
        if question.is_of_one and _listed(values) > MOST_LISTED:
            raise BodyTooLarge(limit=MOST_LISTED, what="listed")
        return question.judge(values, rules)

    async def judged(request: Request) -> Response:
        raw, serving = await read_body(request, limit=MOST_BYTES), serving_of(request)
        rules = serving.parts.services.rules
        serving.aside.check()
        body = await serving.aside.run(lambda: answered(raw, rules))
        return json_response(body, headers={"Cache-Control": "no-store"})

    return judged


def _takes(schema: str) -> dict[str, Any]:
    """What OpenAPI says of the body."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"requestBody": {"required": True, "content": content}}


router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"])
for _asked in QUESTIONS:
    router.add_api_route(
        _asked.path,
        _endpoint(_asked),
        methods=["POST"],
        operation_id=_asked.operation,
        name=_asked.operation,
        description=_asked.description,
        response_class=Response,
        openapi_extra=_takes(_asked.case),
    )
