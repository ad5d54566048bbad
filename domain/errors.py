"""What the domain refuses: one tree, whose class docstrings are the sentences."""

from typing import Any, ClassVar, Self

LONGEST_SHOWN = 64
"""Most characters of foreign text that an error repeats."""


def shown(text: str) -> str:
    """Return foreign text as an error may repeat it: short, and encodable as UTF-8."""
    short = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    return short.encode("utf-8", "replace").decode("utf-8")


class DomainError(Exception):
    """A rule of the domain was broken.

    The first line of the class docstring is the English sentence, `zh` the Chinese one, `code` the
    stable slug that problem types are named by. The facts travel as keyword arguments and must be
    free of personal data, since they reach logs.

    Attributes:
        facts: The facts by name, JSON values, such as ``{"reason": "checksum"}``.
    """

    code: ClassVar[str] = "domain-rule"
    zh: ClassVar[str] = "违反业务规则。"

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.sentence())

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.sentence()} ({facts})" if facts else self.sentence()

    @classmethod
    def sentence(cls) -> str:
        """Return the English sentence."""
        return (cls.__doc__ or cls.code).partition("\n")[0]

    def at(self, pointer: str) -> Self:
        """Return this error with the place in the caller's document where it arose.

        Args:
            pointer: A JSON pointer (RFC 6901), such as ``/doses/3/vaccine``.
        """
        self.facts = {"pointer": pointer, **self.facts}
        return self

    def describe(self) -> dict[str, Any]:
        """Return the JSON object for a line of output: code, both sentences, facts."""
        return {"code": self.code, "zh": self.zh, "en": self.sentence(), **self.facts}


class InvalidIdNumber(DomainError):
    """This is not a valid 18-digit citizen identity number (GB 11643).

    The number itself is never among the facts. Reasons: ``fifteen-digits``, ``length``,
    ``characters``, ``area-code``, ``birth-date``, ``checksum``.
    """

    code = "invalid-id-number"
    zh = "公民身份号码无效（须为18位）。"


class InvalidBirthCertificateNumber(DomainError):
    """This is not a birth certificate number: one letter and nine digits."""

    code = "invalid-birth-certificate-number"
    zh = "出生医学证明编号无效（须为1位字母加9位数字）。"


class InvalidPhoneNumber(DomainError):
    """This cannot be a telephone number of mainland China."""

    code = "invalid-phone-number"
    zh = "电话号码无效。"


class BirthDateMismatch(DomainError):
    """The birth date differs from the one in the identity number."""

    code = "birth-date-mismatch"
    zh = "出生日期与公民身份号码不一致。"


class SexMismatch(DomainError):
    """The sex differs from the one in the identity number."""

    code = "sex-mismatch"
    zh = "性别与公民身份号码不一致。"


class DayBeforeBirth(DomainError):
    """The day lies before the birth."""

    code = "day-before-birth"
    zh = "日期早于出生日期。"


class UnknownVaccine(DomainError):
    """The catalogue has no such vaccine."""

    code = "unknown-vaccine"
    zh = "疫苗目录中没有该疫苗。"


class AmbiguousVaccine(DomainError):
    """The code stands for different vaccines in different systems; name the vaccine itself."""

    code = "ambiguous-vaccine"
    zh = "该编码在不同系统中代表不同疫苗，请直接填写疫苗种类。"


class UnknownVaccineGroup(DomainError):
    """The requirements know no such vaccine group."""

    code = "unknown-vaccine-group"
    zh = "疫苗种类无效。"
