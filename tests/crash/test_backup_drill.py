"""The drill: backed up, written on, shredded, lost, put back; refused, refilled, still shredded."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest

from bootstrap.log_keys import installation_secrets
from bootstrap.settings import Settings
from bootstrap.tokens import DevelopmentIssuer, DevelopmentIssuerWarning
from client.signing import AuthorKey, Draft
from commands.principal import Principal, Role
from tests.crash.serving import Installation, free_port, until
from tests.drafts import id_number
from tests.integration.api.conftest import Author, Child, Served, admit, register

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

COUNTY, TOWNSHIP = "410299", "410299101"


@dataclass
class Place:
    """An installation, and the folders of its backup."""

    installation: Installation
    log: Path
    keys: Path
    secrets: Path

    @property
    def folders(self) -> tuple[str, ...]:
        return (str(self.log), str(self.keys), "--secrets", str(self.secrets))

    def run(self, *words: str, code: int = 0, **changes: Any) -> Any:
        """Run a command; its last line is JSON, or its words where it fails."""
        running = self.installation
        if changes:
            running = Installation(running.settings.model_copy(update=changes))
        with running.command(*words, "--json") as process:
            out, err = process.communicate(timeout=120)
        assert process.returncode == code, (out + err).decode()
        return json.loads(out.splitlines()[-1]) if code == 0 else (out + err).decode()

    def start(self) -> None:
        self.installation.start()
        self.installation.until_ready()

    def ready(self) -> dict[str, Any]:
        return httpx.get(f"{self.installation.addresses().http_url}/readyz", timeout=60).json()


@pytest.fixture(scope="module")
def place(servers_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("backup")
    settings = Settings(data_dir=servers_dir / "drill", port=free_port())
    made = Place(Installation(settings), folder / "log", folder / "keys", folder / "secrets")
    try:
        made.start()
        yield made
    finally:
        made.installation.stop()


@contextmanager
def county(place: Place) -> Iterator[dict[str, Author]]:
    """Those who write; the same however often they are made."""
    settings = place.installation.settings
    kept = installation_secrets(settings)
    with pytest.warns(DevelopmentIssuerWarning):
        issuer = DevelopmentIssuer(kept.seeds["issuer"])
    parts: Any = SimpleNamespace(settings=settings, issuer=issuer, secrets=kept)
    with httpx.Client(base_url=f"http://127.0.0.1:{settings.port}", timeout=60) as http:
        served = Served(parts, None, "", http)  # type: ignore[arg-type]  # no views are asked
        who = Principal("operator", Role.OPERATOR, kept.operator, "")
        operator = Author(served, AuthorKey(kept.operator, kept.root_key), who)
        cdc = admit(operator, Role.COUNTY_CDC, "测试县疾控中心", "county-cdc", COUNTY)
        city = admit(operator, Role.CITY_CDC, "测试市疾控中心", "city-cdc", "410200")
        city = replace(city, principal=replace(city.principal, division="4102"))
        clinic = admit(cdc, Role.CLINIC, "第一门诊", "clinic", TOWNSHIP)
        yield {"cdc": cdc, "city": city, "clinic": clinic}


def newborn(clinic: Author, name: str) -> Child:
    mother = id_number("19880303", is_female=True)
    return register(clinic, number=id_number(), mother_number=mother, name=name)


def shred(who: dict[str, Author], child: Child) -> None:
    path = f"/v1/records/{child.record}"

    def decide(by: Author, what: str, **fields: Any) -> int:
        version = who["cdc"].get(f"{path}/protection").json()["version"]
        data = {"organisation": str(by.organisation), **fields}
        draft = Draft(f"vaccination-record.{what}.v1", child.record, version, data)
        answer = by.post(f"{path}/shredding", draft)
        assert answer.status_code == 201, answer.text
        return answer.json()["version"]

    asked = decide(who["cdc"], "shred-requested", ground="retention-ended")
    decide(who["city"], "shredded", request=asked)


def lose_the_databases(installation: Installation) -> None:
    home = installation.data_dir / "postgres"
    real = home.resolve()
    if home.is_symlink():
        home.unlink()
    shutil.rmtree(real)


def size_of(place: Place) -> int:
    with psycopg.connect(place.installation.superuser_urls[0]) as database:
        return database.execute("SELECT max(position) FROM ledger.entries").fetchone()[0]


def keys_of(place: Place, child: Child) -> int:
    with psycopg.connect(place.installation.superuser_urls[1]) as database:
        query = "SELECT count(*) FROM keys.people_keys WHERE handle = %s"
        return database.execute(query, [child.handle]).fetchone()[0]


def is_witnessed(place: Place, size: int) -> bool:
    ready = place.ready()
    found = ready["checks"]["witnesses"].get("witnesses", [])
    return ready["status"] == "ok" and all((one.get("size") or 0) >= size for one in found)


def test_another_machine_gets_log_keys_and_secrets(place: Place, servers_dir: Path, tmp_path: Path):
    backup = Place(place.installation, tmp_path / "log", tmp_path / "keys", tmp_path / "secrets")
    size = backup.run("backup", "make", *backup.folders)["size"]
    fresh = {"data_dir": servers_dir / "another", "port": free_port()}
    assert backup.run("restore", *backup.folders, **fresh)["size"] >= size
    moved = Place(
        Installation(place.installation.settings.model_copy(update=fresh)), *map(Path, "abc")
    )
    try:
        moved.start()
        until(lambda: moved.ready()["checks"]["feed"]["position"] >= size, "the feed is made anew")
        assert moved.run("fsck")["sound"] is True
    finally:
        moved.installation.stop()


def test_a_loss_is_noticed_refilled_and_opens_nothing_that_was_shredded(place: Place):
    with county(place) as who:
        forgotten, kept = newborn(who["clinic"], "王小明"), newborn(who["clinic"], "王小弟")
        made = place.run("backup", "make", *place.folders)
        assert place.run("backup", "verify", *place.folders)["size"] == made["size"]

        later = newborn(who["clinic"], "王小妹")
        shred(who, forgotten)
        until(lambda: keys_of(place, forgotten) == 0, "the key is destroyed")
        size = size_of(place)
        assert size > made["size"]
        until(lambda: is_witnessed(place, size), "everything is witnessed")
        until(lambda: place.ready()["checks"]["feed"]["position"] >= size, "and in the feed")
    place.installation.stop()
    lose_the_databases(place.installation)

    assert place.run("restore", str(place.log), str(place.keys))["size"] < size
    again = place.run("restore", str(place.log), str(place.keys), code=2)
    assert "the databases are not empty" in again

    place.installation.start()
    assert place.installation.process.wait(120) != 0, "a rolled-back log is not served"
    assert "vaxledger log recover" in place.installation.last_words(20_000)

    recovered = place.run("log", "recover", "--accept-losses")
    assert (recovered["outcome"], recovered["signed"] >= size) == ("recovered", True)
    place.start()
    assert size_of(place) >= size
    until(lambda: is_witnessed(place, size_of(place)), "the witness agrees")
    assert keys_of(place, forgotten) == 0, "the backup still had it"
    assert keys_of(place, kept) == 1
    with county(place) as who:
        reader = who["cdc"]
        assert reader.get(f"/v1/records/{forgotten.record}").status_code == 410
        assert "王小弟" in reader.get(f"/v1/records/{kept.record}").text
        assert "王小妹" not in reader.get(f"/v1/records/{later.record}").text, "its key is lost"
        newborn(who["clinic"], "王小宝")
