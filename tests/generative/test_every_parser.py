"""No bytes crash a parser, and each takes its own well-formed sample."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generative.parsers import PARSERS
from tests.generative.test_ledger_parsers import mutilated

DEEP = (b"[" * 100_000, b'{"a":' * 100_000, b"\x81" * 100_000, b'{"position":' + b"[" * 100_000)
LONG = (b"1" * 100_000, b"-" + b"9" * 5_000, b'{"position":1' + b"0" * 100_000 + b"}")


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_takes_what_is_well_formed(name):
    parser = PARSERS[name]
    parser.read(parser.sample)


def attempt(name, raw):
    parser = PARSERS[name]
    with suppress(*parser.refusals):
        parser.read(raw)


@pytest.mark.parametrize("name", PARSERS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_bytes_crash_a_parser(name, data):
    attempt(name, data.draw(mutilated(PARSERS[name].sample) | st.binary(max_size=80)))


@pytest.mark.parametrize("name", PARSERS)
def test_no_depth_and_no_length_crash_a_parser(name):
    for raw in (*DEEP, *LONG, b"", b"\0", b"\xff" * 70_000, PARSERS[name].sample * 40):
        attempt(name, raw)
