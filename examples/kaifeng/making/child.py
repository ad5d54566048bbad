"""A child as life made it, before any form is filled in."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.calendar import completed_age
from domain.identity import Sex
from examples.kaifeng.making.draw import uuid7
from examples.kaifeng.making.families import Family
from examples.kaifeng.making.organisations import Clinic, Institution
from examples.kaifeng.making.programme import CHECK_DAY, Dose


@dataclass(frozen=True)
class Child:
    """A child as life made it, before any form is filled in.

    Attributes:
        index: 0 to 299, class after class.
        number: in the class, from 1.
        doses: given before the check.
        traits: what is special, for those who look for examples.
    """

    index: int
    institution: Institution
    class_name: str
    number: int
    birth: date
    sex: Sex
    name: str
    family: Family
    clinic: Clinic
    shape: str = "on-time"
    admission: str = "new"
    traits: tuple[str, ...] = ()
    doses: tuple[Dose, ...] = ()

    @property
    def label(self) -> str:
        """Names the child's draws."""
        return f"child/{self.index}"

    @property
    def record(self) -> UUID:
        """Stream id of the vaccination record."""
        return uuid7(f"{self.label}/record")

    @property
    def recipient(self) -> UUID:
        """Handle of the child as a person."""
        return uuid7(f"{self.label}/person")

    @property
    def age(self) -> int:
        """Completed years on the day of the check."""
        return completed_age(self.birth, CHECK_DAY)

    def has(self, trait: str) -> bool:
        """Say whether the child is an example of something."""
        return trait in self.traits


Cohort = list[Child]
"""Children in the order of their index."""
