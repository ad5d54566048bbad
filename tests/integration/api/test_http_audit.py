"""The audit of a record: who, for whom, when, why, before and after, and a proof of it all."""

import json
from typing import Any

import httpx
import pytest

from api.dossier import Dossier
from api.parts import Serving
from client.dossier import verify_dossier
from client.errors import DossierError, RefutedError
from client.trust import Trust
from tests.integration.api.conftest import County
from tests.integration.api.family import Family, family


@pytest.fixture(scope="module")
def household(county: County) -> Family:
    return family(county)


def audited(county: County, household: Family, **params: Any) -> list[dict[str, Any]]:
    answer = county.regulator.get(f"{household.path}/audit", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["lines"]


def line_of(lines: list[dict[str, Any]], topic: str) -> dict[str, Any]:
    return next(line for line in lines if line["topic"] == f"{topic}.v1")


def test_each_line_tells_who_for_whom_when_and_how_proven(county: County, household: Family):
    lines = audited(county, household)
    assert [line["position"] for line in lines] == sorted(line["position"] for line in lines)
    assert all(line["signature"]["valid"] for line in lines)
    assert all(line["title"]["zh"] and line["title"]["en"] for line in lines)
    given = line_of(lines, "vaccination-record.dose-administered")
    assert given["organisation"]["name"] == given["clinic"]["name"] == "第一门诊"
    assert given["signature"]["keyid"] == county.clinic.key.keyid
    assert not given["signed_by_platform"]
    receipt = county.clinic.get(given["receipt"]).json()
    assert receipt["leaf"] == given["leaf"]


def test_what_a_citizen_did_is_signed_by_the_platform_and_says_so(
    county: County, household: Family
):
    claimed = line_of(audited(county, household), "certificate.claimed")
    assert claimed["signed_by_platform"]
    assert claimed["on_behalf_of"] == str(household.child.mother)


def test_a_correction_tells_why_before_and_after(county: County, household: Family):
    requested = line_of(audited(county, household), "correction.requested")
    assert (requested["reason"], requested["requested_by"]) == ("wrong-vaccinator", "clinic")
    (change,) = requested["changes"]
    assert (change["before"], change["after"]) == ("赵医生", "钱医生")
    assert change["label"] == {"zh": "接种人员", "en": "vaccinator"}


def test_the_trail_ends_where_knowledge_did_and_comes_in_pages(county: County, household: Family):
    lines = audited(county, household)
    third = lines[2]["position"]
    assert audited(county, household, known_at=third) == lines[:3]
    first = county.regulator.get(f"{household.path}/audit", limit=2)
    following = first.headers["link"].partition(">")[0].lstrip("<")
    rest = county.regulator.get(following).json()["lines"]
    assert first.json()["lines"] + rest[: len(lines) - 2] == lines[: 2 + len(rest)]


@pytest.mark.parametrize("path", ["audit", "dossier"])
def test_who_may_not_read_the_record_gets_no_audit(county: County, household: Family, path: str):
    for reader in (county.far_clinic, county.school, household.mother):
        assert reader.get(f"{household.path}/{path}").status_code == 404
    assert county.served.http.get(f"{household.path}/{path}").status_code == 401


# Dossiers --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document(county: County, household: Family) -> dict[str, Any]:
    answer = county.regulator.get(f"{household.path}/dossier")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return answer.json()


def test_a_dossier_proves_itself_offline(county: County, household: Family, document, trust):
    found = verify_dossier(document, trust)
    lines = audited(county, household)
    assert list(found.entries) == [line["position"] for line in lines]
    assert found.record == household.child.record
    assert found.streams[household.child.record] == 3
    assert found.authors >= 4  # operator, platform, county CDC, clinic


def test_a_dossier_ends_where_knowledge_did(county: County, household: Family, trust: Trust):
    third = audited(county, household)[2]["position"]
    answer = county.regulator.get(f"{household.path}/dossier", known_at=third)
    found = verify_dossier(answer.json(), trust)
    assert len(found.entries) == 3
    assert found.size >= third


def test_a_dossier_reads_the_same_however_small_its_pieces_are(
    county: County, household: Family, document, trust: Trust
):
    serving = Serving.of(county.served.parts, county.served.views)
    known = document["entries"][-1]["position"]
    pieces = [Dossier.of(serving, [household.child.record], known, page) for page in (1, 2, 200)]
    texts = [json.loads(b"".join(dossier.text())) for dossier in pieces]
    assert texts == [dossier.document() for dossier in pieces]
    assert texts[0] == texts[1] == texts[2]
    assert len(verify_dossier(texts[0], trust).entries) == len(document["entries"])


def _altered(entry: str) -> str:
    return entry.replace("A20140601", "A20140602")


ATTACKS = {
    "an altered entry": lambda line: {**line, "entry": _altered(line["entry"])},
    "a missing envelope": lambda line: {**line, "envelope": None},
    "another envelope": lambda line: {**line, "envelope": line["envelope"].replace("A", "B", 1)},
    "another position": lambda line: {**line, "position": line["position"] + 1},
    "no proof": lambda line: {**line, "proof": ""},
    "another root": lambda line: {**line, "proof": line["proof"].replace("\n\n", "\n\nx", 1)},
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_altered_dossier_names_what_is_wrong(document, trust: Trust, attack: str):
    entries = list(document["entries"])
    at = next(n for n, line in enumerate(entries) if "dose-administered" in line["entry"])
    entries[at] = ATTACKS[attack](entries[at])
    with pytest.raises(RefutedError) as refuted:
        verify_dossier({**document, "entries": entries}, trust)
    assert refuted.value.position == entries[at]["position"]


def test_a_dossier_without_an_entry_in_between_has_a_gap(document, trust: Trust):
    entries = list(document["entries"])
    doses = [line for line in entries if "dose-administered" in line["entry"]]
    entries.remove(doses[0])
    with pytest.raises(RefutedError, match="version-gap"):
        verify_dossier({**document, "entries": entries}, trust)


def test_a_dossier_without_its_authors_proves_no_signature(document, trust: Trust):
    with pytest.raises(RefutedError, match="key-unknown"):
        verify_dossier({**document, "authors": document["authors"][:1]}, trust)


def test_another_childs_entries_are_no_part_of_a_dossier(
    county: County, household: Family, document, trust: Trust
):
    path = f"/v1/records/{household.sibling.record}/dossier"
    other = county.regulator.get(path).json()
    with pytest.raises(RefutedError, match="another-record"):
        verify_dossier({**document, "entries": other["entries"]}, trust)


@pytest.mark.parametrize(
    "document", [{}, {"format": "x", "origin": "y"}, {"format": "vaxledger-dossier.v1"}]
)
def test_something_else_is_no_dossier(document, trust: Trust):
    with pytest.raises(DossierError):
        verify_dossier(document, trust)


# The page --------------------------------------------------------------------------------------


def page(county: County, path: str, **params: Any) -> httpx.Response:
    return httpx.get(
        county.served.url + path, params=params, headers=county.regulator.bearer, timeout=60
    )


def test_the_page_shows_the_trail_in_chinese(county: County, household: Family):
    answer = page(county, f"/audit/{household.child.record}")
    assert answer.status_code == 200
    text = answer.text
    assert text.count('<article class="card entry"') == len(audited(county, household))
    for wanted in ("王小明", "申请更正", "赵医生", "钱医生", "签名有效", "第一门诊"):
        assert wanted in text, wanted
    assert "签名无效" not in text
    english = page(county, f"/audit/{household.child.record}", lang="en").text
    assert "Correction requested" in english
    assert "申请更正" not in english


def test_the_page_replays_step_by_step(county: County, household: Family):
    seen = []
    for step in (1, 2, 3):
        text = page(county, f"/audit/{household.child.record}", step=step).text
        seen.append((text.count('<article class="card entry"'), text.count("乙肝")))
    assert [entries for entries, _ in seen] == [1, 2, 3]
    before = page(county, f"/audit/{household.child.record}", known_at=1).text
    assert "此时尚未建档" in before


def test_the_page_says_what_is_wrong_with_a_day(county: County, household: Family):
    answer = page(county, f"/audit/{household.child.record}", known_at="2999-01-01")
    assert answer.status_code == 422
    assert "<main" in answer.text


def test_the_page_of_a_record_out_of_scope_is_like_none(county: County, household: Family):
    for record in (household.child.record, household.child.handle):
        answer = httpx.get(
            f"{county.served.url}/audit/{record}", headers=county.far_clinic.bearer, timeout=60
        )
        assert answer.status_code == 404
    asked = page(county, "/audit", record=str(household.child.record))
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        f"/audit/{household.child.record}",
    )


def test_opening_the_page_is_noted(county: County, household: Family):
    page(county, f"/audit/{household.child.record}")
    reads = county.clinic.get(f"{household.path}/access").json()["reads"]
    assert ("regulator", "audit") in {(read["role"], read["what"]) for read in reads}
