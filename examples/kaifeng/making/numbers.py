"""Numbers valid in form that belong to nobody, each given out once."""

from collections.abc import Callable
from datetime import date

from domain.identity import Sex, checksum
from examples.kaifeng.making.draw import Draw

AREA = "410299"
"""A county code beneath Kaifeng that GB/T 2260 assigns to no county."""

SEQUENCES = 500
MOBILE_PREFIX = "140"
"""A mobile prefix for machines: no person's telephone has it in this length."""

BIRTH_CERTIFICATE_PREFIX = "Z41"
"""Henan's digits behind a letter that no edition of the form has reached."""

TRACING_PREFIX = "81"


class Numbers:
    """Gives out identity, certificate, telephone and package numbers, never one twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def id_number(self, birth: date, sex: Sex, draw: Draw) -> str:
        """Return a citizen identity number (GB 11643): odd sequence for males."""

        def candidate() -> str:
            sequence = draw.below(SEQUENCES - 1) * 2 + (1 if sex == "male" else 2)
            first17 = f"{AREA}{birth:%Y%m%d}{sequence:03d}"
            return first17 + checksum(first17)

        return self._unique(candidate)

    def phone(self, draw: Draw) -> str:
        """Return a mobile number of eleven digits."""
        return self._unique(lambda: f"{MOBILE_PREFIX}{draw.below(10**8):08d}")

    def birth_certificate(self, draw: Draw) -> str:
        """Return a birth certificate number: a letter and nine digits."""
        return self._unique(lambda: f"{BIRTH_CERTIFICATE_PREFIX}{draw.below(10**7):07d}")

    def certificate(self, clinic_code: str, year: int, draw: Draw) -> str:
        """Return a vaccination certificate number: ten digits of the clinic (E-16), year, four."""
        return self._unique(lambda: f"{clinic_code}{year}{draw.below(10**4):04d}")

    def package(self, tracing: str, draw: Draw) -> str:
        """Return a code of a smallest package: 20 digits from 81 (E-22), five of the product."""
        return self._unique(lambda: f"{TRACING_PREFIX}{tracing}{draw.below(10**13):013d}")

    def _unique(self, candidate: Callable[[], str]) -> str:
        number = candidate()
        while number in self._taken:
            number = candidate()
        self._taken.add(number)
        return number
