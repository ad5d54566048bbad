"""Personal values for those entitled: noted first, within scope, never of the restricted."""

import json
import subprocess
import sys
import warnings
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bootstrap.personal_keys import PersonalKeysUnusableError
from bootstrap.tokens import DevelopmentIssuerWarning
from bootstrap.views import open_views
from client.errors import PersonalError, ProblemError
from client.http import Caller, Client
from client.personal import PersonalQuestion
from client.trust import Trust
from commands.principal import Role
from ledger.entry import Entry
from tests.drafts import id_number
from tests.integration.api.conftest import Author, County, listening, register
from tests.integration.api.family import Family, family

ROOT = Path(__file__).parents[3]
KEY = X25519PrivateKey.generate()
NOTED = ("integrator", "oversight", "personal")


@pytest.fixture(scope="module")
def kin(county: County) -> Family:
    return family(county)


@pytest.fixture(scope="module")
def integrator(county: County) -> Author:
    return of(county, "410299")


def of(county: County, division: str, role: Role = Role.INTEGRATOR) -> Author:
    return replace(
        county.clinic, principal=replace(county.clinic.principal, role=role, division=division)
    )


def ask(who: Author, body: Any, purpose: str = "oversight") -> httpx.Response:
    return who.call("/v1/personal", body, **{"Access-Purpose": purpose})


def names(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    values = [part["values"] for part in answer.json()["parts"]]
    return {value["name"] for value in values if value and "name" in value}


def positions_of(kin: Family, record: UUID) -> list[int]:
    lines = kin.county.clinic.get(f"/v1/records/{record}/timeline").json()["lines"]
    return [line["position"] for line in lines]


def journal(kin: Family) -> list[tuple[str, str, str]]:
    reads = kin.county.cdc.get(f"{kin.path}/access").json()["reads"]
    return [(read["role"], read["purpose"], read["what"]) for read in reads]


def test_an_integrator_opens_entries_and_its_purpose_is_noted(kin: Family, integrator: Author):
    positions = positions_of(kin, kin.child.record)
    answer = ask(integrator, {"positions": positions}, "outbreak")
    assert names(answer) == {"王小明", "李梅", "张桂英"}
    assert {part["position"] for part in answer.json()["parts"]} <= set(positions)
    assert {part["record"] for part in answer.json()["parts"]} == {str(kin.child.record)}
    assert answer.headers["cache-control"] == "no-store"
    assert ("integrator", "outbreak", "personal") in journal(kin)


def test_a_record_brings_the_same_as_its_positions(kin: Family, integrator: Author):
    whole = ask(integrator, {"records": [str(kin.child.record)]})
    assert (
        whole.json() == ask(integrator, {"positions": positions_of(kin, kin.child.record)}).json()
    )
    assert ask(of(kin.county, "", Role.REGULATOR), {"records": [str(kin.child.record)]}).json() == (
        whole.json()
    )


def test_out_of_scope_is_like_what_is_not_there(kin: Family):
    far = of(kin.county, "410288")
    nowhere, first = 10**12, positions_of(kin, kin.child.record)[0]
    answer = ask(far, {"positions": [first, 1, nowhere]})
    assert answer.json() == {
        "parts": [],
        "refused": [{"item": one, "reason": "not-found"} for one in (first, 1, nowhere)],
    }
    records = [str(kin.child.record), str(uuid4())]
    refused = ask(far, {"records": records}).json()["refused"]
    assert {(one["item"], one["reason"]) for one in refused} == {
        (record, "not-found") for record in records
    }
    assert kin.restrict().status_code == 201
    assert ask(far, {"positions": [first]}).json()["refused"][0]["reason"] == "not-found"
    assert kin.lift().status_code == 201


def test_the_restricted_stay_closed_while_the_sibling_opens(kin: Family, integrator: Author):
    positions = positions_of(kin, kin.child.record)
    others = positions_of(kin, kin.sibling.record)
    noted = journal(kin).count(NOTED)
    assert kin.restrict().status_code == 201
    answer = ask(integrator, {"positions": positions + others})
    assert names(answer) == {"王小弟", "李梅"}
    refused = answer.json()["refused"]
    assert [one["item"] for one in refused] == positions
    assert {one["reason"] for one in refused} == {"restricted"}
    record = {"records": [str(kin.child.record)]}
    assert ask(integrator, record).json()["refused"][0]["reason"] == "restricted"
    assert kin.lift().status_code == 201
    assert journal(kin).count(NOTED) == noted
    assert "王小明" in names(ask(integrator, record))


@pytest.mark.parametrize("who", ["clinic", "school", "cdc", "operator"])
def test_the_address_is_for_integrators_and_regulators(kin: Family, who: str):
    refused = ask(getattr(kin.county, who), {"positions": [1]})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")


def test_without_a_purpose_nothing_is_answered(kin: Family, integrator: Author):
    body = {"records": [str(kin.child.record)]}
    answers = [integrator.call("/v1/personal", body), ask(integrator, body, "curiosity")]
    for answer in answers:
        assert (answer.status_code, answer.json()["facts"]["parameter"]) == (422, "Access-Purpose")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"positions": []},
        {"positions": [1], "records": [str(UUID(int=1))]},
        {"positions": list(range(1, 502))},
        {"records": [str(UUID(int=n)) for n in range(21)]},
        {"positions": [0]},
        {"positions": ["1"]},
        {"positions": [True]},
        {"records": ["x"]},
        {"positions": [1], "purpose": "x"},
        [],
    ],
)
def test_a_body_that_is_none(integrator: Author, body: Any):
    answer = ask(integrator, body)
    assert answer.status_code in (400, 422), answer.text


def test_a_shredded_record_is_erased(county: County, integrator: Author):
    gone = family(county)
    positions = positions_of(gone, gone.child.record)
    gone.shred()
    answer = ask(integrator, {"positions": positions})
    assert answer.json()["parts"] == []
    assert {one["reason"] for one in answer.json()["refused"]} == {"erased"}


@pytest.fixture(scope="module")
def keys_file(county: County, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "personal.json"
    public = b64encode(KEY.public_key().public_bytes_raw()).decode()
    path.write_text(json.dumps({str(county.clinic.organisation): public}))
    return path


@pytest.fixture(scope="module")
def sealing(county: County, keys_file: Path) -> Iterator[str]:
    """A second server of the same installation, which seals its answers."""
    settings = county.served.parts.settings.model_copy(update={"personal_keys": keys_file})
    parts = replace(county.served.parts, settings=settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DevelopmentIssuerWarning)
        assert parts.issuer
    with open_views(settings) as views, listening(parts, views) as url:
        yield url


def caller(who: Author, url: str) -> Client:
    trust = Trust.parse(who.served.http.get("/log.vkey").content)
    return Client(Caller(url, who.served.token(who.principal), trust))


def test_what_is_sealed_opens_with_the_client_only(
    county: County, integrator: Author, sealing: str
):
    child = register(county.clinic, number=id_number())
    position = county.served.caught_up()
    question = PersonalQuestion("care", positions=[position], key=KEY)
    with caller(integrator, sealing) as client:
        answer = client.personal(question)
        bare = httpx.post(
            f"{sealing}/v1/personal",
            content=question.body(),
            headers={
                **integrator.bearer,
                "Content-Type": "application/json",
                "Access-Purpose": "care",
            },
            timeout=60,
        )
    assert {part.person for part in answer.parts} == {child.handle, child.mother}
    assert {part.values["name"] for part in answer.parts if part.values} == {"王小明", "李梅"}
    entry = Entry.decode(county.served.parts.reader.entry(position))
    for part in answer.parts:
        part.check(entry)
    assert bare.json().keys() == {"suite", "sealed"}
    with pytest.raises(PersonalError):
        replace(question, key=X25519PrivateKey.generate()).read("x", bare.content)


def test_what_an_author_did_not_sign_is_found_out(county: County, integrator: Author):
    first, second = (register(county.clinic, number=id_number()) for _ in range(2))
    head = county.served.caught_up()
    body = {"records": [str(first.record), str(second.record)]}
    question = PersonalQuestion("care", records=[first.record, second.record])
    answer = question.read("x", ask(integrator, body, "care").content)
    of = {part.person: part for part in answer.parts}
    honest, mother, other = of[second.handle], of[second.mother], of[first.handle]
    assert honest.position <= head
    entry = Entry.decode(county.served.parts.reader.entry(honest.position))
    honest.check(entry)
    mother.check(entry)
    for altered in (
        other,
        replace(honest, values={**honest.values, "name": "王大明"}),
        replace(honest, person=mother.person),
        replace(honest, values=mother.values, salt=mother.salt),
        replace(honest, salt=bytes(32)),
        replace(honest, salt=b"short"),
        replace(honest, evidence=other.evidence),
        replace(honest, evidence=b"{}"),
        replace(honest, evidence=None),
        replace(honest, values=None),
    ):
        with pytest.raises(PersonalError):
            altered.check(entry)


def test_where_answers_are_sealed_nobody_without_a_key_gets_one(county: County, sealing: str):
    with caller(county.regulator, sealing) as client, pytest.raises(ProblemError) as refused:
        client.personal(PersonalQuestion("audit", positions=[1]))
    assert refused.value.problem["type"] == "/problems/sealing-key-missing"


@pytest.mark.parametrize("content", ["", "[]", '{"x": "AA=="}', '{"%s": "%s"}'])
def test_a_file_of_keys_that_is_none_stops_the_start(county: County, tmp_path: Path, content: str):
    path = tmp_path / "keys.json"
    weak = b64encode(bytes(32)).decode()
    path.write_text(content % (uuid4(), weak) if "%s" in content else content)
    settings = county.served.parts.settings.model_copy(update={"personal_keys": path})
    parts = replace(county.served.parts, settings=settings)
    with pytest.raises(PersonalKeysUnusableError), listening(parts, county.served.views):
        pass


def test_a_file_of_keys_that_is_missing_is_named_in_one_line(county: County, tmp_path: Path):
    settings = county.served.parts.settings.model_copy(
        update={"personal_keys": tmp_path / "none.json"}
    )
    done = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env=dict(settings.environment()),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "vaxledger: The file of public keys for personal values cannot be used."
    )
    assert "Traceback" not in done.stderr
