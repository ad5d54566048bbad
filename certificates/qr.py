"""The code that shows a credential: a QR code in alphanumeric mode (HCERT, section 4.2).

No code is larger than version 23, which a phone reads from a screen or from 35 mm on paper. The
error correction is level Q, a quarter of the code, where the text fits; longer histories, of some
thirty doses and more, take the next lower level that holds them.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import segno

from certificates.errors import CodeTooLarge

MAX_VERSION = 23
QUIET_ZONE = 4
"""Light modules around the code (ISO/IEC 18004, section 9.1)."""

Level = Literal["Q", "M", "L"]

_LEVELS: tuple[Level, ...] = ("Q", "M", "L")
_MASK = 0
"""Fixed, not chosen: compressed or sealed text looks random under each of the eight masks, so none
is read better, and weighing them all (section 7.8.3) is four fifths of the work."""


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code.

    Attributes:
        version: 1 to 23; it has 17 + 4 x version modules a side.
        level: Share of the code that may be unreadable: Q 25 %, M 15 %, L 7 %.
    """

    version: int
    level: Level
    _code: segno.QRCode

    @classmethod
    def of(cls, text: str) -> "Code":
        """Return the code of a credential's text.

        Raises:
            CodeTooLarge: If it fits version 23 at no level, or has characters of another mode.
        """
        for level in _LEVELS:
            try:
                code = segno.make_qr(
                    text, error=level, mode="alphanumeric", boost_error=False, mask=_MASK
                )
            except ValueError as error:
                raise CodeTooLarge(chars=len(text)) from error
            if int(code.version) <= MAX_VERSION:
                return cls(int(code.version), level, code)
        raise CodeTooLarge(chars=len(text))

    @property
    def modules(self) -> int:
        """Modules a side, without the quiet zone."""
        return 17 + 4 * self.version

    def svg(self) -> bytes:
        """Return a standalone SVG document, one unit a module, black on white."""
        return self._save("svg", scale=1)

    def png(self, scale: int = 4) -> bytes:
        """Return a PNG image, black on white.

        Args:
            scale: Pixels a module.
        """
        return self._save("png", scale=scale)

    def _save(self, kind: Literal["svg", "png"], scale: int) -> bytes:
        out = BytesIO()
        self._code.save(out, kind=kind, scale=scale, border=QUIET_ZONE, dark="#000", light="#fff")
        return out.getvalue()
