"""The corrections: each mistake put on a dose, and the request that follows."""

from dataclasses import replace

from examples.kaifeng.making.dose_lines import Written, evidence
from examples.kaifeng.making.draw import Draw, uuid7
from examples.kaifeng.making.lines import Json, members, sealed
from examples.kaifeng.making.mistakes import MISTAKES, Mistake
from examples.kaifeng.making.numbers import Numbers


def make_corrections(written: list[Written], numbers: Numbers) -> list[Json]:
    """Put the mistakes on doses, in place, and return the corrections, one a child."""
    lines = []
    children: set[int] = set()
    for turn, mistake in enumerate(MISTAKES):
        draw = Draw(f"correction/{turn}")
        fitting = [
            position
            for position, dose in enumerate(written)
            if dose.child.index not in children and mistake.fits(dose)
        ]
        position = draw.pick(fitting)
        true = written[position]
        children.add(true.child.index)
        other = _other(true, mistake, draw, numbers)
        recorded, asked_for = (other, true) if mistake.is_recorded else (true, other)
        written[position] = recorded
        lines.append(_line(turn, mistake, recorded, asked_for))
    return lines


def _other(true: Written, mistake: Mistake, draw: Draw, numbers: Numbers) -> Written:
    if mistake.differs is None:
        return true
    clear, personal = mistake.differs(true, draw, numbers)
    return replace(true, data={**true.data, **clear}, private={**true.private, **personal})


def _line(turn: int, mistake: Mistake, recorded: Written, asked_for: Written) -> Json:
    child = recorded.child
    personal = _personal(turn, mistake, recorded, asked_for)
    salt = personal.get("evidence_salt")
    data = members(
        record=child.record,
        dose=recorded.data["dose"],
        division=child.clinic.division,
        kind="entered-in-error" if mistake.differs is None else "amend",
        changes=_changes(recorded.data, asked_for.data),
        urgency="immediate" if mistake.is_urgent else "next-day",
        reason=mistake.reason,
        requested_by="guardian" if mistake.by_guardian else "clinic",
        clinic=child.clinic.id,
        evidence=evidence(str(salt), recorded.dose, child.clinic.name) if salt else None,
    )
    return {
        "correction": str(uuid7(f"correction/{turn}")),
        "data": data,
        "private": sealed(child.recipient, personal) if personal else {},
        "outcome": members(state=mistake.outcome, reason=mistake.outcome_reason),
    }


def _changes(before: Json, after: Json) -> list[Json]:
    return [
        members(field=field, before=_as_text(before.get(field)), after=_as_text(after.get(field)))
        for field in sorted(before.keys() | after.keys())
        if before.get(field) != after.get(field)
    ]


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _personal(turn: int, mistake: Mistake, recorded: Written, asked_for: Written) -> Json:
    differing = [
        name for name in recorded.private if recorded.private[name] != asked_for.private[name]
    ]
    return members(
        note=mistake.note,
        evidence_salt=Draw(f"correction/{turn}/evidence").hex32() if mistake.by_guardian else None,
        before={name: recorded.private[name] for name in differing} or None,
        after={name: asked_for.private[name] for name in differing} or None,
    )
