"""What a child brings to enrol: the certificate and a check statement (S-7)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from api.parts import Serving
from commands.reading import Reading
from domain.check_statement import CheckStatement
from projections.register import Line


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


def papers_body(papers: EntryPapers | None) -> dict[str, Any]:
    """The papers as a member of the child's line."""
    return {"papers": asdict(papers) | {"complete": papers.complete}} if papers else {}
