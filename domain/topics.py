"""All topics: their event classes, what may be sealed in each and for whom, and the catalogue."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, get_type_hints
from uuid import UUID

from domain import private
from domain.access_journal import AccessJournal
from domain.adverse_event import Reaction
from domain.appointment import Appointment
from domain.appointment_values import Finding
from domain.certificate import Certificate
from domain.check_statement import CheckStatement
from domain.codec import DERIVED, FRAME, MalformedData
from domain.contraindication import Kind
from domain.correction import Correction
from domain.enrolment import Enrolment
from domain.grant import MissingIdNumber, MissingName, MissingPhone, MissingRelation
from domain.log_key import LogKey
from domain.log_succession import LogSuccession
from domain.organisation import Organisation
from domain.paper_comparison import PaperComparison
from domain.preparation import Preparation
from domain.private import Vocabulary
from domain.register_report import RegisterReport
from domain.roll_up_report import RollUpReport
from domain.sealed import Fact
from domain.shape import field_docs, split_optional, summary
from domain.slot_supply import SlotSupply
from domain.vaccination_record import VaccinationRecord
from domain.visit import Visit

AGGREGATES = (
    Organisation,
    VaccinationRecord,
    Correction,
    Certificate,
    Enrolment,
    CheckStatement,
    PaperComparison,
    Preparation,
    RegisterReport,
    RollUpReport,
    LogKey,
    LogSuccession,
    AccessJournal,
    SlotSupply,
    Appointment,
    Visit,
)

EVENTS: Mapping[str, type[Fact]] = MappingProxyType(
    {
        event.TOPIC: event
        for aggregate in AGGREGATES
        for event in vars(aggregate).values()
        if isinstance(event, type) and issubclass(event, Fact) and event.TOPIC
    }
)
"""Event class by topic, in the order of the catalogue."""

RECIPIENT = "recipient"
GUARDIAN = "guardian"
GRANTEE = "grantee"
BOOKED_FOR = "booked-for"
BOOKER = "booker"

_GUARDIAN = {
    "name": private.NAME,
    "id_type": private.choice(private.IdType).optional(),
    "id_number": private.ID_NUMBER.optional(),
    "phone": private.PHONE.optional(),
}
_RECIPIENT = {
    "name": private.NAME,
    "sex": private.choice(private.Sex),
    "birth_date": private.DATE,
    "id_type": private.choice(private.IdType).optional(),
    "id_number": private.ID_NUMBER.optional(),
    "birth_certificate_number": private.BIRTH_CERTIFICATE.optional(),
    "certificate_number": private.CERTIFICATE_NUMBER.optional(),
    "household_division": private.DIVISION.optional(),
    "residence_division": private.DIVISION.optional(),
    "address": private.text(200).optional(),
    "phone": private.PHONE.optional(),
}
_ENTERED = {
    "entered_by": private.text(
        255, "account of who entered it at a page, where the platform signs"
    ).optional(),
}
_STEP = Vocabulary(_ENTERED, required=False)
_BOOKER = {
    "name": private.NAME,
    "id_number": private.ID_NUMBER,
    "phone": private.PHONE.optional(),
}
_BOOKED_FOR = {
    **_BOOKER,
    "household_division": private.DIVISION.optional(),
    "residence_division": private.DIVISION,
    "detail_address": private.text(200),
    "contraindications": private.SLUGS.optional(),
    **_ENTERED,
}
_DOSE = {
    "vaccinator": private.NAME,
    "occurred_at": private.INSTANT,
    "package_code": private.PACKAGE_CODE,
    "health": private.NOTE.optional(),
    "note": private.NOTE.optional(),
}
_TRANSCRIBED_DOSE = {
    "unit": private.text(100),
    "transcriber": private.NAME,
    "evidence_salt": private.HEX32,
    "note": private.NOTE.optional(),
}
_CORRECTABLE_SEALED = {**_DOSE, "unit": private.text(100)}
_CHANGED_DOSE = {
    "before": private.partial(_CORRECTABLE_SEALED).optional(),
    "after": private.partial(_CORRECTABLE_SEALED).optional(),
}


def _changed(fields: Mapping[str, private.Field]) -> Vocabulary:
    return Vocabulary({"before": private.partial(fields, 0), "after": private.partial(fields)})


SEALED_FIELDS: Mapping[str, Mapping[str, Vocabulary]] = MappingProxyType(
    {
        "vaccination-record.registered.v1": {
            RECIPIENT: Vocabulary({**_RECIPIENT, **_ENTERED}),
            GUARDIAN: Vocabulary(_GUARDIAN),
        },
        "vaccination-record.guardian-added.v1": {GUARDIAN: Vocabulary(_GUARDIAN)},
        "vaccination-record.dose-administered.v1": {RECIPIENT: Vocabulary({**_DOSE, **_ENTERED})},
        "vaccination-record.dose-transcribed.v1": {RECIPIENT: Vocabulary(_TRANSCRIBED_DOSE)},
        "vaccination-record.contraindication-recorded.v1": {
            RECIPIENT: Vocabulary({"kind": private.choice(Kind), "note": private.NOTE.optional()}),
        },
        "vaccination-record.adverse-event-reported.v1": {
            RECIPIENT: Vocabulary(
                {"reaction": private.choice(Reaction), "note": private.NOTE.optional()}
            ),
        },
        "vaccination-record.identity-amended.v1": {
            RECIPIENT: _changed(_RECIPIENT),
            GUARDIAN: _changed(_GUARDIAN),
        },
        "vaccination-record.dose-corrected.v1": {
            RECIPIENT: Vocabulary(_CHANGED_DOSE, required=False),
        },
        "correction.requested.v1": {
            RECIPIENT: Vocabulary(
                {
                    "note": private.NOTE.optional(),
                    "evidence_salt": private.HEX32.optional(),
                    **_CHANGED_DOSE,
                    **_ENTERED,
                },
                required=False,
            ),
        },
        **{
            f"correction.{step}.v1": {RECIPIENT: _STEP}
            for step in ("verified", "applied", "rejected", "withdrawn")
        },
        **{
            f"visit.{step}.v1": {RECIPIENT: _STEP}
            for step in ("registered", "vaccinated", "observed", "left")
        },
        "certificate.granted.v1": {
            GRANTEE: Vocabulary(
                {
                    "name": private.NAME.or_raise(MissingName),
                    "id_number": private.ID_NUMBER.or_raise(MissingIdNumber),
                    "phone": private.PHONE.or_raise(MissingPhone),
                    "relation": private.text(20).or_raise(MissingRelation),
                }
            ),
        },
        "appointment.held.v1": {
            BOOKED_FOR: Vocabulary(_BOOKED_FOR),
            BOOKER: Vocabulary(_BOOKER),
        },
        **{f"appointment.{step}.v1": {BOOKED_FOR: _STEP} for step in ("redeemed", "called-off")},
        "appointment.followed-up.v1": {
            BOOKED_FOR: Vocabulary(
                {
                    "finding": private.choice(Finding),
                    "note": private.NOTE.optional(),
                    **_ENTERED,
                }
            ),
        },
        "appointment.verified.v1": {
            BOOKED_FOR: Vocabulary(
                {"id_number": private.ID_NUMBER.optional(), **_ENTERED}, required=False
            ),
        },
    }
)
"""What is sealed: topic -> role of the person -> vocabulary. Topics not listed seal nothing."""


def check_private(topic: str, role: str, values: object) -> dict[str, Any]:
    """Check the personal values of one person for one event and give them types.

    Raises:
        MalformedData: with `pointer` into `values`; also when nothing may be sealed there.
        InvalidIdNumber, InvalidPhoneNumber, InvalidBirthCertificateNumber: with `pointer`.
        BirthDateMismatch, SexMismatch: the number says otherwise.
        MissingName, MissingIdNumber, MissingPhone, MissingRelation: of a grantee (C-16).
    """
    vocabulary = SEALED_FIELDS.get(topic, {}).get(role)
    if vocabulary is None:
        raise MalformedData(pointer="", reason=f"{topic} seals nothing for a {role}")
    return private.check_identity(private.read_fields(vocabulary.fields, values))


def people(
    topic: str,
    fields: Mapping[str, Any],
    *,
    recipient: UUID | None = None,
    guardians: Collection[UUID] = (),
) -> dict[UUID, str]:
    """Name the persons for whom an event may seal values, each with the role.

    Args:
        topic: topic of the event.
        fields: its clear fields, as `codec.statement_fields` gives them.
        recipient: handle of the record's recipient, where the record exists already.
        guardians: handles of the record's guardians, likewise.
    """
    if topic not in SEALED_FIELDS:
        return {}
    if topic == "vaccination-record.registered.v1":
        handles = {guardian.person: GUARDIAN for guardian in fields["guardians"]}
        return {**handles, fields["recipient"]: RECIPIENT}
    if topic == "certificate.granted.v1":
        return {fields["grantee"]: GRANTEE}
    if topic == "vaccination-record.guardian-added.v1":
        return {fields["person"]: GUARDIAN}
    known = {**dict.fromkeys(guardians, GUARDIAN), **({recipient: RECIPIENT} if recipient else {})}
    if topic == "vaccination-record.identity-amended.v1":
        return {handle: role for handle, role in known.items() if handle == fields["person"]}
    return {handle: role for handle, role in known.items() if role == RECIPIENT}


def check_people(topic: str, expected: Mapping[UUID, str], sealed: Collection[UUID]) -> None:
    """Check that an event seals values for exactly the persons that its topic wants.

    Raises:
        MalformedData: someone is missing, or someone does not belong.
    """
    for handle in sealed:
        if handle not in expected:
            raise MalformedData(
                pointer=f"/{handle}", reason=f"{topic} seals nothing for this person"
            )
    for handle, role in expected.items():
        if SEALED_FIELDS[topic][role].required and handle not in sealed:
            raise MalformedData(pointer=f"/{handle}", reason=f"values of the {role} are required")


def catalogue_markdown() -> str:
    """Write the event catalogue: topic by topic what is clear, sealed and derived."""
    lines = [
        "# Event catalogue",
        "",
        "Generated by `domain.topics.catalogue_markdown`; a test compares. Optional fields are",
        "marked `?`. Clear fields are what an author signs; sealed fields are committed to in the",
        "signature and stored encrypted for each person; derived fields are the server's. JSON",
        "Schemas and examples: `tests/golden/events/`.",
    ]
    for topic, event in EVENTS.items():
        lines += ["", f"## {topic}", "", summary(event), "", *_fields(event)]
        for role, vocabulary in SEALED_FIELDS.get(topic, {}).items():
            lines += ["", *_sealed(role, vocabulary)]
    return "\n".join(lines) + "\n"


def _fields(event: type[Fact]) -> list[str]:
    clear, derived = [], []
    for field in dataclasses.fields(event):
        if field.name == DERIVED:
            derived = _derived(event)
        elif field.name not in FRAME:
            mark = "" if field.default is dataclasses.MISSING else "?"
            clear.append(f"| `{field.name}{mark}` | {field_docs(event)[field.name]} |")
    table = ["| clear | |", "| --- | --- |", *clear]
    return [*table, "", "| derived | |", "| --- | --- |", *derived] if derived else table


def _derived(event: type[Fact]) -> list[str]:
    cls, _ = split_optional(get_type_hints(event)[DERIVED])
    docs = field_docs(cls)
    return [
        f"| `{field.name}{'' if field.default is dataclasses.MISSING else '?'}` "
        f"| {docs[field.name]} |"
        for field in dataclasses.fields(cls)
    ]


def _sealed(role: str, vocabulary: Vocabulary) -> list[str]:
    need = "" if vocabulary.required else ", if anything"
    return [
        f"| sealed for the {role}{need} | |",
        "| --- | --- |",
        *(
            f"| `{name}{'' if field.required else '?'}` | {field.what} |"
            for name, field in vocabulary.fields.items()
        ),
    ]
