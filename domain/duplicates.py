"""Which two records may be about one person: what is alike in them, and how much that says.

Everything is compared through keys: texts that are equal where two records are alike. Only a keyed
digest of a key is ever stored, so that alike records are found without a name or number in clear.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any
from uuid import UUID

from domain.identity import BirthCertificateNumber
from domain.quality import Check, Severity
from domain.schedules.edition import Wording
from domain.sound import plain, sound

THRESHOLD = 50
"""From this score on, two records are shown to a person."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """One thing in which two records may be alike.

    Attributes:
        id: Slug, and kind of the key.
        weight: How sure it makes by itself that they are about one person, in percent.
        text: What is said.
    """

    id: str
    weight: int
    text: Wording


BIRTH_CERTIFICATE = Likeness(
    "same-birth-certificate",
    95,
    Wording("出生医学证明编号相同", "the same number of a birth certificate"),
)
CERTIFICATE = Likeness(
    "same-vaccination-certificate",
    90,
    Wording("预防接种证编号相同", "the same number of a vaccination certificate"),
)
NAME = Likeness(
    "same-name-birth-sex",
    55,
    Wording("姓名、出生日期、性别均相同", "the same name, birth date and sex"),
)
SOUND = Likeness(
    "same-sound-birth",
    35,
    Wording(
        "姓名读音相同（含异体字、繁简体），出生日期相同", "names that sound alike, one birth date"
    ),
)
GUARDIAN_BIRTH = Likeness(
    "same-guardian-birth",
    45,
    Wording("监护人证件号码相同，出生日期相同", "one guardian, one birth date: also true of twins"),
)
GUARDIAN_SOUND = Likeness(
    "same-guardian-sound",
    55,
    Wording("监护人证件号码相同，姓名读音相同", "one guardian, names that sound alike"),
)
LIKENESSES: Mapping[str, Likeness] = {
    likeness.id: likeness
    for likeness in (BIRTH_CERTIFICATE, CERTIFICATE, NAME, SOUND, GUARDIAN_BIRTH, GUARDIAN_SOUND)
}


def keys(recipient: Mapping[str, Any], guardians: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the kind and text of every key of a record.

    Args:
        recipient: Typed values of the recipient; any may be absent.
        guardians: Normalised numbers of the guardians' documents.
    """
    certificate = recipient.get("birth_certificate_number")
    if isinstance(certificate, BirthCertificateNumber):
        yield BIRTH_CERTIFICATE.id, certificate.value
    if "certificate_number" in recipient:
        yield CERTIFICATE.id, recipient["certificate_number"]
    if "name" not in recipient or "birth_date" not in recipient:
        return
    name, born = recipient["name"], recipient["birth_date"].isoformat()
    if "sex" in recipient:
        yield NAME.id, f"{plain(name)}/{born}/{recipient['sex']}"
    yield SOUND.id, f"{sound(name)}/{born}"
    for number in guardians:
        yield GUARDIAN_BIRTH.id, f"{number}/{born}"
        yield GUARDIAN_SOUND.id, f"{number}/{sound(name)}"


def score(alike: Collection[str]) -> int:
    """Return how sure it is that two records are about one person, in percent, 0 to 99.

    Each likeness leaves the doubt that its weight leaves; those of a name and of its sound are
    one.

    Args:
        alike: Ids of what is alike.
    """
    counted = set(alike) - ({SOUND.id} if NAME.id in alike else set())
    doubt = prod(100 - LIKENESSES[likeness].weight for likeness in counted)
    return min(99, 100 - doubt // 100 ** (len(counted) - 1)) if counted else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleDuplicate(Check):
    """A record that may be about the same person as the one that is written.

    Attributes:
        score: How sure it is, in percent.
        alike: What is alike.
        record: The other record; None where the writer may not see it.
    """

    score: int
    alike: tuple[Likeness, ...]
    record: UUID | None

    def describe(self) -> dict[str, Any]:
        """Return the JSON object that interfaces show."""
        head = {**Check.describe(self), "score": self.score, "alike": described(self.alike)}
        return head | ({"record": str(self.record)} if self.record else {})


def possible_duplicate(alike: Collection[str], record: UUID | None) -> PossibleDuplicate:
    """Return the remark on a record that is alike."""
    return PossibleDuplicate(
        "possible-duplicate-record",
        Severity.WARN,
        Wording(
            "可能已有同一受种者的档案，请核对，必要时合并。",
            "There may be a record of this person already: look, and merge them if so.",
        ),
        score=score(alike),
        alike=ordered(alike),
        record=record,
    )


def ordered(alike: Collection[str]) -> tuple[Likeness, ...]:
    """Return what is alike, the weightiest first."""
    return tuple(sorted((LIKENESSES[one] for one in alike), key=lambda one: -one.weight))


def described(alike: Collection[Likeness]) -> list[dict[str, str]]:
    """Return the JSON objects of what is alike."""
    return [{"id": one.id, "zh": one.text.zh, "en": one.text.en} for one in alike]


def likenesses_markdown() -> str:
    """Return what is compared, as a section of documentation."""
    lines = [
        "## Two records about one person",
        "",
        "What may be alike in two records, and how sure each makes by itself, in percent. Several",
        f"together leave the product of their doubts; from {THRESHOLD} on a person is asked, with",
        "`possible-duplicate-record` (warn) beside the receipt, and under",
        "`GET /v1/records/<id>/duplicates` ([how](duplicates.md)).",
        "",
        "| id | weight | 中文 | English |",
        "|---|---|---|---|",
        *(
            f"| `{one.id}` | {one.weight} | {one.text.zh} | {one.text.en} |"
            for one in LIKENESSES.values()
        ),
    ]
    return "\n".join(lines) + "\n"
