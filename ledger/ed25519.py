"""Public key checks that RFC 8032 verification leaves out.

The verifier of ``cryptography`` rejects bad signatures but accepts some public keys of small
order and some non-canonical spellings. Under such a key one signature fits many messages: its
owner could deny, or be blamed for, anything. They are refused where a key enters: at registration
and in verifier keys.
"""

from functools import lru_cache

from ledger.errors import KeyMaterialError

KEY_BYTES = 32

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

# Extended coordinates X, Y, Z, T: x = X/Z, y = Y/Z, xy = T/Z.
_Point = tuple[int, int, int, int]
_IDENTITY: _Point = (0, 1, 1, 0)


@lru_cache(maxsize=4096)  # the same few keys are parsed again and again
def check_public_key(public: bytes) -> None:
    """Refuse a raw Ed25519 public key that is not a canonical point of the prime-order group.

    Honest keys always are; small-order, mixed-order and non-canonical points never stem from an
    honest key generation.

    Raises:
        KeyMaterialError: With the reason.
    """
    # 1. RFC 8032, 5.1.3: 32 bytes, y below p, x recoverable, no negative zero.
    point = _decompress(public)
    # 2. The order divides L, so no component of order 2, 4 or 8 (which leaves cofactored and
    #    cofactorless verifiers nothing to disagree about).
    if not _is_identity(_multiply(_ORDER, point)):
        raise KeyMaterialError("The public key has a component of small order.")
    # 3. The one remaining point of small order.
    if _is_identity(point):
        raise KeyMaterialError("The public key is the neutral point.")


def _decompress(public: bytes) -> _Point:
    if len(public) != KEY_BYTES:
        raise KeyMaterialError("An Ed25519 public key has 32 bytes.", size=len(public))
    encoded = int.from_bytes(public, "little")
    y, sign = encoded & (2**255 - 1), encoded >> 255
    if y >= _P:
        raise KeyMaterialError("The public key is not in canonical form.")
    # x^2 = (y^2 - 1) / (d y^2 + 1); candidate root by one exponentiation.
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x + u) % _P == 0:
        x = x * _SQRT_MINUS_ONE % _P
    if (v * x * x - u) % _P != 0:
        raise KeyMaterialError("The public key is not a point of the curve.")
    if x == 0 and sign:
        raise KeyMaterialError("The public key is not in canonical form.")
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _add(left: _Point, right: _Point) -> _Point:
    """Add two points (RFC 8032, 5.1.4; complete, so it doubles as well)."""
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _multiply(scalar: int, point: _Point) -> _Point:
    """Multiply a public point by a public number; not constant in time, no secret is near."""
    total = _IDENTITY
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _is_identity(point: _Point) -> bool:
    x, y, z, _ = point
    return x % _P == 0 and (y - z) % _P == 0
