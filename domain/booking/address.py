"""The detailed address and the fields of a person booked for (A-18, A-19)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from domain.booking.objection import Objection
from domain.schedules.edition import Wording

DETAIL_ADDRESS = "detail_address"


@dataclass(frozen=True, slots=True)
class Characters:
    """A range of code points, both ends included."""

    first: int
    last: int


def is_address(text: str, allowed: Collection[Characters]) -> bool:
    """Tell whether a detailed address is filled in with allowed characters only (A-19)."""
    return bool(text) and all(
        any(span.first <= ord(character) <= span.last for span in allowed) for character in text
    )


def judge_address(text: str, allowed: Collection[Characters]) -> Iterator[Objection]:
    """Refuse an empty address and other characters, such as emoji, letters and punctuation."""
    if not is_address(text, allowed):
        yield Objection("address_invalid")


def judge_proxy(
    fields: Mapping[str, str], required: Mapping[str, Wording], allowed: Collection[Characters]
) -> Iterator[Objection]:
    """Ask for every field of the person booked for, and judge the address among them (A-18)."""
    missing = [name for name in required if not fields.get(name, "").strip()]
    if missing:
        names = Wording(
            "、".join(required[name].zh for name in missing),
            ", ".join(required[name].en for name in missing),
        )
        yield Objection("proxy_incomplete", {"fields": names})
    if DETAIL_ADDRESS in required and DETAIL_ADDRESS not in missing:
        yield from judge_address(fields[DETAIL_ADDRESS], allowed)
