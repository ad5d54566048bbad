"""A class list from a school's own table: reviewed by the server, then enrolled.

Nothing is written before every row is decided: one row that cannot be taken stops the list.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from client.class_faults import RowTwice
from client.class_rows import Pupil, Terms, Verdict
from client.http import Client
from client.signing import Draft

_REVIEWED_AT_ONCE = 200

TEXTS: Mapping[Verdict, str] = {
    Verdict.FOUND: "已找到档案 found",
    Verdict.OTHER_DIVISION: "档案由外县管理 managed in another county",
    Verdict.ENROLLED: "本学年已登记 enrolled already",
    Verdict.AMBIGUOUS: "有多份档案相符 several records fit",
    Verdict.NOT_FOUND: "未找到档案 no record",
    Verdict.REFUSED: "该行有误 the row is wrong",
}
TAKEN = frozenset((Verdict.FOUND, Verdict.OTHER_DIVISION, Verdict.ENROLLED))
"""Verdicts with which a list may be enrolled."""


def reviewed(client: Client, terms: Terms, pupils: Sequence[Pupil]) -> list[Pupil]:
    """Return the pupils with the server's verdicts, in their order.

    Raises:
        ClientError: The server refuses, or does not answer.
    """
    asked = [pupil for pupil in pupils if pupil.fault is None]
    path = f"/v1/institutions/{terms.institution}/class-list-review?school_year={terms.school_year}"
    told: list[Mapping[str, Any]] = []
    for start in range(0, len(asked), _REVIEWED_AT_ONCE):
        chunk = asked[start : start + _REVIEWED_AT_ONCE]
        body = {"children": [pupil.asked() for pupil in chunk]}
        told += client.request("POST", path, body).json()["verdicts"]
    return judged(pupils, told)


def judged(pupils: Sequence[Pupil], told: Sequence[Mapping[str, Any]]) -> list[Pupil]:
    """Return the pupils with their verdicts, in their order.

    Args:
        pupils: The rows.
        told: What the server says of each of those without a fault.
    """
    verdicts = iter(told)
    return _without_doubles(
        [pupil if pupil.fault else _decided(pupil, next(verdicts)) for pupil in pupils]
    )


def digest(pupils: Sequence[Pupil]) -> str:
    """Return the digest of a review: what is written of every row; who is enrolled by then, too."""
    lines = [
        (pupil.row, str(pupil.record), pupil.number, pupil.class_name, pupil.joined_on)
        for pupil in pupils
    ]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def enrolment(terms: Terms, pupil: Pupil) -> Draft:
    """Return the enrolment of a pupil; of the same child, school and year the same stream."""
    data = {
        "record": str(pupil.record),
        "institution": str(terms.institution),
        "division": terms.division,
        "school_year": terms.school_year,
        "class_name": pupil.class_name,
        "entry_type": terms.entry_type,
        "admission": pupil.admission,
        "number": pupil.number,
        "joined_on": pupil.joined_on,
    }
    stream = uuid5(terms.institution, f"{terms.school_year}/{pupil.record}")
    return Draft("enrolment.enrolled.v1", stream, 0, data)


def _decided(pupil: Pupil, told: Mapping[str, Any]) -> Pupil:
    verdict = Verdict.ENROLLED if told.get("enrolled") else Verdict(told["verdict"])
    record = UUID(told["record"]) if "record" in told else None
    return replace(pupil, verdict=verdict, record=record)


def _without_doubles(pupils: Sequence[Pupil]) -> list[Pupil]:
    """Refuse a row whose record an earlier row has."""
    seen: set[UUID] = set()
    kept = []
    for pupil in pupils:
        if pupil.record in seen:
            fault = RowTwice(what="record")
            kept.append(replace(pupil, verdict=Verdict.REFUSED, fault=fault, record=None))
            continue
        seen |= {pupil.record} if pupil.record else set()
        kept.append(pupil)
    return kept
