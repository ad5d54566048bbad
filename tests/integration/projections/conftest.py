"""A log whose entries a test writes by hand, and the projections that follow it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import psycopg
import pytest

from ledger.entry import Author, Entry, Seal
from ledger.store.connections import open_pool as open_log_pool
from ledger.store.reading import LogReader
from projections import connection
from projections.behind import Behinds
from projections.bookings import Bookings
from projections.certificates import Certificates
from projections.doses import Doses
from projections.loop import Projector
from projections.lots import Lots
from projections.organisations import Organisations
from projections.people import People
from projections.positions import Positions
from projections.records import Records
from projections.register import Registers
from projections.roll_up import RollUps

START = datetime(2018, 9, 1, 1, 0, tzinfo=UTC)  # 09:00 in Kaifeng
SPACE = UUID("6f1d2c1e-0000-4000-8000-000000000000")


def named(name: str) -> UUID:
    """An id that a test can spell."""
    return uuid5(SPACE, name)


class Story:
    """Entries as the log would hold them, in one origin, written straight into its tables."""

    def __init__(self, log_url: str) -> None:
        self._url = log_url
        self._versions: dict[UUID, int] = {}
        self._pending: list[tuple[int, Entry]] = []
        self._blobs: list[tuple[bytes, str, int, bytes]] = []
        self.now = START
        self.size = 0

    @staticmethod
    def id(name: str) -> UUID:
        return named(name)

    @property
    def today(self) -> date:
        return (self.now + timedelta(hours=8)).date()

    def sleep(self, **later: int) -> None:
        self.now += timedelta(**later)

    def add(
        self, topic: str, stream: str, sealed: dict[str, dict] | None = None, /, **data: Any
    ) -> int:
        """Append an entry and return its position."""
        self.size += 1
        stream_id = named(stream)
        version = self._versions[stream_id] = self._versions.get(stream_id, 0) + 1
        seals = []
        for person, values in (sealed or {}).items():
            blob = json.dumps([self.size, person, values]).encode()
            digest = sha256(blob)
            self._blobs.append((digest.digest(), str(named(person)), self.size, blob))
            seals.append(Seal(str(named(person)), digest.hexdigest()))
        entry = Entry(
            "log.example/test",
            topic,
            stream_id,
            version,
            data.get("division", "410204001"),
            self.now,
            Author(str(named("clinic")), "a" * 64, "b" * 64),
            data,
            tuple(seals),
        )
        self._pending.append((self.size, entry))
        return self.size

    def publish(self) -> int:
        """Store what was added, and cover it."""
        entries = [(position, entry, entry.encode()) for position, entry in self._pending]
        with psycopg.connect(self._url) as database, database.cursor() as cursor:
            with cursor.copy(
                "COPY ledger.entries (position, stream, version, known_at, topic, division,"
                " leaf, entry) FROM STDIN"
            ) as rows:
                for position, entry, raw in entries:
                    leaf = sha256(b"\0" + raw).digest()
                    rows.write_row(
                        (position, entry.stream, entry.version, entry.recorded_at, entry.topic,
                         entry.division, leaf, raw)
                    )  # fmt: skip
            cursor.executemany(
                "INSERT INTO ledger.blobs (sha256, subject, position, blob) VALUES (%s,%s,%s,%s)",
                self._blobs,
            )
            cursor.execute("UPDATE ledger.checkpoint SET size = %s, published = %s",
                           [self.size, self.size])  # fmt: skip
        self._pending.clear()
        self._blobs.clear()
        return self.size

    def school(self, name: str, division: str, institution_type: str = "kindergarten") -> int:
        return self.add(
            "organisation.registered.v1",
            name,
            name=name,
            kind="school",
            division=division,
            institution_type=institution_type,
            ownership="private",
        )

    def register(self, record: str, *, birth_date: str = "2014-05-06", phone: str = "") -> int:
        mother = {"name": f"{record}的母亲", **({"phone": phone} if phone else {})}
        return self.add(
            "vaccination-record.registered.v1",
            record,
            {
                f"{record}-child": {"name": record, "sex": "female", "birth_date": birth_date},
                f"{record}-mother": mother,
            },
            kind="child",
            recipient=str(named(f"{record}-child")),
            guardians=[{"person": str(named(f"{record}-mother")), "relation": "mother"}],
            birth_year=int(birth_date[:4]),
            managing_organisation=str(named("clinic")),
            division="410204001",
            roll="active",
            derived=self._effective(),
        )

    def dose(self, record: str, dose: str, vaccine: str = "HepB", **other: Any) -> int:
        data = {
            "dose": str(named(dose)),
            "vaccine": vaccine,
            "dose_number": 1,
            "product": f"{vaccine}-P",
            "maker": "北京生物",
            "lot": "L-2018",
            "expires_on": "2020-01-01",
            "occurred_on": self.today.isoformat(),
            "site": "left-upper-arm",
            "route": "intramuscular",
            "quantity": "0.5 mL",
            "clinic": str(named("clinic")),
            "source_system": "programme",
            "derived": self._effective(),
        }
        return self.add("vaccination-record.dose-administered.v1", record, None, **data | other)

    def correct(self, record: str, dose: str, *, immediate: bool = False, **after: str) -> int:
        return self.add(
            "vaccination-record.dose-corrected.v1",
            record,
            None,
            dose=str(named(dose)),
            changes=[{"field": field, "after": value} for field, value in after.items()],
            correction=str(named("correction")),
            urgency="immediate" if immediate else "next-day",
            derived=self._effective(0 if immediate else 1),
        )

    def reinstate(self, record: str, dose: str, *, immediate: bool = False) -> int:
        return self.add(
            "vaccination-record.dose-reinstated.v1",
            record,
            None,
            dose=str(named(dose)),
            correction=str(named("correction")),
            reason="strike-was-wrong",
            derived=self._effective(0 if immediate else 1),
        )

    def strike(self, record: str, dose: str, *, immediate: bool = False) -> int:
        return self.add(
            "vaccination-record.dose-entered-in-error.v1",
            record,
            None,
            dose=str(named(dose)),
            correction=str(named("correction")),
            reason="wrong-person",
            derived=self._effective(0 if immediate else 1),
        )

    def enrol(self, pupil: str, school: str, class_name: str, number: int, **other: Any) -> int:
        data = {
            "record": str(named(other.pop("record", pupil))),
            "institution": str(named(school)),
            "division": "410204001",
            "school_year": 2018,
            "class_name": class_name,
            "entry_type": "kindergarten",
            "admission": "new",
            "number": number,
            "joined_on": "2018-09-01",
        }
        return self.add("enrolment.enrolled.v1", f"{pupil}@{school}", None, **data | other)

    def check(
        self, pupil: str, school: str, *, certificate: bool = True, complete: bool | None = True,
        missing: dict[str, list[int]] | None = None, exempt: dict[str, list[int]] | None = None,
    ) -> int:  # fmt: skip
        found = {
            "age_years": 4,
            "missing": _groups(missing),
            "exempt": _groups(exempt),
            "requirement": "kaifeng-2018",
            "requirement_version": "1",
            "record_version": 1,
        }
        if complete is not None:
            found["complete"] = complete
        return self.add(
            "enrolment.checked.v1",
            f"{pupil}@{school}",
            None,
            checked_on=self.today.isoformat(),
            has_certificate=certificate,
            derived=found,
        )

    def reissue(self, pupil: str, school: str) -> int:
        stream = f"{pupil}@{school}"
        day = self.today.isoformat()
        return self.add("enrolment.certificate-reissued.v1", stream, None, reissued_on=day)

    def recheck(
        self, pupil: str, school: str, made_up: dict[tuple[str, int], str], *, completed: bool
    ) -> int:
        doses = [
            {"vaccine_group": group, "dose_number": number, "date": day}
            for (group, number), day in made_up.items()
        ]
        return self.add(
            "enrolment.rechecked.v1",
            f"{pupil}@{school}",
            None,
            rechecked_on=self.today.isoformat(),
            derived={"made_up": doses, "completed": completed, "record_version": 2},
        )

    def open_supply(self, supply: str, *capacities: int, site: str = "clinic", **other: Any) -> int:
        slots = [
            {"starts": f"{hour:02}:00", "ends": f"{hour + 1:02}:00", "capacity": capacity}
            for hour, capacity in enumerate(capacities, 8)
        ]
        data = {
            "site": str(named(site)),
            "division": "410204001",
            "on": self.today.isoformat(),
            "product": "HepB",
            "slots": slots,
        }
        return self.add("slot-supply.opened.v1", supply, None, **data | other)

    def hold(self, booking: str, supply: str, slot: int = 1, seat: int = 1) -> int:
        person = str(named(f"{booking}-person"))
        return self.add(
            "appointment.held.v1",
            booking,
            None,
            supply=str(named(supply)),
            slot=slot,
            site=str(named("clinic")),
            division="410204001",
            product="HepB",
            dose_number=1,
            on=self.today.isoformat(),
            channel="individual",
            person=person,
            booker=person,
            derived={
                "seat": seat,
                "hold_minutes": 10,
                "rules": "yongzhou-2021-booking",
                "course": "HepB",
                "on_behalf_of": person,
            },
        )

    def confirm(self, booking: str, number: str) -> int:
        derived = {"number": number, "on_behalf_of": str(named(f"{booking}-person"))}
        return self.add("appointment.confirmed.v1", booking, None, derived=derived)

    def ask_correction(self, record: str, dose: str, correction: str) -> int:
        return self.add(
            "correction.requested.v1",
            correction,
            None,
            record=str(named(record)),
            dose=str(named(dose)),
            division="410204001",
            kind="entered-in-error",
            changes=[],
            urgency="next-day",
            reason="other-child",
            requested_by="clinic",
            clinic=str(named("clinic")),
        )

    def decide_correction(self, correction: str, what: str, **data: Any) -> int:
        stated = {"clinic": str(named("clinic")), **data}
        return self.add(f"correction.{what}.v1", correction, None, **stated)

    def happen(self, booking: str, what: str, **data: Any) -> int:
        return self.add(f"appointment.{what}.v1", booking, None, **data)

    def _effective(self, days: int = 0) -> dict[str, str]:
        return {"effective_on": (self.today + timedelta(days=days)).isoformat()}


def _groups(doses: dict[str, list[int]] | None) -> list[dict]:
    return [
        {"vaccine_group": group, "dose_numbers": numbers}
        for group, numbers in (doses or {}).items()
    ]


class BlobOpener:
    """Opens blobs that a test left unencrypted; a blob that is gone reads as erased."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def unseal(self, changes):
        blobs = self._reader.blobs({seal.sha256 for c in changes for seal in c.entry.sealed})
        opened = {}
        for change in changes:
            for seal in change.entry.sealed:
                blob = blobs.get(seal.sha256)
                values = None if blob is None else json.loads(blob)[2]
                opened[change.position, UUID(seal.subject)] = values
        return opened


class Views:
    """All queries, over pools of their own."""

    def __init__(self, log_url: str, keys_url: str) -> None:
        self._pools = (
            connection.open_pool(log_url, connection.READ, 2),
            connection.open_pool(keys_url, connection.READ_PEOPLE, 2),
        )
        log, keys = self._pools
        self.organisations = Organisations(log)
        self.records = Records(log)
        self.doses = Doses(log)
        self.lots = Lots(log)
        self.certificates = Certificates(log)
        self.bookings = Bookings(log)
        self.people = People(keys)
        self.registers = Registers(log, self.people)
        self.roll_ups = RollUps(log)
        self.behind = Behinds(log)
        self.positions = Positions(log, keys)

    def close(self) -> None:
        for pool in self._pools:
            pool.close()


class House:
    """One installation: both databases, a story, its projector and its views."""

    def __init__(self, log_url: str, keys_url: str) -> None:
        self.log_url, self.keys_url = log_url, keys_url
        self._pool = open_log_pool(log_url, "vaxledger_read", size=2)
        self.reader = LogReader(self._pool)
        self.story = Story(log_url)
        self.views = Views(log_url, keys_url)
        self._projectors: list[Projector] = []

    def projector(self, reader: Any = None, batch_limit: int = 1000) -> Projector:
        opener = BlobOpener(self.reader)
        projector = Projector(
            reader or self.reader, self.log_url, self.keys_url, opener, batch_limit=batch_limit
        )
        self._projectors.append(projector)
        return projector

    def project(self) -> int:
        """Publish the story so far and follow it to the end."""
        self.story.publish()
        projector = self.projector()
        projector.catch_up()
        assert projector.parked() == []
        return self.story.size

    def close(self) -> None:
        for projector in self._projectors:
            projector.close()
        self.views.close()
        self._pool.close()


@pytest.fixture
def make_house(migrated_database) -> Iterator[Callable[[], House]]:
    houses: list[House] = []

    def make() -> House:
        databases = migrated_database()
        houses.append(House(databases.log, databases.keys))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def house(make_house) -> House:
    return make_house()


@pytest.fixture
def story(house) -> Story:
    return house.story


@pytest.fixture
def views(house) -> Views:
    return house.views
