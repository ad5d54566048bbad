"""Rows that the database tells as JSON become what a constructor would make of them."""

from dataclasses import FrozenInstanceError, dataclass
from datetime import date
from uuid import UUID

import pytest

from projections.gathering import rows_of_json

CLINIC = "01890a5d-ac96-774b-bcce-b302099a8057"


@dataclass(frozen=True)
class Row:
    clinic: UUID
    given_on: date | None
    lot: str | None


def test_rows_equal_those_of_the_constructor_and_are_as_frozen():
    text = f'[{{"clinic":"{CLINIC}","given_on":"2026-02-28","lot":null}}]'
    (row,) = rows_of_json(Row, text)
    assert row == Row(UUID(CLINIC), date(2026, 2, 28), None)
    assert hash(row) == hash(Row(UUID(CLINIC), date(2026, 2, 28), None))
    with pytest.raises(FrozenInstanceError):
        row.lot = "L1"


def test_columns_that_a_row_may_lack_stay_none():
    text = f'[{{"clinic":"{CLINIC}","given_on":null,"lot":"L1"}}]'
    assert rows_of_json(Row, text) == [Row(UUID(CLINIC), None, "L1")]


@pytest.mark.parametrize("columns", ['"clinic":null', '"clinic":null,"given_on":null,"name":null'])
def test_other_columns_are_refused(columns):
    with pytest.raises(TypeError, match="Row"):
        rows_of_json(Row, f"[{{{columns}}}]")


def test_no_rows_are_none_of_any_kind():
    assert rows_of_json(Row, "[]") == []
