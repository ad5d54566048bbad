"""The projector's fast reading of entries gives what the strict one gives."""

from dataclasses import fields
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.entry import Author, Entry, Seal
from projections.change import Batch, read_batch, read_change
from projections.queries import named_queries

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


def entry(data: dict, sealed: tuple[Seal, ...] = ()) -> Entry:
    return Entry(
        "log.example/test",
        "certificate.released.v1",
        UUID(int=5),
        3,
        "410204001",
        datetime(2024, 2, 29, 12, 0, 0, 123456, UTC),
        Author(str(UUID(int=1)), "a" * 64, "b" * 64),
        data,
        sealed,
    )


@given(st.dictionaries(st.from_regex("[a-z]{1,8}", fullmatch=True), VALUES, max_size=4))
def test_fast_and_strict_reading_agree(data):
    written = entry(data, (Seal(str(UUID(int=9)), "c" * 64),))
    raw = written.encode()
    position, read = read_change(17, raw)
    assert position == 17
    assert read.encode() == raw
    strict = Entry.decode(raw)
    assert all(getattr(read, one.name) == getattr(strict, one.name) for one in fields(Entry))


class Shelf:
    """Three entries, without a database."""

    def published(self) -> int:
        return 3

    def entries(self, first: int, limit: int):
        rows = [(number, entry({"n": number}).encode(), b"") for number in (1, 2, 3)]
        return rows[first - 1 : first - 1 + limit]


def test_a_batch_says_where_it_ends_even_when_it_is_empty():
    batch = read_batch(Shelf(), 1, 10)
    assert [change.entry.data["n"] for change in batch.changes] == [2, 3]
    assert (batch.after, batch.last) == (1, 3)
    assert read_batch(Shelf(), 3, 10) == Batch(3, [])
    assert read_batch(Shelf(), 3, 10).last == 3


def test_queries_are_found_by_name_without_their_header():
    queries = named_queries("loop.sql")
    assert queries["positions"].startswith(b"SELECT name, position")
    assert all(b"-- name" not in query for query in queries.values())
