"""The catalogue and the rule files: a name has one meaning, and no file contradicts itself."""

import copy
import json
from importlib.resources import files
from pathlib import Path

import pytest

from domain.errors import AmbiguousVaccine, DomainError, UnknownVaccine
from domain.schedules.catalogue import Catalogue
from domain.schedules.edition import InvalidRuleFile
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.json_document import InvalidJson, Node, parse_document

DATA = files("domain.schedules") / "data"
WORKED = json.loads(
    (Path(__file__).parents[2] / "spec/data/school-entry.json").read_text(encoding="utf-8")
)


def shipped(name):
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def changed(document, path, value):
    """Return a copy of a document with one place set, or taken out where the value is Ellipsis."""
    result = place = copy.deepcopy(document)
    *way, last = path
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return result


def test_every_word_of_the_worked_examples_is_known():
    catalogue = Catalogue.load()
    for symbol, facts in WORKED["meta"]["vaccine_vocabulary"].items():
        assert catalogue.vaccine(symbol).code == symbol
        assert catalogue.vaccine(facts["zh"]).code == symbol


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("0101", "BCG"),
        ("3901", "HepB"),
        ("0311", "OPV"),
        ("0303", "IPV"),
        ("0401", "DTwP"),
        ("0403", "DTaP"),
        ("0601", "DT"),
        ("0901", "MV"),
        ("0999", "MV"),
        ("1401", "MR"),
        ("1702", "MPCV-AC"),
        ("1703", "MPSV-ACYW135"),
        ("5301", "MPCV-AC-Hib"),
        ("1804", "JE-I"),
        ("1903", "HepA-I"),
        ("5001", "DTaP-IPV-Hib"),
        ("4901", "DTaP-Hib"),
        ("2803", "Rabies"),
        ("4401", "Rabies"),
        ("5601", "COVID-Vero"),
        ("5402", "EV71"),
        ("五联疫苗", "DTaP-IPV-Hib"),
        ("bOPV", "OPV"),
    ],
)
def test_codes_and_names_are_resolved(name, code):
    assert Catalogue.load().vaccine(name).code == code


@pytest.mark.parametrize(
    ("code", "candidates"),
    [
        ("1902", ["HepA-L", "HepA-I"]),
        ("0306", ["OPV", "IPV"]),
        ("2503", ["PCV13", "PPV23"]),
    ],
)
def test_a_code_that_systems_use_differently_is_never_guessed(code, candidates):
    with pytest.raises(AmbiguousVaccine) as refused:
        Catalogue.load().vaccine(code)
    assert refused.value.facts["candidates"] == candidates


@pytest.mark.parametrize(
    "name", ["", "bcg", "09", "28", "9999", "09011", "０９０１", "BCG ", "\ud800"]
)
def test_what_is_no_name_of_a_vaccine_is_refused(name):
    with pytest.raises(UnknownVaccine):
        Catalogue.load().vaccine(name)


def test_vaccines_say_what_a_clinic_must_know():
    catalogue = Catalogue.load()
    pentavalent = catalogue.vaccine("DTaP-IPV-Hib")
    assert pentavalent.components == {"diphtheria", "tetanus", "pertussis", "polio", "hib"}
    assert {v.code for v in catalogue if v.live and not v.injected} == {"OPV", "Rotavirus"}
    assert {v.code for v in catalogue if "measles" in v.components} == {"MV", "MR", "MMR", "MM"}
    for vaccine in catalogue:
        assert vaccine.routes
        assert vaccine.sites
        assert vaccine.code in catalogue


CATALOGUE_FAULTS = [
    (["vaccines", 1, "code"], "BCG"),
    (["vaccines", 1, "aliases"], ["卡介苗"]),
    (["vaccines", 1, "national_codes"], ["0101"]),
    (["vaccines", 1, "national_codes"], ["101"]),
    (["vaccines", 1, "national_code_prefixes"], ["09"]),
    (["vaccines", 1, "national_code_prefixes"], ["9"]),
    (["vaccines", 1, "routes"], ["XX"]),
    (["vaccines", 1, "routes"], []),
    (["vaccines", 1, "sites"], ["HEAD"]),
    (["vaccines", 1, "components"], []),
    (["vaccines", 1, "live"], "no"),
    (["vaccines", 1, "atc"], 7),
    (["vaccines", 1, "surprise"], 1),
    (["vaccines", 1, "cvx"], ...),
    (["ambiguous_codes", 0, "candidates"], ["HepA-X"]),
    (["ambiguous_codes", 0, "national_codes"], ["1903"]),
    (["routes", "IM", "injected"], ...),
    (["id"], "Not A Slug"),
    (["version"], 0),
    (["version"], True),
    (["effective_from"], "2018-13-01"),
    (["effective_to"], "2017-12-31"),
    (["title", "zh"], ...),
]


@pytest.mark.parametrize(("path", "value"), CATALOGUE_FAULTS)
def test_a_catalogue_that_contradicts_itself_is_refused(path, value):
    document = changed(shipped("vaccines-cn-2018.json"), path, value)
    with pytest.raises(DomainError) as refused:
        Catalogue.read(Node(document))
    assert refused.value.facts["pointer"].startswith("/")


REQUIREMENT_FAULTS = [
    (["required_doses", "3"], ...),
    (["required_doses"], {}),
    (["required_doses", "2", "HepB"], 4),
    (["required_doses", "2", "HepB"], 0),
    (["required_doses", "2", "HPV"], 1),
    (["required_doses", "two"], {"BCG": 1}),
    (["groups", 1, "code"], "BCG"),
    (["groups", 1, "columns"], 0),
    (["counting", 0, "vaccines"], ["BCX"]),
    (["counting", 0, "fills"], ["BCX"]),
    (["counting", 0, "fills"], []),
    (["counting", 0, "mode"], "twice"),
    (["counting", 0, "mode"], "first"),
    (["counting", 0, "mode"], "course"),
    (["counting", 5, "fills"], ["DPT", "DPT"]),
    (["counting", 3, "vaccines"], ["OPV"]),
    (["counting", 0], ...),
    (["counting", 18, "when"], {"hepatitis": "yes"}),
    (["counting", 18, "when"], {"hepab_credits": 1}),
    (["courses", 0], ...),
    (["courses", 0, "when"], ...),
    (["courses", 0, "column_after_dose", "2"], [2, 1]),
    (["courses", 0, "column_after_dose", "2"], [1, 2, 3]),
    (["courses", 0, "column_after_dose", "2"], []),
    (["courses", 0, "column_after_dose"], {}),
    (["courses", 0, "column_after_dose"], {"two": [1]}),
    (["courses", 0, "numbered_by"], "course"),
    (["courses", 0, "numbered_by"], "colour"),
    (["switches", "je_i_doses", "chosen"], "five"),
    (["no_longer_given", 0, "group"], "X"),
    (["no_longer_given", 0, "from_age_months"], -1),
    (["left_out_of_makeup_rate"], ["X"]),
    (["rules", "complete"], ...),
    (["rules", "complete", "number"], 1),
    (["rules", "missing", "zh"], "{group.zh}"),
    (["rules", "missing", "zh"], "{group!r}"),
    (["rules", "missing", "en"], "{numbers:>10}"),
    (["rules", "missing", "en"], "{child}"),
    (["rules", "missing", "en"], "{"),
    (["rules", "invented"], {"number": "1", "zh": "", "en": ""}),
    (["catalogue"], "vaccines-cn-1999"),
]


@pytest.mark.parametrize(("path", "value"), REQUIREMENT_FAULTS)
def test_a_rule_file_that_contradicts_itself_is_refused(path, value):
    document = changed(shipped("kaifeng-2018.entry.json"), path, value)
    with pytest.raises(DomainError) as refused:
        EntryRequirements.read(Node(document))
    assert refused.value.facts["pointer"].startswith("/")


def test_shipped_files_are_valid_and_say_where_they_come_from():
    for edition in (Catalogue.load().edition, EntryRequirements.load().edition):
        assert edition.source
        assert edition.is_in_force(edition.effective_from)
        assert edition.version == 1


def test_the_last_day_of_an_edition_is_included():
    document = changed(shipped("kaifeng-2018.entry.json"), ["effective_to"], "2019-08-31")
    edition = EntryRequirements.read(Node(document)).edition
    assert edition.effective_to is not None
    assert edition.is_in_force(edition.effective_to)
    assert not edition.is_in_force(edition.effective_to.replace(year=2020))


def test_switches_are_set_by_name_and_unknown_ones_refused():
    assert EntryRequirements.load().switches["je_i_doses"].chosen == "literal"
    national = EntryRequirements.load(je_i_doses="national")
    assert national.switches["je_i_doses"].chosen == "national"
    assert national is EntryRequirements.load(je_i_doses="national")
    for options in ({"je_i_doses": "five"}, {"moon": "full"}):
        with pytest.raises(DomainError):
            EntryRequirements.load(**options)


def test_the_table_is_that_of_the_worked_examples_and_of_annex_1():
    requirements = EntryRequirements.load()
    columns = {group.code: group.columns for group in requirements.groups.values()}
    assert columns == WORKED["meta"]["register_columns"]
    assert sum(columns.values()) == 22
    totals = {age: sum(row.values()) for age, row in requirements.rows.items()}
    assert totals == {2: 18, 3: 19, 4: 20, 5: 20, 6: 22}
    names = {group.code: group.name.zh for group in requirements.groups.values()}
    assert names == WORKED["meta"]["vaccine_groups"]
    assert requirements.left_out_of_makeup_rate == {"BCG"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "line 1"),
        (b"{", "line 1"),
        (b"\xff{}", "byte 0"),
        (b'{"a": 1, "a": 2}', "duplicate"),
        (b'{"a": NaN}', "NaN"),
        (b"[" * 100_000, "deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "limit"),
    ],
)
def test_a_document_that_is_no_strict_json_is_refused(raw, reason):
    with pytest.raises(InvalidJson) as refused:
        parse_document(raw)
    assert reason in refused.value.facts["reason"]


def test_a_byte_order_mark_is_no_fault():
    assert parse_document(b"\xef\xbb\xbf[1]").value == [1]


def test_a_pointer_is_escaped():
    with pytest.raises(DomainError) as refused:
        Node({"a/b~": 1}).entries()["a/b~"].text()
    assert refused.value.facts["pointer"] == "/a~1b~0"


def test_an_invalid_rule_file_names_the_place():
    document = changed(shipped("kaifeng-2018.entry.json"), ["groups", 1, "code"], "BCG")
    with pytest.raises(InvalidRuleFile) as refused:
        EntryRequirements.read(Node(document))
    assert refused.value.facts["pointer"] == "/groups/1"
