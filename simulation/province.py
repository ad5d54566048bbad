"""Where the children of a simulated province live: divisions, clinics and schools."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from domain.calendar import add_months
from simulation.errors import SimulationRefused

CHILDREN_A_CLINIC = 2_000
CLINICS_A_COUNTY = 15
MOST_COUNTIES = 99
LONGEST_YEARS = 10

MOST_A_DAY = 499
"""Children born in a county on one day: three digits of a number tell them and their sex apart."""
MOST_NUMBERS = 10**8
"""Telephone numbers of mothers."""
EARLIEST, LATEST = date(1950, 1, 1), date(2100, 1, 1)
"""First days for which mothers and schools have days as well."""

CITY = "4199"
"""A city code beneath Henan that GB/T 2260 assigns to no city."""

_FIRST_TOWNSHIP = 100


@dataclass(frozen=True)
class Province:
    """A province of a size, for so many years.

    Attributes:
        seed: Names this province; another one has other children.
        children: Born in all of its years, evenly.
        years: From `first_day` on, at most ten.
        first_day: The first birthday.
    """

    seed: str
    children: int
    years: int
    first_day: date

    def __post_init__(self) -> None:
        """Check the size.

        Raises:
            SimulationRefused: Without children or years, with more of them than numbers last, or
                in a time of which nobody knows.
        """
        if not 1 <= self.years <= LONGEST_YEARS:
            raise SimulationRefused(field="years", most=LONGEST_YEARS)
        if not EARLIEST <= self.first_day <= LATEST:
            raise SimulationRefused(
                field="first_day", least=EARLIEST.isoformat(), most=LATEST.isoformat()
            )
        most = min(MOST_NUMBERS, MOST_A_DAY * MOST_COUNTIES * self.days)
        if not 1 <= self.children <= most:
            raise SimulationRefused(field="children", most=most)

    @cached_property
    def last_day(self) -> date:
        """The day after the last one."""
        return add_months(self.first_day, 12 * self.years)

    @cached_property
    def days(self) -> int:
        """How many days it lasts."""
        return (self.last_day - self.first_day).days

    @cached_property
    def counties(self) -> int:
        """How many counties it has, at most 99."""
        wanted = -(-self.children // (CHILDREN_A_CLINIC * CLINICS_A_COUNTY))
        return min(wanted, MOST_COUNTIES)

    @cached_property
    def clinics_a_county(self) -> int:
        """How many townships with a clinic and two schools each county has."""
        return min(CLINICS_A_COUNTY, -(-self.children // (CHILDREN_A_CLINIC * self.counties)))

    @cached_property
    def clinics(self) -> int:
        """How many clinics it has."""
        return self.counties * self.clinics_a_county

    def county(self, number: int) -> str:
        """Return the six digits of a county, counted from 0."""
        return f"{CITY}{number + 1:02}"

    def township(self, clinic: int) -> str:
        """Return the nine digits of the township of a clinic, counted from 0."""
        county, township = clinic % self.counties, clinic // self.counties
        return f"{self.county(county)}{_FIRST_TOWNSHIP + township:03}"

    def clinic_name(self, clinic: int) -> str:
        """Return what a clinic is called."""
        county, township = clinic % self.counties, clinic // self.counties
        return f"模拟{county + 1}县第{township + 1}卫生院"

    def school_name(self, clinic: int, *, is_primary: bool) -> str:
        """Return what the kindergarten or the primary school of a clinic's township is called."""
        kind = "小学" if is_primary else "幼儿园"
        return f"模拟{clinic % self.counties + 1}县第{clinic // self.counties + 1}{kind}"
