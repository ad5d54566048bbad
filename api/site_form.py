"""What a site's forms hold, as writes about an appointment."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from commands.counter import Form
from commands.principal import Principal

_VERIFIED = "appointment.verified.v1"


def verification_form(
    caller: Principal,
    key: UUID,
    appointment: tuple[UUID, int, UUID],
    fields: Mapping[str, str],
) -> Form:
    """Return the first scan of an appointment, on arrival (A-16, A-20).

    Args:
        caller: Of the site.
        key: Names this entry.
        appointment: Its id and version, and the handle of whom it is for.
        fields: `id_number` of the card shown, `consent` and `admit`.
    """
    stream, version, person = appointment
    number = fields.get("id_number", "").strip()
    data: dict[str, Any] = {
        "clinic": str(caller.organisation),
        "has_id_card": bool(number),
        "has_signed_consent": fields.get("consent") == "yes",
        "admits_outside_slot": fields.get("admit") == "yes",
    }
    private = {person: {"id_number": number}} if number else {}
    return Form(caller, key, _VERIFIED, stream, version, data, private)
