"""What every credential says first: of whom it speaks, by which rules, and at which log state."""

import re
from dataclasses import dataclass
from datetime import date

from certificates.shape import check_bytes, check_code, check_day, check_number, check_text

IDENTIFIER_BYTES = 16
ROOT_PREFIX_BYTES = 8

_MAX_NAME = 100
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Holder:
    """The person that a credential speaks of.

    Attributes:
        identifier: 16 random bytes drawn when the certificate was claimed; made from nothing, so
            they reveal nothing (C-3).
        name: As on the record, at most 100 characters, NFC.
        birth_date: Civil day.
    """

    identifier: bytes
    name: str
    birth_date: date

    def __post_init__(self) -> None:
        check_bytes(self.identifier, IDENTIFIER_BYTES, "identifier")
        check_text(self.name, _MAX_NAME, "name")
        check_day(self.birth_date, "birth date")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A versioned rule file: a schedule, a catalogue, an entry requirement.

    Attributes:
        id: Such as ``kaifeng-2018-school-entry``.
        version: From 1.
    """

    id: str
    version: int

    def __post_init__(self) -> None:
        check_code(self.id, _RULE_ID, "rule file")
        check_number(self.version, 1, 2**31 - 1, "rule file version")


@dataclass(frozen=True, slots=True)
class LogState:
    """The state of the log that a credential reflects, all of it and nothing later.

    Attributes:
        position: The last position; also the size of the tree that ends with it.
        root_prefix: First 8 bytes of the root hash of that tree: enough to tell which log, too
            short to be evidence alone. A verifier that wants proof takes the witnessed checkpoint.
    """

    position: int
    root_prefix: bytes

    def __post_init__(self) -> None:
        check_number(self.position, 1, 2**63 - 1, "log position")
        check_bytes(self.root_prefix, ROOT_PREFIX_BYTES, "root prefix")
