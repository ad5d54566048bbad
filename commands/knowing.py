"""Of what an author may know; to everybody else it does not exist, whatever state it is in."""

from commands.errors import Forbidden, NotFound
from commands.permissions import Scope, check_read
from commands.principal import Principal
from domain.enrolment import Enrolment
from domain.paper_comparison import PaperComparison
from domain.vaccination_record import VaccinationRecord
from domain.visit import Visit


def check_known(principal: Principal, found: object) -> None:
    """Refuse what concerns a person and lies beyond the author's reach as if it were not there.

    Raises:
        NotFound: as for what does not exist.
    """
    reach = _reach(found)
    if reach is None:
        return
    try:
        check_read(principal, *reach)
    except Forbidden as error:
        if principal.organisation is None or reach[1].managing != principal.organisation:
            raise NotFound from error


def _reach(found: object) -> tuple[str, Scope] | None:
    """What has to be readable, where a thing is about a person."""
    match found:
        case VaccinationRecord():
            return "record", Scope(found.division, managing=found.managing_organisation)
        case PaperComparison():
            return "record", Scope(found.division)
        case Enrolment():
            return "register", Scope(found.division, acting=found.institution)
        case Visit():
            return "visit", Scope(found.division, managing=found.clinic)
    return None
