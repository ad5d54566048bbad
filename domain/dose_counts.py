"""How many doses a person has: each once as a dose, and once for each of its components."""

from collections.abc import Collection

from domain.dose_duplicates import DoseLike
from domain.schedules.catalogue import Catalogue


def component_counts(doses: Collection[DoseLike], catalogue: Catalogue) -> dict[str, int]:
    """Return by component how many doses protect against it; of one day they count once.

    A combined vaccine is one dose and counts for every component that it has. What the catalogue
    does not know counts for none.
    """
    days = {
        (component, dose.occurred_on)
        for dose in doses
        if dose.vaccine in catalogue
        for component in catalogue.vaccines[dose.vaccine].components
    }
    found = [component for component, _ in days]
    return {component: found.count(component) for component in sorted(set(found))}
