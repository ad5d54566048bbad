"""Records that may be about one person: those like one record, and all of a division."""

from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks, reading_as_of
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import EVER, people_on
from api.reads import NO_STORE, SHORTLY, may_read, readable
from api.schools import Division
from commands.duplicates import Comparison, Pair, sweep
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.states import states_of
from domain.duplicates import described, ordered
from domain.vaccination_record import VaccinationRecord

MOST_PAIRS = 200

router = APIRouter(prefix="/v1", tags=["duplicates"])


@router.get("/records/{record}/duplicates", operation_id="getDuplicates", response_class=Response)
async def of_record(request: Request, caller: Caller, record: UUID, as_of: AsOf) -> Response:
    """Records that may be about the same person as one, likeliest first, as they stand.

    `alike` says in what they are alike, `score` how sure that makes it, in percent. Merge them, or
    tell them apart, with `POST /v1/records/{record}/merges`.
    """
    serving = serving_of(request)
    await to_thread.run_sync(readable, serving, caller, record)

    def read() -> list[dict[str, Any]]:
        found = Comparison(reading_as_of(serving, as_of)).candidates(record)
        return _described(serving, caller, found, as_of, both=False)

    lines = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "duplicates", [record, *(one["record"] for one in lines)])
    return json_response({"record": record, "duplicates": lines}, headers=NO_STORE)


@router.get(
    "/divisions/{division}/duplicates", operation_id="getDuplicatesWithin", response_class=Response
)
async def of_division(
    request: Request,
    caller: Caller,
    division: Division,
    as_of: AsOf,
    limit: Annotated[int, Query(ge=1, le=MOST_PAIRS)] = 50,
) -> Response:
    """Pairs of records of a division that may be about one person.

    Settling them, by a merge or by telling them apart, brings the next ones.
    """
    check_read(caller, "duplicates", Scope(division))
    serving = serving_of(request)

    def read() -> list[dict[str, Any]]:
        found = list(islice(sweep(reading_as_of(serving, as_of), division), limit))
        return _described(serving, caller, found, as_of, both=True)

    pairs = await to_thread.run_sync(read, limiter=serving.threads)
    records = {line["record"] for pair in pairs for line in pair["records"]}
    await note_read(request, caller, "duplicates", sorted(records))
    return json_response({"division": division, "pairs": pairs}, headers=NO_STORE)


def _described(
    serving: Serving, caller: Principal, pairs: Sequence[Pair], as_of: Clocks, *, both: bool
) -> list[dict[str, Any]]:
    """Pairs with what the caller may see of their records; of the others nothing is said.

    What may not be processed now is not shown in the past either.
    """
    records = {one.id: one for pair in pairs for one in (pair.one, pair.other)}
    hidden = states_of(serving.parts.reader, list(records))
    pairs = [pair for pair in pairs if not hidden.keys() & {pair.one.id, pair.other.id}]
    shown: dict[UUID, dict[str, Any]] = {}
    for record in records.values():
        row = serving.views.records.get(record.id)
        if row is not None and may_read(caller, row):
            people = people_on(serving.views, [record.recipient], as_of.day, as_of.position)
            shown[record.id] = _line(record, people[record.recipient])
    described_ = []
    for pair in pairs:
        lines = [shown[one.id] for one in (pair.one, pair.other) if one.id in shown]
        found = {"score": pair.score, "alike": described(ordered(pair.alike))}
        if both and lines:
            described_.append(found | {"records": lines})
        elif pair.other.id in shown:
            described_.append(shown[pair.other.id] | found)
    return described_


def _line(record: VaccinationRecord, person: dict[str, Any]) -> dict[str, Any]:
    return {
        "record": record.id,
        "version": record.version,
        "managing_organisation": record.managing_organisation,
        "division": record.division,
        "roll": record.roll_history[-1].status.value,
        "doses": len(record.doses_on(EVER)),
        "recipient": {name: person.get(name) for name in SHORTLY},
    }
