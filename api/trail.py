"""The trail of a record: of each entry who, for whom, when, why, before, after, and how proven."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from api.parts import Serving
from api.people import organisation_names
from api.receipts import receipt_address
from api.wording import label_of, title_of
from client.checking import check_evidence, origins_of
from client.errors import RefutedError
from commands.reading import Reading
from ledger.entry import Entry
from ledger.hashing import leaf_hash
from projections.change import Change, read_change
from projections.organisations import KeyRow
from projections.records import RollRow, TimelineRow

_AMENDED = "vaccination-record.identity-amended.v1"
_CORRECTED = "vaccination-record.dose-corrected.v1"
_IN_ERROR = "vaccination-record.dose-entered-in-error.v1"
_REINSTATED = "vaccination-record.dose-reinstated.v1"
_ROLL_CHANGED = "vaccination-record.roll-changed.v1"
_REQUESTED = "correction.requested.v1"
_RESTATING = frozenset((_AMENDED, _CORRECTED, _REQUESTED))
"""Topics whose sealed values have a before and an after."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the lines of one page are made of, read in a few queries."""

    envelopes: Mapping[str, bytes]
    keys: Mapping[str, Sequence[KeyRow]]
    opened: Mapping[tuple[int, UUID], Mapping[str, Any] | None]
    names: Mapping[UUID, str | None]
    positions: Mapping[tuple[bytes, int], int]
    rolls: Mapping[UUID, Sequence[RollRow]]
    platform: str


def trail(
    serving: Serving, records: Collection[UUID], *, up_to: int | None, after: int = 0, limit: int
) -> list[dict[str, Any]]:
    """The lines of a record's trail, oldest first.

    Args:
        serving: The running parts.
        records: Whose; the record and what was merged into it.
        up_to: What was known up to there; None for all.
        after: Position of the last line already had.
        limit: How many at most.
    """
    rows = serving.views.records.timeline(records, up_to=up_to, after=after, limit=limit)
    raws = {position: raw for position, raw, _ in _entries(serving, rows)}
    changes = [read_change(position, raw) for position, raw in raws.items()]
    evidence = _gather(serving, rows, changes)
    return [
        _line(row, change.entry, raws[row.position], evidence)
        for row, change in zip(rows, changes, strict=True)
    ]


def _entries(serving: Serving, rows: Sequence[TimelineRow]) -> list[tuple[int, bytes, bytes]]:
    return serving.parts.reader.entries_at([row.position for row in rows]) if rows else []


def _gather(serving: Serving, rows: Sequence[TimelineRow], changes: Sequence[Change]) -> _Evidence:
    parts, views = serving.parts, serving.views
    platform = str(parts.services.platform.organisation)
    moved = {row.record for row in rows if row.topic == _ROLL_CHANGED}
    authors = {change.entry.author.org for change in changes}
    named = {UUID(author) for author in authors}
    named |= {UUID(one) for change in changes if (one := change.entry.data.get("clinic"))}
    return _Evidence(
        envelopes=parts.reader.envelopes({change.entry.author.envelope for change in changes}),
        keys={author: views.organisations.keys(UUID(author)) for author in authors},
        opened=parts.vault.unseal(
            [
                change
                for change in changes
                if change.entry.topic in _RESTATING or change.entry.author.org == platform
            ]
        ),
        names=organisation_names(views, named),
        positions={(row.stream.bytes, row.version): row.position for row in rows},
        rolls={one: found.rolls for one in moved if (found := views.records.get(one))},
        platform=platform,
    )


def _line(row: TimelineRow, entry: Entry, raw: bytes, evidence: _Evidence) -> dict[str, Any]:
    data = entry.data
    _, cause, _ = origins_of(data)
    derived = data.get("derived", {})
    author = UUID(entry.author.org)
    clinic = data.get("clinic")
    changes, erased = _changes(row, entry, evidence)
    return {
        "position": row.position,
        "topic": row.topic,
        "title": title_of(row.topic),
        "record": row.record,
        "stream": row.stream,
        "version": row.version,
        "dose": row.dose,
        "recorded_at": row.recorded_at,
        "occurred_on": row.occurred_on,
        "effective_on": row.effective_on,
        "organisation": {"id": author, "name": evidence.names[author]},
        "clinic": {"id": clinic, "name": evidence.names[UUID(clinic)]} if clinic else None,
        "signed_by_platform": entry.author.org == evidence.platform,
        "on_behalf_of": derived.get("on_behalf_of"),
        "entered_by": _entered_by(row.position, entry, evidence),
        "signature": _signature(row.position, entry, evidence),
        "reason": data.get("reason"),
        "requested_by": data.get("requested_by"),
        "evidence": data.get("evidence"),
        "cause": _cause(cause, evidence),
        "changes": changes,
        "erased": erased,
        "data": data,
        "leaf": leaf_hash(raw).hex(),
        "receipt": receipt_address(row.position),
    }


def _signature(position: int, entry: Entry, evidence: _Evidence) -> dict[str, Any]:
    """Whether the author's envelope signs what the entry says, with a key valid then."""
    author = entry.author
    key = next(
        (key for key in evidence.keys[author.org] if _signs(key, author.keyid, position)), None
    )
    envelope = evidence.envelopes.get(author.envelope)
    problem: str | None = None
    if key is None:
        problem = "key-unknown"
    elif envelope is None:
        problem = "envelope-missing"
    else:
        try:
            check_evidence(position, entry, envelope, bytes.fromhex(key.public_key))
        except RefutedError as refuted:
            problem = refuted.reason
    return {
        "valid": problem is None,
        "problem": problem,
        "keyid": author.keyid,
        "key_registered_at": key.from_position if key else None,
        "key_revoked_at": key.revoked_position if key else None,
    }


def _entered_by(position: int, entry: Entry, evidence: _Evidence) -> str | None:
    """The account of who entered it at a page; None where nobody did, or it is erased."""
    for seal in entry.sealed:
        values = evidence.opened.get((position, UUID(seal.subject))) or {}
        if "entered_by" in values:
            return str(values["entered_by"])
    return None


def _signs(key: KeyRow, keyid: str, position: int) -> bool:
    """Whether it is that key, and was valid there (DESIGN section 7)."""
    until = key.revoked_position
    return (
        key.keyid == keyid and key.from_position < position and (until is None or position <= until)
    )


def _cause(cause: tuple[bytes, int] | None, evidence: _Evidence) -> dict[str, Any] | None:
    if cause is None:
        return None
    stream, version = cause
    return {
        "stream": UUID(bytes=stream),
        "version": version,
        "position": evidence.positions.get(cause),
    }


def _changes(
    row: TimelineRow, entry: Entry, evidence: _Evidence
) -> tuple[list[dict[str, Any]], bool]:
    """What reads differently since, before and after; and whether part of that is erased."""
    opened = [
        evidence.opened.get((row.position, UUID(seal.subject)))
        for seal in entry.sealed
        if entry.topic in _RESTATING
    ]
    found = [*_clear_changes(entry), *chain.from_iterable(map(_sealed_changes, opened))]
    if entry.topic == _IN_ERROR:
        found.append(("record_status", "completed", "entered-in-error"))
    if entry.topic == _REINSTATED:
        found.append(("record_status", "entered-in-error", "completed"))
    if entry.topic == _ROLL_CHANGED:
        found += _moves(row.position, evidence.rolls.get(row.record, ()))
    return [_labelled(*one) for one in found], None in opened


def changes_asked(reading: Reading, correction: UUID) -> list[dict[str, Any]]:
    """What a correction is to change, before and after; without what is erased."""
    asked = reading.history(correction)[0]
    opened = reading.services.vault.unseal([asked], reading.ring).values()
    found = [*_clear_changes(asked.entry), *chain.from_iterable(map(_sealed_changes, opened))]
    return [_labelled(*one) for one in found]


def _labelled(field: str, before: Any, after: Any) -> dict[str, Any]:
    return {"field": field, "label": label_of(field), "before": before, "after": after}


def _clear_changes(entry: Entry) -> Iterable[tuple[str, Any, Any]]:
    for change in entry.data.get("changes", ()):
        yield change["field"], change.get("before"), change.get("after")


def _sealed_changes(values: Mapping[str, Any] | None) -> Iterable[tuple[str, Any, Any]]:
    before, after = ((values or {}).get(at, {}) for at in ("before", "after"))
    for field in dict.fromkeys((*before, *after)):
        yield field, before.get(field), after.get(field)


def _moves(position: int, rolls: Sequence[RollRow]) -> Iterable[tuple[str, Any, Any]]:
    """The roll before and after the entry at a position, field by field where it changed."""
    before: dict[str, Any] = {}
    for state in rolls:
        said = {
            "status": state.status,
            "managing_organisation": state.managing_organisation,
            "division": state.division,
        }
        after = before | {name: value for name, value in said.items() if value is not None}
        if state.position == position:
            changed = (name for name in after if after[name] != before.get(name))
            return [(name, before.get(name), after[name]) for name in changed]
        before = after
    return []
