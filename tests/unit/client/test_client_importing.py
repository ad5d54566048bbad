"""Rows of other systems in the words of the domain, and what is remembered of them."""

import stat
from pathlib import Path
from uuid import uuid4

import pytest

from client.importing.chunk import chunks_of
from client.importing.columns import ColumnMapping, ColumnMissing, ColumnTwice, MappingRefused
from client.importing.memory import ImportMemory, ImportMemoryError, KnownRow
from client.importing.parsing import UNKNOWN_UNIT, read_dose, read_person
from client.importing.source import SourceRow
from client.importing.verdicts import Verdict
from client.signing import AuthorKey
from domain.codec import MalformedData
from domain.errors import AmbiguousVaccine, DomainError, UnknownVaccine
from domain.schedules.catalogue import Catalogue
from domain.vocabulary import SourceSystem

PERSON = {"name": "张三", "sex": "男", "birth_date": "2014年6月5日"}
DOSE = {"vaccine": "0201", "occurred_on": "2014/8/5"}


def dose(**more: str):
    return read_dose({**DOSE, **more}, Catalogue.load(), SourceSystem.PROGRAMME)


def test_a_person_is_told_in_the_words_of_the_vocabulary():
    found = read_person({**PERSON, "guardian_name": "李四", "guardian_relation": "母亲"})
    assert found is not None
    assert found.recipient == {"name": "张三", "sex": "male", "birth_date": "2014-06-05"}
    assert (found.guardian, found.relation.value) == ({"name": "李四"}, "mother")


@pytest.mark.parametrize(
    "day", ["2014-08-05", "2014/8/5", "2014.8.5", "20140805", "2014年8月5日", "2014-08-05T09:30:00"]
)
def test_a_day_is_read_however_the_source_spells_it(day: str):
    assert dose(occurred_on=day).clear["occurred_on"] == "2014-08-05"


@pytest.mark.parametrize("day", ["", "2014-13-01", "2014-2-30", "14-8-5", "41862", "2014-8", "0"])
def test_what_is_no_day_is_refused_and_not_repeated(day: str):
    with pytest.raises(MalformedData) as refused:
        dose(occurred_on=day)
    assert refused.value.facts == {"pointer": "/occurred_on", "reason": "no such day"}


@pytest.mark.parametrize(
    ("values", "clear"),
    [
        ({"site": "左上臂", "route": "肌内注射"}, {"site": "LA", "route": "IM"}),
        ({"site": "LA", "route": "IM"}, {"site": "LA", "route": "IM"}),
        ({"quantity": "0.5ml"}, {"quantity": "0.5 mL"}),
        ({"quantity": "10 微克"}, {"quantity": "10 ug"}),
        ({"dose_number": "第2剂"}, {"dose_number": 2}),
        ({"vaccine": "乙肝疫苗"}, {"vaccine": "HepB"}),
        ({"combined_vaccine": "4901", "vaccine": "0401"}, {"vaccine": "DTaP-Hib"}),
    ],
)
def test_codes_and_quantities_become_those_of_the_catalogue(values, clear):
    found = dose(**values).clear
    assert {name: found[name] for name in clear} == clear


def test_a_placeholder_organisation_is_no_unit():
    assert dose(unit="888888888888").unit == UNKNOWN_UNIT
    assert dose().unit == UNKNOWN_UNIT
    assert dose(unit="某门诊").unit == "某门诊"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"vaccine": "1902"}, AmbiguousVaccine),
        ({"vaccine": ""}, UnknownVaccine),
        ({"dose_number": "9" * 5000}, MalformedData),
        ({"lot": "批号"}, MalformedData),
        ({"quantity": "半支"}, MalformedData),
    ],
)
def test_what_cannot_be_understood_is_refused_and_never_guessed(values, error):
    with pytest.raises(error):
        dose(**values)


def test_a_persons_values_are_in_no_error():
    for values in (
        {"sex": "张三"},
        {"birth_date": "张三"},
        {"guardian_name": " ", "phone": "张三"},
    ):
        with pytest.raises(DomainError) as refused:
            read_person({**PERSON, **values})
        assert "张三" not in str(refused.value.facts)


def test_headings_are_known_in_every_form(tmp_path: Path):
    headings = ["流水号", "儿 童编码", "ｌｏｔ", "whatever"]
    found = ColumnMapping().fields_of(headings)
    assert found == {"流水号": "row", "儿 童编码": "person", "ｌｏｔ": "lot"}
    with pytest.raises(ColumnTwice):
        ColumnMapping().fields_of(["流水号", "记录编号", "person"])
    with pytest.raises(ColumnMissing):
        ColumnMapping().fields_of(["流水号"])
    path = tmp_path / "mapping.json"
    for wrong in ("[]", "{", '{"rows": []}', '{"columns": {"a": "no-field"}}', '{"row": []}'):
        path.write_text(wrong)
        with pytest.raises(MappingRefused):
            ColumnMapping.load(path)


def test_a_memory_keeps_digests_for_its_owner_alone(tmp_path: Path):
    key = AuthorKey.from_seed(uuid4(), b"s" * 32)
    path = tmp_path / "memory.sqlite"
    with ImportMemory.open(path, "log.example", "old", key) as memory:
        known = KnownRow(memory.key("row", "张三-1"), b"c" * 16, b"p" * 16, uuid4(), 3, 17)
        with memory.step():
            memory.keep_row(known)
        with memory.step(keep=False):
            memory.forget_row(known.key, b"g" * 16)
        assert memory.row(known.key) == known
        secret = memory.key("row", "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("memory.sqlite*"))
    assert "张三".encode() not in stored
    with ImportMemory.open(path, "log.example", "old", key) as memory:
        assert memory.row(known.key) == known
    path.unlink()
    with ImportMemory.open(path, "log.example", "old", key) as memory:
        assert memory.key("row", "x") == secret, "lost, it is made anew from the clinic's key"
    for origin, system in (("other.example", "old"), ("log.example", "new")):
        with pytest.raises(ImportMemoryError), ImportMemory.open(path, origin, system, key):
            pass
    path.write_bytes(b"no database at all, but long enough to be looked at as one" * 9)
    with pytest.raises(ImportMemoryError), ImportMemory.open(path, "log.example", "old", key):
        pass


@pytest.mark.parametrize(
    ("people", "chunks"),
    [
        ("aaabbbccc", ["aaabbb", "ccc"]),
        ("aaaabbbbb", ["aaaa", "bbbbb"]),  # b would be cut
        ("aabbbbbbbb", ["aabbbb", "bbbb"]),  # too little would be left
        ("abcabcabc", ["abcabc", "abc"]),
        ("", []),
    ],
)
def test_a_chunk_ends_where_a_persons_rows_end_if_that_leaves_half_of_it(people, chunks):
    rows = [
        (SourceRow(number, {"person": name}), Verdict.NEW) for number, name in enumerate(people)
    ]
    cut = list(chunks_of(rows, 6))
    assert ["".join(row.values["person"] for row, _ in one) for one in cut] == chunks
    assert [row for one in cut for row in one] == rows
