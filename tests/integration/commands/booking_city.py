"""A city that books: a county, two sites, citizens, and a clock that the tests turn."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from bootstrap.wiring import Parts, event_codec
from client.identifiers import new_id
from client.signing import AuthorKey, Draft
from commands.answering import Written
from commands.desk import Desk
from commands.principal import Principal, Role, VerifiedIdentity
from commands.reading import Reading
from domain.appointment import Appointment
from domain.calendar import SHANGHAI
from domain.slot_supply import SlotSupply
from ledger.store.journal import Journal
from ledger.store.recorder import LedgerRecorder
from ledger.store.writer import Writer
from tests import drafts
from tests.integration.commands.conftest import Author, admit

COUNTY, TOWN = "431103", "431103001"
OTHER_COUNTY, OTHER_TOWN = "431102", "431102001"
VERO = "inactivated_vero"
START = datetime(2031, 5, 8, 9, 30, tzinfo=SHANGHAI)
HOME = {
    "household_division": COUNTY,
    "residence_division": COUNTY,
    "detail_address": "梅湾街道湘永路12号",
}


@dataclass
class Clock:
    """Stands still until it is turned; what was recorded is never behind it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)

    def turn_to_morning(self, *, days: int) -> None:
        """Turn to half past eight, so many days on."""
        self.turn(days=days)
        self.now = self.now.replace(hour=8, minute=30)

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()


@dataclass
class City:
    """The running parts of a city that books."""

    parts: Parts
    clock: Clock
    cdc: Author
    site: Author
    other_site: Author
    far_site: Author

    def open(
        self,
        *capacities: int,
        on: date | None = None,
        product: str = VERO,
        at: Author | None = None,
        first: int = 8,
    ) -> UUID:
        """Open slots of an hour from the first on, tomorrow by default; return the supply."""
        site = at or self.site
        data = {
            "site": str(site.organisation),
            "division": site.principal.division,
            "on": (on or self.clock.today + timedelta(days=1)).isoformat(),
            "product": product,
            "slots": [
                {"starts": f"{hour:02}:00", "ends": f"{hour + 1:02}:00", "capacity": capacity}
                for hour, capacity in enumerate(capacities, first)
            ],
        }
        return site.submit(Draft("slot-supply.opened.v1", new_id(), 0, data)).stream

    def change(self, supply: UUID, topic: str, *, by: Author | None = None, **data: Any) -> Written:
        """Let the site change a supply, or somebody else."""
        version = self.supply(supply).version
        return (by or self.site).submit(Draft(f"slot-supply.{topic}.v1", supply, version, data))

    def hold(self, citizen: Principal, supply: UUID, slot: int = 1, **changes: Any) -> Written:
        """Hold a seat for the first dose, or what the changes say."""
        request = {
            "supply": str(supply),
            "slot": slot,
            "dose_number": 1,
            "channel": "individual",
            "person": HOME,
            **changes,
        }
        key = request.pop("key", None) or uuid4()
        return self.parts.desk.bookings.hold(citizen, key, request)

    def book(self, citizen: Principal, supply: UUID, slot: int = 1, **changes: Any) -> UUID:
        """Hold and confirm; return the appointment."""
        held = self.hold(citizen, supply, slot, **changes)
        return self.parts.desk.bookings.confirm(citizen, uuid4(), held.stream).stream

    def at_site(self, appointment: UUID, topic: str, **data: Any) -> Written:
        """Let the site write about an appointment; `private` is sealed for the person."""
        site = data.pop("site", self.site)
        found = self.appointment(appointment)
        private = data.pop("private", None)
        draft = Draft(
            f"appointment.{topic}.v1",
            appointment,
            found.version,
            {"clinic": str(site.organisation), **data},
            {found.person: private} if private else {},
        )
        return site.submit(draft)

    def verify(self, appointment: UUID, citizen: Principal, **changes: Any) -> Written:
        """Scan on arrival, with card and consent."""
        assert citizen.identity is not None
        data = {
            "has_id_card": True,
            "has_signed_consent": True,
            "admits_outside_slot": False,
            "private": {"id_number": citizen.identity.id_number},
            **changes,
        }
        return self.at_site(appointment, "verified", **data)

    def appointment(self, stream: UUID) -> Appointment:
        return self.reading.stored(Appointment, stream)

    def supply(self, stream: UUID) -> SlotSupply:
        return self.reading.stored(SlotSupply, stream)

    @property
    def reading(self) -> Reading:
        return Reading(services=self.parts.services, recorded_at=self.clock())

    def seats(self, supply: UUID, slot: int = 1) -> tuple[int, int, int]:
        """Capacity, seats that somebody has, and free ones, each from its own source."""
        state = self.supply(supply)
        free = len(self.parts.desk.bookings.seats.free(state, slot))
        return state.slot(slot).capacity, state.slot(slot).capacity - free, free

    @cached_property
    def records(self) -> "Records":
        return Records(self)


@dataclass
class Records:
    """Registers adults, children, and adults' doses at the site."""

    city: City

    def register(self, citizen: Principal) -> tuple[UUID, UUID]:
        """Open a record for a citizen; return it and the recipient's handle."""
        assert citizen.identity is not None
        site, handle = self.city.site, uuid4()
        number = citizen.identity.id_number
        data = {
            "kind": "adult",
            "recipient": str(handle),
            "guardians": [],
            "birth_year": int(number[6:10]),
            "managing_organisation": str(site.organisation),
            "division": site.principal.division,
            "roll": "active",
        }
        values = {
            "name": citizen.identity.name,
            "sex": "male" if int(number[16]) % 2 else "female",
            "birth_date": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
            "id_number": number,
        }
        draft = Draft("vaccination-record.registered.v1", new_id(), 0, data, {handle: values})
        return site.submit(draft).stream, handle

    def register_child(self, guardian: Principal, born: str) -> tuple[UUID, UUID, str]:
        """Open a record for a child of a citizen; return it, the child's handle and number."""
        assert guardian.identity is not None
        number, site = drafts.id_number(born), self.city.site
        birth_date = f"{born[:4]}-{born[4:6]}-{born[6:]}"
        draft, handle, _ = drafts.registration(
            site.organisation,
            site.principal.division,
            {"name": "周小", "sex": "male", "birth_date": birth_date, "id_number": number},
            {"name": guardian.identity.name, "id_number": guardian.identity.id_number},
        )
        site.submit(draft)
        return draft.stream, handle, number

    def give(self, record: UUID, handle: UUID, version: int, **changes: Any) -> UUID:
        """Record a dose of today; return its id."""
        day = self.city.clock.today.isoformat()
        draft = drafts.dose(
            self.city.site.organisation,
            record,
            handle,
            version,
            at="T08:30:00+08:00",
            **{
                "vaccine": "COVID-Vero",
                "product": "新型冠状病毒灭活疫苗（Vero细胞）",
                "lot": "2031040012",
                "expires_on": "2033-01-31",
                "occurred_on": day,
                **changes,
            },
        )
        self.city.site.submit(draft)
        return UUID(draft.data["dose"])


def citizen(*, born: str = "19850601", role: Role = Role.ADULT) -> Principal:
    """A grown-up whom nobody has met."""
    number = drafts.id_number(born)
    identity = VerifiedIdentity("周正", number, "13900000000", face_verified=True)
    return Principal(f"citizen {number}", role, None, "", identity)


@contextmanager
def city_of(parts: Parts) -> Iterator[City]:
    """Admit the county and its sites, then turn the clock to the day of the tests.

    Certificates are issued here too: no pilot city of theirs takes bookings. The writer believes
    the turned clock, which no server agrees with.
    """
    operator = Author(
        parts,
        parts.secrets.operator,
        AuthorKey(parts.secrets.operator, parts.secrets.root_key),
        Principal("operator", Role.OPERATOR, parts.secrets.operator, ""),
    )
    cdc = admit(operator, Role.COUNTY_CDC, "冷水滩区疾控中心", "county-cdc", COUNTY)
    far_cdc = admit(operator, Role.COUNTY_CDC, "零陵区疾控中心", "county-cdc", OTHER_COUNTY)
    site = admit(cdc, Role.CLINIC, "梅湾接种点", "clinic", TOWN)
    other = admit(cdc, Role.CLINIC, "凤凰接种点", "clinic", TOWN)
    far = admit(far_cdc, Role.CLINIC, "零陵接种点", "clinic", OTHER_TOWN)
    clock = Clock()
    rules = parts.services.rules
    certificates = replace(rules.certificates, claims=replace(rules.claims, cities=None))
    rules = replace(rules, certificates=certificates)
    assert parts.settings.database_url is not None
    with closing(Writer(parts.settings.database_url)) as writer:
        recorder = LedgerRecorder(parts.pool, writer)
        journal = Journal(recorder, origin=parts.settings.origin, codec=event_codec())
        services = replace(parts.services, clock=clock, rules=rules, journal=journal)
        turned = replace(
            parts, services=services, desk=Desk(services), journal=journal, writer=writer
        )
        authors = [replace(author, parts=turned) for author in (cdc, site, other, far)]
        yield City(turned, clock, *authors)
