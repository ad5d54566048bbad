"""Correcting many doses in the same way: a list that is looked at first, then carried out.

The list names the correction of each dose and has a digest that all of them state. Each step is
one signature over all its writes. Carried out again after an interruption, it goes on where it
stood; a dose that somebody corrected meanwhile is refused alone, and the others go on.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID, uuid5

from client.bulk import MAX_LINES
from client.errors import MassCorrectionError
from client.http import Client
from client.signing import Draft

FORMAT = "vaxledger-mass-correction.v1"
STEPS = ("requested", "verified", "applied")
_PATH = "/v1/corrections"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class MassCorrection:
    """A list of corrections to be made.

    Attributes:
        digest: What all of them name.
        lines: The clear fields of each request, by the stream of its correction.
        left_out: Doses that were found and are not in it, with the reason.
    """

    digest: str
    lines: Mapping[UUID, Mapping[str, Any]]
    left_out: Sequence[Mapping[str, Any]]

    @classmethod
    def preview(cls, client: Client, asked: Mapping[str, Any], new_id: Callable[[], UUID]) -> Self:
        """Ask the server for the list; nothing is written.

        Args:
            client: For a clinic or CDC.
            asked: The body of `POST /v1/corrections/preview`.
            new_id: Makes the streams' ids.

        Raises:
            ClientError: As ``Client.request``.
        """
        answer = client.request("POST", f"{_PATH}/preview", dict(asked))
        body = json.loads(answer.content)
        lines = {new_id(): line["data"] for line in body["lines"]}
        return cls(body["list"], lines, body["left_out"])

    def encode(self) -> bytes:
        """Return the file of it."""
        lines = {str(stream): dict(data) for stream, data in self.lines.items()}
        document = {
            "format": FORMAT,
            "list": self.digest,
            "lines": lines,
            "left_out": list(self.left_out),
        }
        return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read the file of one.

        Raises:
            MassCorrectionError: If it is none.
        """
        try:
            document = json.loads(raw)
            if document["format"] != FORMAT:
                raise MassCorrectionError(format=document["format"])
            lines = {UUID(stream): dict(data) for stream, data in document["lines"].items()}
            if any(data["list"] != document["list"] for data in lines.values()):
                raise MassCorrectionError(reason="a line of another list")
            return cls(str(document["list"]), lines, list(document["left_out"]))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise MassCorrectionError(cause=type(error).__name__) from error


@dataclass(slots=True)
class Outcome:
    """How far a mass correction came.

    Attributes:
        reached: How many corrections took each step, by now or before.
        refused: Why a correction went no further, by its stream.
    """

    reached: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))
    refused: dict[UUID, str] = field(default_factory=dict)


def carry_out(
    client: Client,
    plan: MassCorrection,
    until: str = STEPS[-1],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Outcome:
    """Take every correction of a list up to a step, each step of up to 1,000 under one signature.

    Args:
        client: Signs for the clinic or CDC.
        plan: The list.
        until: The last step to take.
        progress: Told after each batch.

    Raises:
        ClientError: As ``Client.submit_batch``; what was written stands, and is found next time.
    """
    standing = _standing(client, plan)
    outcome, wanted = Outcome(), STEPS[: STEPS.index(until) + 1]
    done, total = 0, len(wanted) * len(plan.lines)
    for version, step in enumerate(wanted):
        missing = [
            stream
            for stream in plan.lines
            if standing.get(stream, 0) == version and stream not in outcome.refused
        ]
        for first in range(0, len(missing), MAX_LINES):
            streams = missing[first : first + MAX_LINES]
            drafts = [_draft(plan, stream, step, version) for stream in streams]
            for stream, verdict in zip(streams, client.submit_batch(drafts), strict=True):
                if verdict.problem is None:
                    standing[stream] = version + 1
                else:
                    reason = str(verdict.problem.problem.get("type", verdict.problem.status))
                    outcome.refused[stream] = reason.rpartition("/")[2]
            progress(done + first + len(streams), total)
        done += len(plan.lines)
        outcome.reached[step] = sum(standing.get(stream, 0) > version for stream in plan.lines)
    return outcome


def _draft(plan: MassCorrection, stream: UUID, step: str, version: int) -> Draft:
    data = plan.lines[stream]
    stated = data if version == 0 else {"clinic": data["clinic"]}
    key = uuid5(stream, step)
    return Draft(f"correction.{step}.v1", stream, version, stated, idempotency_key=key)


def _standing(client: Client, plan: MassCorrection) -> dict[UUID, int]:
    """How many steps the corrections of a list have taken already."""
    return {UUID(row["correction"]): int(row["version"]) for row in _rows(client, plan.digest)}


def _rows(client: Client, digest: str) -> Iterator[Mapping[str, Any]]:
    after = 0
    while True:
        query = f"list={digest}&after={after}&limit={_PAGE}"
        rows = json.loads(client.request("GET", f"{_PATH}?{query}").content)["corrections"]
        yield from rows
        if len(rows) < _PAGE:
            return
        after = int(rows[-1]["requested_position"])
