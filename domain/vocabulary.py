"""The kinds of values that clear fields are made of: codes, digests and closed lists.

Nothing here can hold free text about a person: what is not a closed list is a code with a
pattern or the name of an organisation, a product or a class.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from domain.shape import Pattern, Size

Division = Annotated[str, Pattern("[0-9]{6}(?:[0-9]{3})?")]
"""GB/T 2260 county (six digits) or township (nine digits)."""

Province = Annotated[str, Pattern("[0-9]{2}")]
"""First two digits of GB/T 2260; 66 is the Xinjiang corps (E-19)."""

Hex32 = Annotated[str, Pattern("[0-9a-f]{64}")]
"""32 bytes: a public key, a key id or a keyed digest."""

Hex64 = Annotated[str, Pattern("[0-9a-f]{128}")]
"""64 bytes: an Ed25519 signature."""

Hex16 = Annotated[str, Pattern("[0-9a-f]{32}")]
"""16 random bytes: an electronic identifier (C-3)."""

LogVkey = Annotated[str, Pattern("[!-*,-~]+[+][0-9a-f]{8}[+][0-9A-Za-z+/]+=*"), Size(1, 2400)]
"""A verifier key as text: name, key ID and key (C2SP signed-note)."""

SignedNote = Annotated[str, Pattern("[\\n -~\u2014]+"), Size(1, 12_000)]
"""A signed checkpoint, its lines as they are (C2SP signed-note)."""

LogOrigin = Annotated[str, Pattern("[!-*,-~]+"), Size(1, 200)]
"""The name of a log in its checkpoints (C2SP tlog-checkpoint)."""

Code = Annotated[str, Pattern("[a-z0-9]+(?:-[a-z0-9]+)*"), Size(1, 64)]
"""A reason or a rule, as a slug; the sentence stands in the catalogue, free text is sealed."""

RuleId = Annotated[str, Pattern("[A-Za-z0-9][A-Za-z0-9._-]*"), Size(1, 80)]
"""The id of a rule file or its version."""

VaccineCode = Annotated[str, Pattern("[A-Za-z0-9][A-Za-z0-9-]*"), Size(1, 32)]
"""A vaccine or vaccine group of the product catalogue, such as `DTaP-IPV-Hib` or `MCV`."""

NationalCode = Annotated[str, Pattern("[0-9]{4}")]
"""The four-digit national vaccine code (E-17)."""

Lot = Annotated[str, Pattern(r"[0-9A-Za-z][0-9A-Za-z ()/._-]*"), Size(1, 40)]
"""A lot number as printed on the package."""

Quantity = Annotated[str, Pattern(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)? [A-Za-z]+"), Size(1, 20)]
"""A decimal and a unit, such as `0.5 mL`."""

SiteCode = Annotated[str, Pattern("[A-Z]+"), Size(1, 8)]
"""Where on the body a dose was given: HL7 table 0163, by the vaccine catalogue."""

RouteCode = Annotated[str, Pattern("[A-Z]+"), Size(1, 8)]
"""How a dose was given: HL7 table 0162, by the vaccine catalogue."""

Name = Annotated[str, Size(1, 100)]
"""The name of an organisation, a product or a maker: never of a person."""

Hour = Annotated[str, Pattern("(?:[01][0-9]|2[0-3]):[0-5][0-9]")]
"""A time of day, civil time, to the minute."""

ProductCode = Annotated[str, Pattern("[A-Za-z0-9][A-Za-z0-9_-]*"), Size(1, 32)]
"""What an appointment is for: a product of the booking rules, or a vaccine group."""

SlotNumber = Annotated[int, Size(1, 64)]
SeatNumber = Annotated[int, Size(1, 1000)]

FieldName = Annotated[str, Pattern("[a-z]+(?:_[a-z]+)*"), Size(1, 40)]
"""The name of a field."""

Year = Annotated[int, Size(1900, 2200)]
DoseNumber = Annotated[int, Size(1, 20)]
Version = Annotated[int, Size(1, 2**53 - 1)]
AgeYears = Annotated[int, Size(0, 150)]


class SourceSystem(StrEnum):
    """Which system a dose comes from (C-20, issue 4)."""

    PROGRAMME = "programme"
    BITE_INJURY = "bite-injury"
    OTHER_PROVINCE = "other-province"
    PAPER = "paper"


class Relation(StrEnum):
    """What a person is to the child."""

    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN = "guardian"
    OTHER = "other"


class PersonKind(StrEnum):
    """Whose record or certificate it is."""

    CHILD = "child"
    ADULT = "adult"


class EntryType(StrEnum):
    """入托 or 入学 (S-38)."""

    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"


class Urgency(StrEnum):
    """When a correction takes effect (C-21; DESIGN section 8)."""

    NEXT_DAY = "next-day"
    IMMEDIATE = "immediate"
