"""The rates of annex 4 with their targets, as answers and pages show them (S-43 to S-52)."""

from collections.abc import Mapping
from typing import Any

from domain.roll_up.rates import REPORT_COMPLETENESS, Rate, row_ratios
from domain.roll_up.ratio import Ratio
from domain.roll_up.row import RollUpRow
from domain.roll_up.rules import RollUpRules

COUNTY_DIGITS = 6


def rates_of(rules: RollUpRules, row: RollUpRow, division: str) -> dict[str, Mapping[str, Any]]:
    """The rates of a row, each with its exact fraction and whether it meets its target.

    Args:
        rules: Targets in force.
        row: Of one unit, or the total of a region.
        division: Whose: a target that is set for each county is no test of a larger region.
    """
    ratios = row_ratios(row, rules.requirements.left_out_of_makeup_rate)
    return {
        name: rated(rate, ratios[name], division)
        for name, rate in rules.rates.items()
        if name in ratios
    }


def completeness_rate(rules: RollUpRules, ratio: Ratio, division: str) -> Mapping[str, Any]:
    """The rate of reports received (S-47, S-48)."""
    return rated(rules.rates[REPORT_COMPLETENESS], ratio, division)


def rated(rate: Rate, ratio: Ratio, division: str) -> Mapping[str, Any]:
    """One rate. `meets_target` is null where there is no target or nothing to divide by (S-51)."""
    is_judged = len(division) >= COUNTY_DIGITS or not rate.judged_by_county
    return {
        "rule": rate.rule,
        "zh": rate.title.zh,
        "en": rate.title.en,
        "num": ratio.num,
        "den": ratio.den,
        "percent": ratio.percent(),
        "target_percent": int(rate.target * 100) if rate.target is not None else None,
        "meets_target": ratio.reaches(rate.target) if is_judged else None,
    }
