"""A map from 16 bytes to a small number, hardly larger than its content.

A dict of the same needs some 200 bytes a key. Here a key costs its 16 bytes, those of its number,
and an eighth more for what growing arrays hold in reserve.
"""

from collections.abc import Iterator

KEY_BYTES = 16

_BUCKETS = 1 << 16


class CompactMap:
    """A map of 16-byte keys, which an adversary may choose.

    Args:
        value_bytes: Of each number.
    """

    def __init__(self, value_bytes: int) -> None:
        self.record_bytes = KEY_BYTES + value_bytes
        self._buckets: dict[int, bytearray] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def content_bytes(self) -> int:
        """Bytes of all keys and numbers."""
        return self._size * self.record_bytes

    def get(self, key: bytes) -> int:
        """Return the number of a key, 0 if it has none."""
        bucket = self._buckets.get(hash(key) % _BUCKETS)
        if bucket is None or (at := self._find(bucket, key)) < 0:
            return 0
        return int.from_bytes(bucket[at + KEY_BYTES : at + self.record_bytes], "big")

    def put(self, key: bytes, value: int) -> int:
        """Give a key a number; raises OverflowError if that has too many bytes.

        Returns:
            The number that it had, 0 if none.
        """
        # A hash of bytes has a secret of its process: nobody can fill one bucket on purpose.
        place = hash(key) % _BUCKETS
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = bytearray()
        number = value.to_bytes(self.record_bytes - KEY_BYTES, "big")
        at = self._find(bucket, key)
        if at < 0:
            bucket += key
            bucket += number
            self._size += 1
            return 0
        start, end = at + KEY_BYTES, at + self.record_bytes
        former = int.from_bytes(bucket[start:end], "big")
        bucket[start:end] = number
        return former

    def records(self) -> Iterator[bytes]:
        """Yield keys with their numbers, many at a time, in any order."""
        return map(bytes, self._buckets.values())

    def load(self, records: bytes) -> None:
        """Put what ``records`` yielded."""
        for at in range(0, len(records), self.record_bytes):
            middle = at + KEY_BYTES
            number = int.from_bytes(records[middle : at + self.record_bytes], "big")
            self.put(records[at:middle], number)

    def _find(self, bucket: bytearray, key: bytes) -> int:
        at = bucket.find(key)
        while at > 0 and at % self.record_bytes:  # the same bytes across two records
            at = bucket.find(key, at + 1)
        return at
