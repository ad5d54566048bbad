"""One correction of a whole lot: previewed, signed once, resumed; and the list of corrections."""

import json
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from api.corrections import list_digest_of
from bootstrap.wiring import publish_verifier_keys
from cli.correction import app
from ledger.entry import Entry
from tests.integration.api.conftest import Author, County
from tests.integration.api.correcting import LOT, correct, request, step, vaccinated

MAKER = "北京生物"


def listed(reader: Author, **params) -> list[dict]:
    reader.served.caught_up()
    answer = reader.get("/v1/corrections", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["corrections"]


# The list --------------------------------------------------------------------------------------


def test_corrections_are_listed_by_record_clinic_and_state(county: County):
    child, which = vaccinated(county)
    stream, asked = request(county.clinic, child, which, LOT)
    other, _ = request(county.clinic, child, which, LOT, reason="second-look")
    step(county.clinic, stream, "verified", 1)
    step(county.clinic, other, "rejected", 1, reason="evidence-insufficient")
    for reader in (county.clinic, county.cdc, county.regulator):
        both = listed(reader, record=str(child.record))
        assert [(row["correction"], row["state"]) for row in both] == [
            (str(stream), "verified"),
            (str(other), "rejected"),
        ]
    assert both[1]["decision"] == "evidence-insufficient"
    (still,) = listed(county.clinic, record=str(child.record), state="open")
    assert (still["correction"], still["version"]) == (str(stream), 2)
    clinic = str(county.clinic.organisation)
    assert str(stream) in {
        row["correction"] for row in listed(county.cdc, clinic=clinic, state="verified")
    }
    (then,) = listed(county.clinic, record=str(child.record), known_at=asked.json()["position"])
    assert then["state"] == "requested"


def test_corrections_come_in_pages_and_only_of_the_own_divisions(county: County):
    child, which = vaccinated(county)
    for _ in range(3):
        request(county.clinic, child, which, LOT)
    county.served.caught_up()
    first = county.cdc.get("/v1/corrections", record=str(child.record), limit=2)
    following = first.headers["link"].partition(">")[0].lstrip("<")
    rest = county.cdc.get(following).json()["corrections"]
    assert (len(first.json()["corrections"]), len(rest)) == (2, 1)
    assert county.far_clinic.get("/v1/corrections", record=str(child.record)).status_code == 404
    far = listed(county.far_clinic)
    assert all(row["division"].startswith("410288") for row in far)
    for stranger in (county.school, county.kindergarten):
        assert stranger.get("/v1/corrections").status_code == 403


def test_the_page_shows_what_is_open_and_leads_to_the_trail(county: County):
    child, which = vaccinated(county)
    stream, asked = request(county.clinic, child, which, LOT, requested_by="guardian")
    position = asked.json()["position"]
    county.served.caught_up()

    def page(**params) -> str:
        answer = httpx.get(
            f"{county.served.url}/corrections",
            params={"after": position - 1, **params},
            headers=county.clinic.bearer,
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    link = f"/audit/{child.record}#entry-{position}"
    assert link in page()
    assert "监护人" in page()
    assert "a guardian" in page(lang="en")
    assert link not in page(state="applied")
    step(county.clinic, stream, "withdrawn", 1, reason="asked-twice")
    county.served.caught_up()
    assert link not in page()
    assert "重复申请" in page(state="withdrawn")
    answer = httpx.get(f"{county.served.url}/corrections", headers=county.school.bearer, timeout=60)
    assert answer.status_code == 403


# Many at once ----------------------------------------------------------------------------------


def preview(by: Author, **body):
    by.served.caught_up()
    return by.call("/v1/corrections/preview", {"reason": "wrong-expiry", **body})


def test_a_preview_lists_each_dose_of_a_lot_and_writes_nothing(county: County):
    lot = f"M{uuid4().hex[:8]}"
    children = [vaccinated(county, lot=lot) for _ in range(3)]
    head = county.served.head()
    changes = [{"field": "expires_on", "after": "2016-12-31"}]
    answer = preview(county.clinic, maker=MAKER, lot=lot, changes=changes)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert county.served.head() == head
    assert {line["data"]["dose"] for line in body["lines"]} == {which for _, which in children}
    for line in body["lines"]:
        assert line["data"]["changes"] == [
            {"field": "expires_on", "before": "2017-01-31", "after": "2016-12-31"}
        ]
        assert line["data"]["list"] == body["list"]
    assert body["list"] == list_digest_of([line["data"] for line in body["lines"]])
    doses = [which for _, which in children]
    again = preview(county.clinic, doses=doses, changes=changes).json()
    assert again["list"] == body["list"]
    # Another clinic of the county reads the records, and may not correct them (C-22).
    other = preview(county.other_clinic, maker=MAKER, lot=lot, changes=changes).json()
    assert other["lines"] == []
    assert {one["reason"] for one in other["left_out"]} == {"not-yours"}
    same = preview(county.clinic, doses=doses, changes=[{"field": "lot", "after": lot}]).json()
    assert {one["reason"] for one in same["left_out"]} == {"nothing-changes"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"maker": MAKER},
        {"maker": MAKER, "lot": "X"},
        {"maker": MAKER, "lot": "X", "doses": [str(uuid4())], "kind": "entered-in-error"},
        {"maker": MAKER, "lot": "X", "changes": [{"field": "clinic", "after": "Y"}]},
        {"doses": ["7"], "kind": "entered-in-error"},
        {"doses": [], "kind": "entered-in-error"},
        {"maker": MAKER, "lot": "X", "kind": "reinstate"},
    ],
)
def test_a_preview_of_nothing(county: County, body):
    answer = preview(county.clinic, **body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed-body")


class Desk:
    """`vaxledger correction` with a clinic's key, in a folder of its own."""

    def __init__(self, by: Author, folder: Path) -> None:
        publish_verifier_keys(by.served.parts)
        self._by, self.folder = by, folder
        (folder / "token").write_text(by.served.token(by.principal))
        by.key.save(folder / "key", None)

    def run(self, *words: object):
        trust = self._by.served.parts.settings.data_dir / "log.vkey"
        options = ["--url", self._by.served.url, "--token-file", str(self.folder / "token")]
        arguments = [*map(str, words), *options, "--trust", str(trust), "--json"]
        self._by.served.caught_up()
        return CliRunner().invoke(app, arguments)

    def carry_out(self, plan: Path, *words: object):
        key, organisation = self.folder / "key", self._by.organisation
        return self.run("run", plan, key, "--organisation", organisation, *words)


def told(result) -> dict:
    found: dict = json.loads(result.stdout.splitlines()[-1])
    return found


def test_a_lot_is_corrected_under_one_signature_a_step_and_resumed(county: County, tmp_path: Path):
    lot = f"M{uuid4().hex[:8]}"
    children = [vaccinated(county, lot=lot) for _ in range(4)]
    desk, plan = Desk(county.clinic, tmp_path), tmp_path / "plan.json"
    asked = ("--maker", MAKER, "--lot", lot, "--reason", "wrong-expiry")
    made = desk.run("preview", plan, *asked, "--set", "expires_on=2016-12-31")
    assert made.exit_code == 0, made.output
    digest = told(made)["list"]
    assert told(made)["doses"] == 4
    stopped = desk.carry_out(plan, "--until", "verified")
    assert told(stopped) == {"requested": 4, "verified": 4, "applied": 0, "refused": {}}
    # One dose is corrected by somebody else meanwhile: it alone is refused.
    child, which = children[0]
    other = {"field": "expires_on", "before": "2017-01-31", "after": "2016-06-30"}
    correct(county.clinic, child, which, other)
    rest = desk.carry_out(plan)
    assert rest.exit_code == 1
    assert told(rest)["applied"] == 3
    assert list(told(rest)["refused"].values()) == ["current-state-differs"]
    again = desk.carry_out(plan)
    assert (told(again)["applied"], len(told(again)["refused"])) == (3, 1)
    rows = listed(county.clinic, list=digest)
    assert sorted(row["state"] for row in rows) == ["applied", "applied", "applied", "verified"]
    # Each dose has its own events; together they are the list that was signed.
    reader = county.served.parts.reader
    entries = [Entry.decode(reader.entry(row["requested_position"])) for row in rows]
    assert list_digest_of([entry.data for entry in entries]) == digest
    assert len({entry.author.envelope for entry in entries}) == len(entries)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": "x"}'])
def test_what_is_no_list_gives_one_line(county: County, tmp_path: Path, content: bytes):
    (tmp_path / "plan.json").write_bytes(content)
    result = Desk(county.clinic, tmp_path).carry_out(tmp_path / "plan.json")
    assert result.exit_code == 2
    assert "Traceback" not in result.output
