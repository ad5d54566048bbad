"""Which 32 bytes are a sound Ed25519 public key: canonical, on the curve, not of low order.

RFC 8032 section 5.1.3 by integers; slow and plain. Only public data passes here.
"""

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
_ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]


def decode(key: bytes) -> Point | None:
    """Return the point that 32 bytes encode, or None if they encode none in its one spelling."""
    if len(key) != 32:
        return None
    number = int.from_bytes(key, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * _ROOT_OF_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def double(point: Point) -> Point:
    """Return twice a point."""
    x, y = point
    k = D * x * x % P * y * y % P
    return (
        2 * x * y * pow(1 + k, -1, P) % P,
        (y * y + x * x) * pow(1 - k, -1, P) % P,
    )


def is_sound_key(key: bytes) -> bool:
    """Return whether bytes are a canonical public key whose order is not a divisor of eight."""
    point = decode(key)
    return point is not None and double(double(double(point))) != (0, 1)
