"""Nothing personal is written anywhere but sealed, and in the key database.

A real installation with the key database on a server of its own, its logs at DEBUG. Values that
occur nowhere else go through every write, every read and every kind of error; then everything that
was written is searched, bytes and all.
"""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from bootstrap.embedded.binaries import postgres_programs
from bootstrap.embedded.postgres import KEYS_OWNER, LOG_OWNER, EmbeddedPostgres
from bootstrap.log_keys import installation_secrets
from bootstrap.settings import Settings
from bootstrap.tokens import DevelopmentIssuer, DevelopmentIssuerWarning
from client.signing import AuthorKey, Draft
from commands.principal import Principal, Role
from tests.acceptance.canaries import Canaries, hits
from tests.crash.serving import Installation, free_port
from tests.integration.api.conftest import Author, Child, Served, admit, citizen, dose, registration

WAIT = 60
COUNTY, TOWNSHIP = "410299", "410299101"


@dataclass
class World:
    """The installation after everything was said to it."""

    installation: Installation
    log_server: EmbeddedPostgres
    keys_server: EmbeddedPostgres
    log_home: Path
    keys_home: Path
    told: Path
    canaries: Canaries = field(default_factory=Canaries)

    @property
    def places(self) -> list[Path]:
        """Everywhere but the key database's server."""
        return [
            self.log_home,
            self.installation.data_dir,
            self.installation.data_dir.with_suffix(".log"),
            self.told,
        ]


class Telling(httpx.Client):
    """A client that keeps every error body, every header and every address it called."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(base_url=url, timeout=WAIT)
        self.folder = folder
        self.folder.mkdir()

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        answer = super().send(request, **options)
        lines = [str(request.url), *(f"{name}: {value}" for name, value in answer.headers.items())]
        if not answer.is_success or request.url.path.startswith(("/metrics", "/readyz", "/v1/ent")):
            lines.append(answer.text)
        (self.folder / f"{time.monotonic_ns()}.txt").write_text("\n".join(lines))
        return answer


@pytest.fixture(scope="module")
def world(servers_dir: Path) -> Iterator[World]:
    homes = servers_dir / "canary-log", servers_dir / "canary-keys"
    log_server, keys_server = (EmbeddedPostgres.start(home) for home in homes)
    settings = Settings(
        data_dir=servers_dir / "canary",
        port=free_port(),
        database_url=log_server.url(LOG_OWNER),
        keys_url=keys_server.url(KEYS_OWNER),
        log_level="DEBUG",
    )
    installation = Installation(
        settings,
        superuser_urls=(log_server.superuser_url(LOG_OWNER), keys_server.superuser_url(KEYS_OWNER)),
    )
    world = World(installation, log_server, keys_server, *homes, servers_dir / "canary-told")
    try:
        installation.start()
        installation.until_ready()
        say_everything(world)
        installation.stop()
        copy_as_text(world)
        yield world
    finally:
        if installation.process.poll() is None:
            installation.stop()
        log_server.stop()
        keys_server.stop()


def say_everything(world: World) -> None:
    """Let canaries go through all parts."""
    settings, made = world.installation.settings, world.canaries
    url = f"http://127.0.0.1:{settings.port}"
    kept = installation_secrets(settings)
    with pytest.warns(DevelopmentIssuerWarning):
        issuer = DevelopmentIssuer(kept.seeds["issuer"])
    parts: Any = SimpleNamespace(settings=settings, issuer=issuer, secrets=kept)
    with Telling(url, world.told) as http:
        served = Served(parts, None, url, http)  # type: ignore[arg-type]  # no views are asked
        operator = Author(
            served,
            AuthorKey(kept.operator, kept.root_key),
            Principal("operator", Role.OPERATOR, kept.operator, ""),
        )
        cdc = admit(operator, Role.COUNTY_CDC, "测试县疾控中心", "county-cdc", COUNTY)
        clinic = admit(cdc, Role.CLINIC, "第一门诊", "clinic", TOWNSHIP)
        child = write(made, clinic)
        read(made, served, clinic, child)
        provoke(made, clinic, child)
        for path in ("/metrics", "/readyz", "/checkpoint", "/v1/entries?first=1&limit=200"):
            http.get(path, headers=operator.bearer)


def write(made: Canaries, clinic: Author) -> Child:
    """Registration, doses, a contraindication, an amendment, a correction: all sealed values."""
    mother_number, draft_number = made.number("19880303"), made.number()
    draft, child = registration(
        clinic, number=draft_number, mother_number=mother_number, name=made.name()
    )
    private = {who: dict(values) for who, values in draft.private.items()}
    private[child.handle] |= {"address": made.address(), "phone": made.phone()}
    private[child.mother] |= {"name": made.name(), "phone": made.phone()}
    clinic_id, base = str(clinic.organisation), f"/v1/records/{child.record}"
    written(clinic.post("/v1/records", replace(draft, private=private)))
    given = dose(clinic, child)
    vaccinator = made.name()
    sealed = given.private[child.handle] | {
        "vaccinator": vaccinator,
        "package_code": made.package(),
        "note": made.address(),
    }
    written(clinic.post(f"{base}/doses", replace(given, private={child.handle: sealed})))
    contraindication = {
        "contraindication": str(uuid4()),
        "vaccine_groups": ["MCV"],
        "lasting": True,
        "valid_from": "2018-01-01",
        "clinic": clinic_id,
    }
    topic = "vaccination-record.contraindication-recorded.v1"
    values = {child.handle: {"kind": "allergy", "note": made.address()}}
    written(
        clinic.post(
            f"{base}/contraindications", Draft(topic, child.record, 2, contraindication, values)
        )
    )
    amended = {"person": str(child.mother), "fields": ["phone"], "reason": "new-number"}
    before = {"phone": private[child.mother]["phone"]}
    values = {child.mother: {"before": before, "after": {"phone": made.phone()}}}
    topic = "vaccination-record.identity-amended.v1"
    written(clinic.post(f"{base}/amendments", Draft(topic, child.record, 3, amended, values)))
    correct(made, clinic, child, given.data["dose"], vaccinator)
    return replace(child, version=5)


def correct(made: Canaries, clinic: Author, child: Child, which: str, vaccinator: str) -> None:
    """Ask for another vaccinator's name, and apply it."""
    who, stream = {"clinic": str(clinic.organisation)}, uuid4()
    asked = {
        "record": str(child.record),
        "dose": which,
        "division": TOWNSHIP,
        "kind": "amend",
        "changes": [],
        "urgency": "next-day",
        "reason": "wrong-vaccinator",
        "requested_by": "clinic",
        **who,
    }
    values = {
        child.handle: {
            "before": {"vaccinator": vaccinator},
            "after": {"vaccinator": made.name()},
            "note": made.address(),
        }
    }
    written(
        clinic.post("/v1/corrections", Draft("correction.requested.v1", stream, 0, asked, values))
    )
    base = f"/v1/corrections/{stream}"
    verified = Draft("correction.verified.v1", stream, 1, who)
    written(clinic.post(f"{base}/verification", verified))
    written(clinic.post(f"{base}/application", Draft("correction.applied.v1", stream, 2, who)))


def read(made: Canaries, served: Served, clinic: Author, child: Child) -> None:
    """Record, timeline, search, and a mother who claims, grants and looks."""
    base = f"/v1/records/{child.record}"
    for path in (base, f"{base}/timeline", f"{base}/access"):
        eventually(clinic, path)
    found = clinic.call("/v1/records/search", {"id_number": child.mother_number})
    assert [line["record"] for line in found.json()["records"]] == [str(child.record)]
    mother = citizen(served, child.mother_number, name=made.made[2])
    body = {"record": str(child.record), "has_consented": True}
    claimed = mother.call("/v1/certificates", body)
    written(claimed)
    certificate = f"/v1/certificates/{claimed.json()['stream']}"
    eventually(mother, certificate)
    grantee = {
        "name": made.name(),
        "phone": made.phone(),
        "relation": "外婆",
        "id_number": made.number("19600101"),
    }
    body = {"scope": ["view"], "relation": "grandmother", "grantee": grantee}
    written(mother.call(f"{certificate}/grants", body))
    eventually(mother, certificate)


def provoke(made: Canaries, clinic: Author, child: Child) -> None:
    """Errors of every kind with canaries where they do not belong."""
    name, number, base = made.name(), made.number(), f"/v1/records/{child.record}"
    fields = {"vaccinator": name, "occurred_at": name, "package_code": number, number: name}
    wrong = dose(clinic, child)
    signed = clinic.sign(wrong)
    renamed = signed.body().replace(b'"package_code"', f'"{name}"'.encode())
    refused = [
        clinic.post(f"{base}/doses", replace(wrong, private={child.handle: fields})),
        clinic.post(f"{base}/doses", replace(wrong, private={child.handle: {number: name}})),
        clinic.send(f"{base}/doses", renamed, signed),
        clinic.post("/v1/records", registration(clinic, number=number[:-1] + "?", name=name)[0]),
        clinic.post("/v1/records", registration(clinic, number=number, name=name * 20)[0]),
        clinic.call("/v1/records/search", {"id_number": number + name}),
        clinic.call("/v1/records/search", {"id_number": number, number: name}),
        clinic.call("/v1/records/search", {"id_number": {number: name}}),
        clinic.call("/v1/certificates", {"record": name, "has_consented": number}),
        clinic.call("/v1/evaluations/school-entry", {number: name}),
        clinic.served.http.post(f"{base}/doses", content=f'{{"{name}": {number}'.encode()),
        clinic.served.http.get(base, headers={"Authorization": f"Bearer {number}"}),
        clinic.call("/v1/records/search", {"id_number": number}, **{"Access-Purpose": number}),
    ]
    assert [one.status_code for one in refused if one.is_success] == []
    again = registration(clinic, number=made.made[1], name=name)[0]
    assert clinic.post("/v1/records", again).status_code == 409  # the child's own number


def written(answer: httpx.Response) -> None:
    assert answer.status_code in {201, 202}, answer.text


def eventually(reader: Author, path: str) -> httpx.Response:
    """Read until the views have it."""
    deadline = time.monotonic() + WAIT
    while not (answer := reader.get(path)).is_success:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return answer


def copy_as_text(world: World) -> None:
    """Every table of the log's database as pg_dump writes it, and an export."""
    dump = subprocess.run(
        [postgres_programs(None) / "pg_dump", world.log_server.superuser_url(LOG_OWNER)],
        capture_output=True,
        check=True,
        timeout=WAIT,
    )
    (world.told / "dump.sql").write_bytes(dump.stdout)
    with world.installation.command("log", "export", str(world.told / "export")) as exporting:
        out, err = exporting.communicate(timeout=WAIT)
    assert exporting.returncode == 0, (out, err)


def test_the_canaries_are_known_to_the_key_database(world: World):
    """The search would find them: they are there where they may be."""
    assert len(world.canaries.made) > 15
    with psycopg.connect(world.keys_server.superuser_url(KEYS_OWNER)) as keys:
        names = {name for (name,) in keys.execute("SELECT name FROM people.people").fetchall()}
        keys.execute("CHECKPOINT")
    assert names & set(world.canaries.made)
    assert hits(world.canaries.made, [world.keys_home])


def test_nothing_personal_stands_anywhere_else(world: World):
    with psycopg.connect(world.log_server.superuser_url(LOG_OWNER)) as log:
        log.execute("CHECKPOINT")
        assert log.execute("SELECT count(*) FROM ledger.blobs").fetchone()[0] > 5
    found = hits(world.canaries.made, world.places)
    told = {path: Path(path).read_text() for path in found if world.told in Path(path).parents}
    assert (found, told) == ({}, {})


@pytest.mark.parametrize("spelling", ["text", "escaped", "hexadecimal"])
def test_the_search_finds_what_is_planted(world: World, spelling: str):
    planted = Canaries().name()
    text = {
        "text": planted,
        "escaped": planted.encode("unicode_escape").decode(),
        "hexadecimal": planted.encode().hex(),
    }[spelling]
    with psycopg.connect(world.log_server.superuser_url(LOG_OWNER), autocommit=True) as log:
        log.execute("CREATE TABLE public.planted (text text)")
        try:
            log.execute("INSERT INTO public.planted VALUES (%s)", [text])
            log.execute("CHECKPOINT")
            found = hits([planted], [world.log_home])
        finally:
            log.execute("DROP TABLE public.planted")
    assert found, "the search cannot fail"


def test_a_line_of_the_log_would_be_found_too(world: World):
    log = world.installation.data_dir / "planted.log"
    log.write_text(f"something about {world.canaries.made[1]}\n")
    try:
        found = hits(world.canaries.made, [world.installation.data_dir])
    finally:
        log.unlink()
    assert found == {str(log): [world.canaries.made[1]]}
