"""A clinic's check statement (annex 2) as a credential: what its audit found when it was issued.

    statement = [the fourteen members of a school verdict, clinic]

In the verdict the identifier is that of the statement and the class is null. It never changes: that
another stands in its place, or that it is void, is told by its status bit. Rows that are completed
later stand on the paper alone.
"""

from dataclasses import dataclass
from datetime import date
from typing import Self

from certificates.cbor import Cbor
from certificates.errors import ClaimsError
from certificates.history import CLINIC_FORM
from certificates.holder import Holder, LogState
from certificates.school_verdict import Missing, Outcome, SchoolVerdict
from certificates.shape import check_code


@dataclass(frozen=True, slots=True)
class CheckStatement:
    """A statement as its clinic issued it.

    Attributes:
        finding: What the audit found, its holder under the id of the statement.
        clinic: Short code of the clinic, as in a history.
    """

    finding: SchoolVerdict
    clinic: str

    def __post_init__(self) -> None:
        check_code(self.clinic, CLINIC_FORM, "clinic")
        if self.finding.class_name is not None:
            raise ClaimsError("A statement names no class.")

    @property
    def holder(self) -> Holder:
        """The child, under the id of the statement."""
        return self.finding.holder

    @property
    def checked_on(self) -> date:
        """Civil day of the audit."""
        return self.finding.checked_on

    @property
    def outcome(self) -> Outcome:
        """The result."""
        return self.finding.outcome

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The rows, to be made up."""
        return self.finding.missing

    @property
    def log(self) -> LogState:
        """The state of the log that ends with the statement."""
        return self.finding.log

    def encode(self) -> Cbor:
        """Return the array of the claim."""
        finding = self.finding.encode()
        assert isinstance(finding, tuple), "a verdict is an array"
        return (*finding, self.clinic)

    @classmethod
    def decode(cls, claim: Cbor) -> Self:
        """Read the array of the claim.

        Raises:
            ClaimsError: If it is anything that `encode` would not write.
        """
        match claim:
            case [*finding, str() as clinic]:
                return cls(SchoolVerdict.decode(finding), clinic)
        raise ClaimsError("This is not a check statement of a known format.")
