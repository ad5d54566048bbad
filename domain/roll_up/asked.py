"""Which answers a case asks for.

The member names of `expected`, where a case has one, are the question: which answers, which rates,
which cells. Of its values none is looked at but `total.unit`: the name of the unit that is totalled
may stand nowhere else in a case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.schedules.json_document import Node


@dataclass(frozen=True)
class Asked:
    """Names of what is asked for; None stands for the usual answers.

    Attributes:
        answers: Such as ``annex4_row``.
        rates: Such as ``child_check``.
        cells: Such as ``PV3``, ``脊灰疫苗3`` or ``14``.
        total_unit: What to call the total.
    """

    answers: tuple[str, ...] | None = None
    rates: tuple[str, ...] | None = None
    cells: tuple[str, ...] | None = None
    total_unit: str | None = None

    @classmethod
    def read(cls, expected: Node | None) -> "Asked":
        """Read the names; whatever else `expected` may be is no question and no fault."""
        whole = expected.value if expected else None
        if not isinstance(whole, Mapping):
            return cls()
        unit = _member(whole, "total").get("unit")
        return cls(
            answers=tuple(whole),
            rates=tuple(_member(whole, "rates")) or None,
            cells=tuple(_member(whole, "cells")) or None,
            total_unit=unit if isinstance(unit, str) else None,
        )


def _member(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = whole.get(name)
    return value if isinstance(value, Mapping) else {}
