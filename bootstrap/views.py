"""The read side of a serving process: every projection's questions over pools of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bootstrap.settings import Settings
from domain.roll_up.rules import RollUpRules
from ledger.store.access import ROLE as ACCESS_ROLE
from ledger.store.access import AccessReader
from ledger.store.connections import open_pool as open_access_pool
from projections.about_record import AboutRecords
from projections.behind import Behinds
from projections.bookings import Bookings
from projections.certificates import Certificates
from projections.clinic_roll import ClinicRolls
from projections.connection import READ, READ_PEOPLE, open_pool
from projections.corrections import Corrections
from projections.credentials import Credentials
from projections.data_quality import DataQuality
from projections.doses import Doses
from projections.listed import ListedChildren
from projections.lots import Lots
from projections.organisations import Organisations
from projections.people import People
from projections.positions import Positions
from projections.records import Records
from projections.register import Registers
from projections.reports import Reports
from projections.restating import Restatements
from projections.roll_up import RollUps
from projections.supervision import Supervision
from projections.tasks import Tasks

POOL_SIZE = 8
RECORD_POOL_SIZE = 8
PEOPLE_POOL_SIZE = 4
ACCESS_POOL_SIZE = 2


@dataclass(frozen=True, slots=True)
class Views:
    """What can be asked of the read models."""

    records: Records
    about: AboutRecords
    clinic_rolls: ClinicRolls
    doses: Doses
    lots: Lots
    data_quality: DataQuality
    certificates: Certificates
    credentials: Credentials
    corrections: Corrections
    registers: Registers
    roll_ups: RollUps
    reports: Reports
    restatements: Restatements
    behinds: Behinds
    listed: ListedChildren
    tasks: Tasks
    supervision: Supervision
    organisations: Organisations
    people: People
    positions: Positions
    access: AccessReader
    bookings: Bookings


@contextmanager
def open_views(settings: Settings) -> Iterator[Views]:
    """Open pools to both databases; closes them in the end.

    Args:
        settings: With the URLs of both databases.
    """
    assert settings.database_url is not None
    assert settings.keys_url is not None
    with (
        open_pool(settings.database_url, READ, POOL_SIZE) as pool,
        open_pool(settings.database_url, READ, RECORD_POOL_SIZE, of_one=True) as record_pool,
        open_pool(settings.keys_url, READ_PEOPLE, PEOPLE_POOL_SIZE, of_one=True) as people_pool,
        open_access_pool(settings.keys_url, ACCESS_ROLE, size=ACCESS_POOL_SIZE) as access_pool,
    ):
        people = People(people_pool)
        school_rules = RollUpRules.load(settings.school_rules)
        yield Views(
            Records(record_pool),
            AboutRecords(record_pool),
            ClinicRolls(pool),
            Doses(pool),
            Lots(pool),
            DataQuality(pool),
            Certificates(record_pool),
            Credentials(pool),
            Corrections(pool),
            Registers(record_pool, people),
            RollUps(pool),
            Reports(pool),
            Restatements(pool),
            Behinds(pool),
            ListedChildren(pool, people_pool),
            Tasks(pool, school_rules.check_due_days),
            Supervision(pool, school_rules),
            Organisations(pool),
            people,
            Positions(pool, people_pool),
            AccessReader(access_pool),
            Bookings(pool),
        )
