"""What a child brings to enrol: the certificate and a check statement (S-7)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.callers import Caller
from api.parts import Serving
from api.school_forms import Asked, class_by_class
from commands.reading import Reading
from domain.check_statement import CheckStatement
from projections.register import Line, Register

router = APIRouter(prefix="/v1", tags=["school checks"])


@dataclass(frozen=True, slots=True)
class EntryPapers:
    """What a school has of a child.

    Attributes:
        certificate: Whether there is a certificate; None before the school has looked.
        statement: The newest check statement, or None.
        reissue_under_way: Whether it says that the certificate is to be issued again (S-10).
    """

    certificate: bool | None
    statement: UUID | None
    reissue_under_way: bool = False

    @property
    def complete(self) -> bool:
        """Whether both are there, or the statement and a reissue under way."""
        return self.statement is not None and bool(self.certificate or self.reissue_under_way)


@router.get("/institutions/{institution}/entry-papers", operation_id="listEntryPapers")
async def list_entry_papers(
    request: Request, caller: Caller, institution: UUID, asked: Asked
) -> Response:
    """The entry papers of a school's children: what is there, and whether it is complete."""
    return await class_by_class(request, caller, institution, asked, _children)


def _children(serving: Serving, register: Register) -> list[Mapping[str, Any]]:
    papers = entry_papers(serving, register.lines, register.position)
    return [
        {
            "enrolment": line.enrolment,
            "number": line.pupil.number,
            **asdict(papers[line.enrolment]),
            "complete": papers[line.enrolment].complete,
        }
        for line in register.lines
        if line.enrolment in papers
    ]


def entry_papers(
    serving: Serving, lines: Sequence[Line], position: int
) -> Mapping[UUID, EntryPapers]:
    """The papers of children by their enrolment, as known at a position; of hidden ones none."""
    shown = [line for line in lines if not line.pupil.particulars.restricted]
    newest = serving.views.records.newest_statements([line.record for line in shown], position)
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())

    def found(line: Line) -> EntryPapers:
        statement = newest.get(line.record)
        certificate = True if line.reissued_on else line.pupil.check.has_certificate
        if statement is None or certificate:
            return EntryPapers(certificate, statement)
        audit = reading.stored(CheckStatement, statement).audit
        assert audit is not None, "a statement is issued with its audit"
        return EntryPapers(certificate, statement, audit.reissue_certificate)

    return {line.enrolment: found(line) for line in shown}
