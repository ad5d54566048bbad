"""How long a record must be kept: five years beyond the vaccine's expiry (law art. 46, E-3).

The papers of schools have terms of their own beside that of the law (X-18).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from domain.calendar import deadline_after_months

RETENTION_MONTHS = 60


@dataclass(frozen=True, slots=True)
class Papers:
    """What schools keep of a child.

    Attributes:
        has_statement: whether a check statement was issued, which is kept for good (S-13).
        register_until: last day on which a register with the child is kept (X-18); None without.
    """

    has_statement: bool = False
    register_until: date | None = None


NO_PAPERS = Papers()


class GivenDose(Protocol):
    """What retention looks at in a dose."""

    @property
    def occurred_on(self) -> date:
        """Day on which it was given."""

    @property
    def expires_on(self) -> date | None:
        """Last day on which the package could be used; None where nobody knows."""


def retention_end(expires_on: date) -> date:
    """Return the last day on which a dose must be kept (Civil Code articles 201 and 202).

    The corresponding day five years on, else the month's end: 29 February 2020 gives
    28 February 2025. That day itself is still within the term.
    """
    return deadline_after_months(expires_on, RETENTION_MONTHS)


def retention_until(doses: Iterable[GivenDose]) -> date | None:
    """Return the last day on which a record must be kept; None for one without doses.

    The latest of its doses counts. Where an expiry is not known, as of a dose transcribed from
    paper, the day of the dose stands for it, the earliest that it can be: the duty itself lies
    with the clinic that gave the dose.
    """
    return max((retention_end(dose.expires_on or dose.occurred_on) for dose in doses), default=None)
