"""A clinic and a school that write until they are told to stop, while releases change."""

import asyncio
import threading
from itertools import count as count_from
from uuid import UUID, uuid4

from bootstrap.settings import Settings
from client.signing import Draft
from commands.principal import Role
from tests import drafts
from tests.crash.load import COUNTY, TOWNSHIP, Country, Load, Writer, dose, registration
from tests.crash.serving import until

_DOSES = 3
_WRITTEN_BETWEEN = 10
"""Doses before, while and after something is changed."""


class Clinic(threading.Thread):
    """Admits a county, then registers children, enrols them and records doses until it is told.

    Args:
        settings: Of the installation.
        base_url: The API that it writes at.

    Attributes:
        load: What was answered.
        failures: What ended it.
    """

    def __init__(self, settings: Settings, base_url: str) -> None:
        super().__init__()
        self.load = Load()
        self.failures: list[BaseException] = []
        self._told = threading.Event()
        self._country = Country(settings, base_url)

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
