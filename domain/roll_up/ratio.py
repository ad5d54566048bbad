"""A rate as an exact fraction: what is printed is rounded, what is judged is not (S-50, S-51)."""

from dataclasses import dataclass
from fractions import Fraction

HUNDREDTHS = 10_000
"""Hundredths of a percent in one."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Numerator and denominator, both counts.

    Attributes:
        num: What was done.
        den: What there was to do; 0 makes the rate not applicable (S-51).
    """

    num: int
    den: int

    def fraction(self) -> Fraction | None:
        """Return the exact value, or None where the rate is not applicable."""
        return Fraction(self.num, self.den) if self.den else None

    def percent(self) -> str | None:
        """Return the percentage with two decimals, half up, such as ``"94.97"``."""
        if not self.den:
            return None
        rounded = (2 * self.num * HUNDREDTHS + self.den) // (2 * self.den)
        return f"{rounded // 100}.{rounded % 100:02}"

    def reaches(self, target: Fraction | None) -> bool | None:
        """Tell whether the exact value is at least the target; None without a value or target."""
        value = self.fraction()
        return None if value is None or target is None else value >= target
