"""The code of an earlier release serves and writes while this one migrates; this one goes on."""

import asyncio
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from itertools import count as count_from
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bootstrap.settings import Settings
from client.signing import Draft
from commands.principal import Role
from tests import drafts
from tests.crash.campaign import Campaign, count, databases_of, settle
from tests.crash.load import COUNTY, TOWNSHIP, Country, Load, Writer, dose, registration
from tests.crash.serving import REPOSITORY, Installation, free_port, until

EARLIER = "cd948c8"
"""The commit that the backup in `tests/golden/backups` is of."""
_UNKNOWN_TO_IT = ("VAXLEDGER_BOOKING_RULES", "VAXLEDGER_TRACES_URL", "VAXLEDGER_TRACES_SHARE")
_DOSES = 3
_WRITTEN_BETWEEN = 20
"""Doses before, while and after the databases are migrated."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class EarlierSettings(Settings):
    """Settings as the earlier release knows them."""

    def environment(self) -> Mapping[str, str]:
        """The environment without what came since: it refuses what it does not know."""
        known = super().environment()
        return {name: value for name, value in known.items() if name not in _UNKNOWN_TO_IT}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The code of the earlier release."""
    asked = subprocess.run(
        ["git", "archive", EARLIER], cwd=REPOSITORY, capture_output=True, check=False
    )
    if asked.returncode:
        pytest.skip(f"this copy of the repository does not reach back to {EARLIER}")
    with tarfile.open(fileobj=io.BytesIO(asked.stdout)) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.fixture
def installations(earlier: Path, servers_dir: Path) -> Iterator[tuple[Installation, Installation]]:
    """The earlier release on a data directory, and this one on the same."""
    settings = EarlierSettings(data_dir=servers_dir / "upgraded", port=free_port())
    old, new = Installation(settings, earlier), Installation(settings)
    yield old, new
    for one in (old, new):
        if one.starts:
            one.stop()


class Clinic(threading.Thread):
    """Admits a county, then registers children, enrols them and records doses until it is told.

    Attributes:
        load: What was answered.
        failures: What ended it.
    """

    def __init__(self, installation: Installation) -> None:
        super().__init__()
        self.load = Load()
        self.failures: list[BaseException] = []
        self._told = threading.Event()
        addresses = installation.addresses()
        self._country = Country(installation.settings, addresses.http_url)

    def run(self) -> None:
        try:
            asyncio.run(self._write())
        except BaseException as error:  # noqa: BLE001  shown by the test
            self.failures.append(error)

    def some_more(self) -> None:
        """Wait for doses that were begun after this call."""
        enough = self.load.doses + _WRITTEN_BETWEEN
        until(lambda: self.load.doses >= enough or bool(self.failures), "no doses are recorded")
        assert not self.failures, self.failures

    def end(self) -> None:
        """Let it finish its child."""
        self._told.set()
        self.join()

    async def _write(self) -> None:
        load, operator = self.load, self._country.operator()
        cdc = await operator.admit(load, Role.COUNTY_CDC, "测试县疾控中心", COUNTY)
        clinic = await cdc.admit(load, Role.CLINIC, "第一门诊", TOWNSHIP)
        key, draft = drafts.organisation(
            self._country.origin,
            "测试小学",
            "school",
            TOWNSHIP,
            institution_type="primary",
            ownership="public",
        )
        await cdc.submit(load, "/v1/organisations", draft)
        school = self._country.writer(key, Role.SCHOOL, TOWNSHIP)
        try:
            for number in count_from(1):
                if self._told.is_set():
                    break
                await self._bring_up(number, clinic, school)
        finally:
            for one in (operator, cdc, clinic, school):
                await one.client.close()

    async def _bring_up(self, number: int, clinic: Writer, school: Writer) -> None:
        child, registered = registration(clinic.key.organisation, number)
        await clinic.submit(self.load, "/v1/records", registered)
        enrolled = enrolment(school.key.organisation, registered.stream, number)
        await school.submit(self.load, "/v1/enrolments", enrolled)
        for version in range(1, _DOSES + 1):
            given = dose(clinic.key.organisation, registered.stream, child, version)
            await clinic.submit(self.load, f"/v1/records/{registered.stream}/doses", given)
            self.load.doses += 1


def enrolment(school: UUID, record: UUID, number: int) -> Draft:
    """The draft that enrols a child."""
    data = {
        "record": str(record),
        "division": TOWNSHIP,
        "entry_type": "primary",
        "institution": str(school),
        "school_year": 2020,
        "class_name": "一班",
        "number": number,
        "admission": "new",
        "joined_on": "2020-09-03",
    }
    return Draft("enrolment.enrolled.v1", uuid4(), 0, data)


def ran(installation: Installation, *words: str, code: int = 0) -> str:
    """What a command prints."""
    with installation.command(*words) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == code, (out + err).decode()
    return out.decode()


def test_the_earlier_release_writes_on_while_this_one_migrates_and_takes_over(
    installations: tuple[Installation, Installation],
):
    old, new = installations
    old.start()
    old.until_ready()
    clinic = Clinic(old)
    clinic.start()
    try:
        clinic.some_more()
        told = ran(Installation(old.addresses().settings(old.settings)), "migrate")
        assert "applied log/0060_school_papers.sql" in told
        clinic.some_more()
        old.stop()
        new.start()
        clinic.some_more()
    finally:
        clinic.end()
    assert not clinic.failures, clinic.failures
    settle(new)
    missing = json.loads(ran(new, "fsck", "--json", code=1))["findings"]
    assert [(one["kind"], one["facts"]) for one in missing] == [
        ("claim-missing", {"kind": "school-paper"})
    ]
    mended = json.loads(ran(new, "fsck", "--mend-claims", "--json"))
    assert mended["mended"] == missing[0]["count"]
    assert json.loads(ran(new, "fsck", "--full", "--json"))["sound"]
    campaign = Campaign(0, new, clinic.load)
    count(campaign)
    assert not campaign.findings.wrong, str(campaign)
    assert databases_of(new).log("SELECT count(*) FROM views.parked") == [(0,)]
