"""Personal values that occur nowhere else, and every spelling in which they could leak."""

import base64
import json
import mmap
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.drafts import id_number

_RARE = "龘靐齉爩籱麤龗灪龖厵滟爨癵驫"
_SHORTEST_TEXT = 3


@dataclass
class Canaries:
    """Makes values, and knows all that it has made."""

    made: list[str] = field(default_factory=list)

    def name(self) -> str:
        """A name of rare characters."""
        return self._keep("".join(secrets.choice(_RARE) for _ in range(6)))

    def number(self, birth_date: str = "20140615") -> str:
        """An identity number of a boy, valid in form."""
        return self._keep(id_number(birth_date))

    def phone(self) -> str:
        """A mobile number."""
        return self._keep(f"139{secrets.randbelow(10**8):08}")

    def package(self) -> str:
        """A package code."""
        return self._keep(f"81{secrets.randbelow(10**18):018}")

    def address(self) -> str:
        """An address."""
        return self._keep("".join(secrets.choice(_RARE) for _ in range(8)) + "路7号")

    def _keep(self, value: str) -> str:
        self.made.append(value)
        return value


def spellings(value: str) -> Iterator[bytes]:
    """The value as text, escaped in JSON and addresses, in hexadecimal and in base64."""
    raw = value.encode()
    yield raw
    yield value.encode("utf-16-le")
    yield json.dumps(value).strip('"').encode()
    yield quote(value).encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for offset in range(3):
        # The middle, which does not depend on what stands before and after.
        yield base64.b64encode(b"\0" * offset + raw)[4:-4]


def hits(values: Iterable[str], roots: Iterable[Path]) -> dict[str, list[str]]:
    """Which files below some folders hold which values; files that vanish hold nothing."""
    wanted = {spelling: value for value in values for spelling in spellings(value)}
    found: dict[str, list[str]] = {}
    for root in roots:
        for path in [root] if root.is_file() else root.rglob("*"):
            try:
                if not path.is_file() or not path.stat().st_size:
                    continue
                with (
                    path.open("rb") as file,
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
                ):
                    held = {value for raw, value in wanted.items() if content.find(raw) >= 0}
            except OSError:
                continue
            if held:
                found[str(path)] = sorted(held)
    return found
