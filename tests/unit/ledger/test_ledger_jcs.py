"""Canonical JSON: one spelling, and a reader that takes nothing else for granted."""

import uuid
from datetime import UTC, datetime
from enum import StrEnum

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger import jcs
from ledger.errors import EntryError, TooDeepError
from ledger.jcs import MAX_INTEGER, canonical, check_depth, is_canonical, parse, parse_canonical

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_canonical_bytes_are_those_of_an_independent_encoder(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(VALUES)
def test_both_readers_return_what_was_written(value):
    raw = canonical(value)
    assert parse(raw) == parse_canonical(raw) == value
    assert is_canonical(raw)


def test_known_bytes():
    value = {"b": [True, None, -1], "a": '\u20ac\x0f\n\\"/\u2028\x7f', "B": {}, "": MAX_INTEGER}
    assert canonical(value) == (
        b'{"":9007199254740991,"B":{},"a":"\xe2\x82\xac\\u000f\\n\\\\\\"/\xe2\x80\xa8\x7f",'
        b'"b":[true,null,-1]}'
    )


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        [2**64],
        "\ud800",
        {"a": ["\udfff"]},
        {"名": 1},
        {"\ud800": 1},
        {1: 1},
        {Colour.RED: 1},
        b"bytes",
        {1, 2},
        Colour.RED,
        uuid.UUID(int=1),
        datetime(2026, 9, 1, tzinfo=UTC),
        {"a": {"b": [object()]}},
    ],
)
def test_what_has_no_place_in_an_entry_is_refused(value):
    with pytest.raises(EntryError):
        canonical(value)


def test_a_tuple_is_written_as_an_array():
    assert canonical({"a": (1, "2")}) == b'{"a":[1,"2"]}'


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def test_thirty_two_levels_are_the_most_for_writer_and_readers_alike():
    raw = canonical(nested(32))
    assert parse(raw) == parse_canonical(raw) == nested(32)
    too_deep = b"[" + raw + b"]"
    with pytest.raises(EntryError):
        canonical(nested(33))
    with pytest.raises(EntryError):
        parse(too_deep)
    with pytest.raises(EntryError):
        parse_canonical(too_deep)


@pytest.mark.parametrize("bomb", [b"[" * 2_000_000, b'{"a":' * 500_000, b'["[",' * 300_000])
def test_a_depth_bomb_is_refused_before_it_is_parsed(bomb, monkeypatch):
    monkeypatch.setattr(jcs.json, "loads", pytest.fail)
    with pytest.raises(EntryError):
        parse(bomb)


def test_brackets_inside_strings_are_no_levels():
    check_depth(b'["' + b"[" * 100 + b'\\"' + b"{" * 100 + b'"]')


@pytest.mark.timeout(60)
def test_quotes_without_end_are_looked_at_once():
    """Tried from each quote anew, 60 KB took ten seconds, and a megabyte would take an hour."""
    with pytest.raises(TooDeepError):
        check_depth(b"[" * 40 + b'"\\' * 500_000)


def test_a_closing_bracket_buys_no_credit_for_later_levels():
    with pytest.raises(EntryError):
        check_depth(b"[]" * 50 + b"[" * 33)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xef\xbb\xbf[1]",
        b"\xff\xfe[\x001\x00]\x00",
        b"[1] [2]",
        b"[1,]",
        b"{'a':1}",
        b"[NaN]",
        b"[Infinity]",
        b"[1.0]",
        b"[1e2]",
        b"[-1E+2]",
        b"[9007199254740992]",
        b"[-9007199254740992]",
        b"[" + b"9" * 100_000 + b"]",
        b"[01]",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"\\u0062":2}}',
        b'{"\xe5\x90\x8d":1}',
        b'["\\ud800"]',
        b'["\\udc00\\ud800"]',
        b'["\xed\xa0\x80"]',
        b'["\xff"]',
        b'["\n"]',
        b'["\\x41"]',
    ],
)
def test_bad_json_is_refused_by_both_readers(raw):
    with pytest.raises(EntryError):
        parse(raw)
    with pytest.raises(EntryError):
        parse_canonical(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b' {"b":1, "a":2}\n', {"a": 2, "b": 1}),
        (b'["\\u0041\\/"]', ["A/"]),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b"[-0]", [0]),
    ],
)
def test_other_spellings_are_read_by_the_lenient_reader_only(raw, value):
    assert parse(raw) == value
    assert not is_canonical(raw)


@pytest.mark.parametrize("raw", [b'{"a":1.5}', b'["x",1e400]', b"[0.1]", b'{"\xe5\x90\x8d":1}'])
def test_bytes_that_come_out_as_they_went_in_can_still_be_outside_the_subset(raw):
    assert not is_canonical(raw)


def test_a_reader_can_ask_for_fewer_levels():
    assert parse(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(EntryError):
        parse(b"[[1]]", max_depth=1)
