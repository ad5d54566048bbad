"""Doses of a record that were struck out: what may be reinstated."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.parts import Serving
from commands.reading import Reading
from domain.vaccination_record import VaccinationRecord


def struck_doses(serving: Serving, record: UUID) -> Mapping[UUID, Mapping[str, Any]]:
    """The struck-out doses of a record as they were first entered, by id.

    One counts from the moment that it is struck out, even if views show it until midnight (C-21).

    Raises:
        Restricted, Erased: the record may not be processed.
    """
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    found = reading.load(VaccinationRecord, record)
    return {
        dose: {
            "dose": dose,
            "vaccine": history.first.vaccine,
            "occurred_on": history.first.occurred_on,
            "lot": history.first.lot,
        }
        for dose, history in found.dose_histories.items()
        if history.is_struck()
    }
