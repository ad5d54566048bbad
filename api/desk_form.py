"""What the desk's forms hold, as writes: fields by name, empty ones left out."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from api.errors import MalformedForm
from commands.counter import Form
from commands.principal import Principal
from domain.calendar import SHANGHAI
from domain.correction_events import CorrectionKind, RequestedBy
from domain.dose_events import Consent
from domain.roll import Roll
from domain.schedules.catalogue import Catalogue
from domain.vocabulary import PersonKind, SourceSystem, Urgency

CORRECTED = (
    "vaccine",
    "occurred_on",
    "dose_number",
    "product",
    "maker",
    "lot",
    "expires_on",
    "site",
    "route",
    "quantity",
)
"""Fields of a dose that the desk corrects."""
PACKAGE = ("product", "maker", "lot", "expires_on", "site", "route", "quantity")
"""What is the same for the next dose out of a box."""

_RECIPIENT = (
    "name",
    "sex",
    "birth_date",
    "id_type",
    "id_number",
    "birth_certificate_number",
    "certificate_number",
    "household_division",
    "residence_division",
    "phone",
    "address",
)
_GUARDIAN = {
    "name": "guardian_name",
    "id_type": "guardian_id_type",
    "id_number": "guardian_id_number",
    "phone": "guardian_phone",
}
_SEARCHED = ("id_number", "birth_certificate_number", "certificate_number", "name", "birth_date")

Fields = Mapping[str, str]


def search_of(fields: Fields) -> dict[str, str]:
    """Return what is searched for."""
    return _given(fields, _SEARCHED)


def registration_form(caller: Principal, fields: Fields) -> Form:
    """Return the registration of a child or an adult at the caller's clinic.

    The form's key is the record's id, so it is one record however often it is sent.
    """
    record = _key(fields)
    recipient, guardian = uuid5(record, "recipient"), uuid5(record, "guardian")
    private: dict[UUID, Mapping[str, Any]] = {recipient: _identity(fields, _RECIPIENT)}
    values = _identity({name: fields.get(at, "") for name, at in _GUARDIAN.items()}, _GUARDIAN)
    if values:
        private[guardian] = values
    kind = PersonKind(_one(fields, "kind", [member.value for member in PersonKind]))
    born = fields.get("birth_date", "")[:4]
    data = {
        "kind": kind.value,
        "recipient": str(recipient),
        "guardians": [{"person": str(guardian), "relation": fields.get("guardian_relation", "")}]
        if values
        else [],
        "birth_year": int(born) if born.isdecimal() else 0,
        "managing_organisation": str(caller.organisation),
        "division": caller.division,
        "roll": Roll.ACTIVE.value,
    }
    topic = "vaccination-record.registered.v1"
    return Form(caller, record, topic, record, 0, data, private)


def dose_form(
    caller: Principal, record: UUID, recipient: UUID, fields: Fields, catalogue: Catalogue
) -> Form:
    """Return a dose given at the caller's clinic; the form's key is its id, so it is one dose.

    Raises:
        MalformedForm: The form names no version, key or time.
        DomainError: It names no vaccine that the catalogue knows.
    """
    key = _key(fields)
    at = _local(fields.get("occurred_at", ""))
    data: dict[str, Any] = {
        "dose": str(key),
        "vaccine": catalogue.vaccine(fields.get("vaccine", "").strip()).code,
        "occurred_on": at.date().isoformat(),
        "clinic": str(caller.organisation),
        "source_system": SourceSystem.PROGRAMME.value,
        "preparation": {
            "consent": _one(fields, "consent", [member.value for member in Consent]),
            "health_asked": "health_asked" in fields,
            "matched": "matched" in fields,
        },
        **_given(fields, PACKAGE),
    }
    if fields.get("dose_number", "").isdecimal():
        data["dose_number"] = int(fields["dose_number"][:3])
    values = {
        **_given(fields, ("vaccinator", "package_code", "health", "note")),
        "occurred_at": at.isoformat(timespec="seconds"),
    }
    topic = "vaccination-record.dose-administered.v1"
    return Form(caller, key, topic, record, _version(fields), data, {recipient: values})


def correction_form(
    caller: Principal, fields: Fields, shown: Mapping[str, Any], dose: Mapping[str, Any]
) -> Form:
    """Return the request to correct a dose to what the form says, strike it out, or reinstate it.

    Args:
        caller: Who asks.
        fields: Of the form; a field left empty is emptied.
        shown: The record as it stands.
        dose: The dose as it stands.
    """
    kind = _one(fields, "kind", [member.value for member in CorrectionKind])
    key = _key(fields)
    data = {
        "record": str(shown["record"]),
        "dose": str(dose["dose"]),
        "division": shown["division"],
        "kind": kind,
        "changes": list(_changes(fields, dose)) if kind == CorrectionKind.AMEND else [],
        "urgency": Urgency.NEXT_DAY.value,
        "reason": fields.get("reason", ""),
        "requested_by": _one(fields, "requested_by", [member.value for member in RequestedBy]),
        "clinic": str(caller.organisation),
    }
    return Form(caller, key, "correction.requested.v1", key, 0, data, {})


def decision_form(caller: Principal, correction: UUID, step: str, fields: Fields) -> Form:
    """Return the next step of a correction: verified, applied, rejected or withdrawn."""
    data = {"clinic": str(caller.organisation)}
    if step in {"rejected", "withdrawn"}:
        data["reason"] = fields.get("reason", "")
    topic = f"correction.{step}.v1"
    return Form(caller, _key(fields), topic, correction, _version(fields), data, {})


def visit_form(
    caller: Principal, visit: UUID, step: str, fields: Fields, given: Collection[UUID]
) -> Form:
    """Return the next step of a visit: registered, vaccinated, observed or left.

    Args:
        caller: Who enters it.
        visit: Which visit.
        step: Last part of the topic's name.
        fields: Of the form.
        given: The doses that may be ticked.
    """
    data: dict[str, Any] = {}
    if step == "registered":
        data = _given(fields, ("appointment",))
    elif step == "vaccinated":
        data["doses"] = [str(dose) for dose in given if f"dose-{dose}" in fields]
    elif step == "observed":
        data = {name: name in fields for name in ("has_reaction", "left_early")}
    elif step == "left":
        data["reason"] = fields.get("reason", "")
    return Form(caller, _key(fields), f"visit.{step}.v1", visit, _version(fields), data, {})


def _changes(fields: Fields, dose: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for name in CORRECTED:
        before = "" if dose[name] is None else str(dose[name])
        after = fields.get(name, before).strip()
        if before != after:
            both = {"field": name, "before": before, "after": after}
            yield {name: text for name, text in both.items() if text}


def _identity(fields: Fields, names: Iterable[str]) -> dict[str, str]:
    """The values of a person; a kind of document, which is always chosen, goes with its number."""
    values = _given(fields, names)
    if "id_number" not in values:
        values.pop("id_type", None)
    return values


def _given(fields: Fields, names: Iterable[str]) -> dict[str, str]:
    texts = {name: fields.get(name, "").strip() for name in names}
    return {name: text for name, text in texts.items() if text}


def _one(fields: Fields, name: str, known: list[str]) -> str:
    if fields.get(name) not in known:
        raise MalformedForm(field=name)
    return fields[name]


def _key(fields: Fields) -> UUID:
    try:
        return UUID(fields.get("key", ""))
    except ValueError as error:
        raise MalformedForm(field="key") from error


def _version(fields: Fields) -> int:
    text = fields.get("version", "")
    if not text.isdecimal() or len(text) > len(str(2**31)):
        raise MalformedForm(field="version")
    return int(text)


def _local(text: str) -> datetime:
    """Return a time as a form has it, on the clock in China."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
    except ValueError as error:
        raise MalformedForm(field="occurred_at") from error
