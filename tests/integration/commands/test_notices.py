"""Notices on a real database, handed to a real HTTP server (A-4, X-8)."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bootstrap.log_keys import log_signers
from bootstrap.wiring import Parts
from client.identifiers import new_id
from client.signing import Draft
from commands.notices import Notices
from domain.booking.notice import NoticeRules
from ledger.store.connections import open_pool, rows_of
from ledger.store.integration import Integrator
from ledger.store.outbox import ROLE, Outbox
from tests.integration.commands.booking_city import City, citizen, city_of
from workers.notices import Telling
from workers.providers import HttpProvider, Spool

PHONE = "13900000000"


@dataclass
class Service:
    """What a provider's server got, and what it answers next, 202 in the end."""

    url: str = ""
    got: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return [body["kind"] for _, body in self.got]


@pytest.fixture(scope="module")
def server() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.got.append((dict(self.headers), body))
            self.send_response(service.answers.pop(0) if service.answers else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        service.url = f"http://127.0.0.1:{http.server_address[1]}/sms"
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield service
        http.shutdown()
        thread.join()


@dataclass
class Desk:
    """A city, the way of its notices, and the service that gets them."""

    city: City
    telling: Telling
    outbox: Outbox
    service: Service
    integrator: Integrator
    moved: list[UUID]

    def look(self) -> None:
        """Publish, and put what is to be told into the outbox."""
        while self.integrator.round():
            pass
        head = self.city.parts.reader.published()
        while self.telling.look(head):
            pass

    def tell(self) -> list[str]:
        """Look and deliver all; return the kinds that the service got now."""
        before = len(self.service.got)
        self.look()
        while self.telling.deliver():
            pass
        return self.service.kinds[before:]


@pytest.fixture(scope="module")
def city(parts: Parts) -> Iterator[City]:
    with city_of(parts) as city:
        yield city


@pytest.fixture(scope="module")
def way(city: City, server: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    parts, rules, moved = city.parts, NoticeRules.load(), []
    url = parts.settings.database_url
    assert url is not None
    outside = tmp_path_factory.mktemp("outside") / "checkpoint"
    integrator = Integrator(url, log_signers(parts.settings), outside)
    assert integrator.start()
    with open_pool(url, ROLE, size=1) as pool, HttpProvider(server.url, "sesame") as provider:
        outbox = Outbox(pool)
        notices = Notices(parts.services, rules, lambda _supply, _slot: moved)
        telling = Telling(
            parts.reader, outbox, notices, provider, rules=rules, clock=parts.services.clock
        )
        yield Desk(city, telling, outbox, server, integrator, moved)
    integrator.close()


@pytest.fixture
def desk(way: Desk) -> Desk:
    """The way with nothing left on it."""
    way.service.answers.clear()
    way.tell()
    return way


def test_a_booking_is_confirmed_and_remembered_the_day_before(desk):
    city, booker = desk.city, citizen()
    appointment = city.book(booker, city.open(1, on=city.clock.today + timedelta(days=3)))
    assert desk.tell() == ["confirmed"]
    headers, body = desk.service.got[-1]
    assert headers["Authorization"] == "Bearer sesame"
    assert headers["Idempotency-Key"] == body["id"]
    assert body["to"] == PHONE
    number = city.appointment(appointment).booking_number
    assert number in body["text"]["zh-CN"]
    assert number in body["text"]["en"]
    assert booker.identity.id_number not in json.dumps(body)
    assert booker.identity.name not in json.dumps(body, ensure_ascii=False)
    assert desk.tell() == []
    city.clock.turn(days=2)
    assert desk.tell() == ["reminder"]
    assert desk.tell() == []


def test_a_move_is_told_and_the_old_reminder_is_not(desk):
    city, booker = desk.city, citizen()
    first = city.open(1, on=city.clock.today + timedelta(days=4))
    appointment = city.book(booker, first)
    other = city.open(1, on=city.clock.today + timedelta(days=8))
    request = {"supply": str(other), "slot": 1}
    city.parts.desk.bookings.move(booker, uuid4(), appointment, request)
    assert sorted(desk.tell()) == ["changed", "confirmed"]
    city.clock.turn(days=4)
    assert desk.tell() == []
    city.clock.turn(days=3)
    assert desk.tell() == ["reminder"]


def test_other_hours_are_told_to_everybody_of_the_slot(desk):
    city = desk.city
    supply = city.open(2, on=city.clock.today + timedelta(days=5))
    desk.moved[:] = [city.book(citizen(), supply) for _ in range(2)]
    city.change(supply, "slot-moved", slot=1, starts="14:00", ends="15:00")
    assert sorted(desk.tell()) == ["changed", "changed", "confirmed", "confirmed"]
    assert "14:00-15:00" in desk.service.got[-1][1]["text"]["zh-CN"]


def test_what_the_site_calls_off_is_told_and_what_the_person_cancels_is_not(desk):
    city, booker = desk.city, citizen()
    supply = city.open(2, on=city.clock.today + timedelta(days=6))
    mine, other = city.book(booker, supply), city.book(citizen(), supply)
    desk.tell()
    city.parts.desk.bookings.cancel(booker, uuid4(), mine, {"reason": "cannot-come"})
    city.at_site(other, "called-off", reason="no-vaccine")
    assert desk.tell() == ["called-off"]


def test_at_night_it_waits_for_the_morning(desk):
    city = desk.city
    supply = city.open(1, on=city.clock.today + timedelta(days=7))
    city.clock.turn(hours=13)
    city.book(citizen(), supply)
    assert desk.tell() == []
    city.clock.turn(hours=10)
    assert desk.tell() == ["confirmed"]
    city.clock.turn(hours=1)


def test_a_provider_that_is_away_is_asked_again_and_one_that_refuses_is_not(desk):
    city = desk.city
    supply = city.open(2, on=city.clock.today + timedelta(days=9))
    city.book(citizen(), supply)
    desk.service.answers[:] = [503, 429]
    assert desk.tell() == ["confirmed"]
    first = desk.service.got[-1][1]["id"]
    city.clock.turn(minutes=1)
    assert desk.tell() == ["confirmed"]
    city.clock.turn(minutes=2)
    assert desk.tell() == ["confirmed"]
    assert {body["id"] for _, body in desk.service.got[-3:]} == {first}
    assert desk.tell() == []
    failed = desk.outbox.counts().get("failed", 0)
    city.book(citizen(), supply)
    desk.service.answers[:] = [400]
    assert desk.tell() == ["confirmed"]
    city.clock.turn(hours=2)
    assert desk.tell() == []
    assert desk.outbox.counts()["failed"] == failed + 1


def test_a_number_that_nobody_stated_is_noted(desk):
    city, booker = desk.city, citizen()
    silent = type(booker)(
        booker.subject,
        booker.role,
        None,
        "",
        type(booker.identity)("周正", booker.identity.id_number, None, face_verified=True),
    )
    unreachable = desk.outbox.counts().get("unreachable", 0)
    city.book(silent, city.open(1, on=city.clock.today + timedelta(days=10)))
    assert desk.tell() == []
    assert desk.outbox.counts()["unreachable"] == unreachable + 1


def vaccinated(desk: Desk) -> tuple[UUID, UUID]:
    """Someone books and is given a first dose; returns the record and the dose."""
    city, booker = desk.city, citizen()
    record, handle = city.records.register(booker)
    city.clock.turn(hours=(33 - city.clock.now.hour) % 24)
    supply = city.open(1, on=city.clock.today, first=city.clock.now.hour)
    appointment = city.book(booker, supply)
    city.verify(appointment, booker)
    dose = city.records.give(record, handle, 1)
    city.at_site(appointment, "redeemed", record=str(record), dose=str(dose))
    desk.tell()
    return record, dose


def test_the_second_dose_is_told_on_the_first_day_on_which_it_may_be_given(desk):
    vaccinated(desk)
    desk.city.clock.turn(days=20)
    assert desk.tell() == []
    desk.city.clock.turn(days=1, hours=1)
    assert desk.tell() == ["next-dose"]


def correct(desk: Desk, record: UUID, dose: UUID, kind: str, *changes: dict[str, str]) -> None:
    """A correction that counts at once."""
    site = desk.city.site
    own = {"clinic": str(site.organisation)}
    asked = {
        "record": str(record),
        "dose": str(dose),
        "division": site.principal.division,
        "kind": kind,
        "changes": list(changes),
        "urgency": "immediate",
        "reason": "typing-error",
        "requested_by": "clinic",
        **own,
    }
    draft = Draft("correction.requested.v1", new_id(), 0, asked)
    site.submit(draft)
    site.submit(Draft("correction.verified.v1", draft.stream, 1, own))
    site.submit(Draft("correction.applied.v1", draft.stream, 2, own))


def test_of_a_dose_that_was_struck_out_no_next_one_is_told(desk):
    record, dose = vaccinated(desk)
    correct(desk, record, dose, "entered-in-error")
    desk.city.clock.turn(days=21, hours=1)
    assert desk.tell() == []


def test_the_next_dose_is_told_by_the_day_as_corrected(desk):
    record, dose = vaccinated(desk)
    given = desk.city.clock.today
    day = {"before": given.isoformat(), "after": (given - timedelta(days=1)).isoformat()}
    correct(desk, record, dose, "amend", {"field": "occurred_on", **day})
    desk.city.clock.turn(days=21, hours=1)
    assert desk.tell() == ["next-dose"]
    assert (given + timedelta(days=20)).isoformat() in desk.service.got[-1][1]["text"]["zh-CN"]


def test_the_outbox_holds_nothing_personal(desk):
    rows = rows_of(desk.outbox._pool, b"SELECT m::text FROM outbox.messages m")
    assert rows
    assert not [row for row in rows if PHONE in str(row) or "周正" in str(row)]


def test_after_two_days_it_is_given_up_and_counted(desk):
    city = desk.city
    failed = desk.outbox.counts().get("failed", 0)
    city.book(citizen(), city.open(1, on=city.clock.today + timedelta(days=300)))
    desk.service.answers[:] = [503] * 200
    before = len(desk.service.got)
    desk.look()
    for _ in range(60):  # hours; at night nothing is sent
        while desk.telling.deliver():
            pass
        city.clock.turn(hours=1 if city.clock.now.hour < 20 else 13)
    told = [body for _, body in desk.service.got[before:]]
    tried = [body["id"] for body in told if body["kind"] == "confirmed"]
    assert len(tried) > 10
    assert len(set(tried)) == 1
    assert desk.outbox.counts()["failed"] > failed
    desk.service.answers.clear()
    assert "confirmed" not in desk.tell()


def next_morning(desk: Desk) -> None:
    """Turn to nine o'clock, with everything told that was due until then."""
    desk.city.clock.turn(days=1, hours=(9 - desk.city.clock.now.hour) % 24)
    desk.tell()


def test_what_a_worker_took_and_died_with_is_handed_over_again_under_its_id(desk):
    city = desk.city
    next_morning(desk)
    city.book(citizen(), city.open(1, on=city.clock.today + timedelta(days=400)))
    desk.look()
    (message,) = desk.outbox.take(city.clock(), 10)
    notice = desk.telling._notices.notice(message)
    desk.telling._provider.send(notice)  # and dies before it is noted
    assert desk.tell() == []
    city.clock.turn(minutes=3)
    assert desk.tell() == ["confirmed"]
    assert {body["id"] for _, body in desk.service.got[-2:]} == {str(message.id)}


def test_two_workers_never_take_the_same(desk):
    city = desk.city
    next_morning(desk)
    supply = city.open(4, on=city.clock.today + timedelta(days=500))
    for _ in range(4):
        city.book(citizen(), supply)
    desk.look()
    with open_pool(city.parts.settings.database_url, ROLE, size=1) as pool:
        mine = desk.outbox.take(city.clock(), 3)
        others = Outbox(pool).take(city.clock(), 10)
    assert (len(mine), len(others)) == (3, 1)
    assert not {one.id for one in mine} & {one.id for one in others}
    city.clock.turn(minutes=3)
    assert desk.tell() == ["confirmed"] * 4


def test_a_spool_has_one_file_a_notice_for_its_owner_alone(desk, tmp_path: Path):
    city, folder = desk.city, tmp_path / "notices"
    city.book(citizen(), city.open(1, on=city.clock.today + timedelta(days=11)))
    notices = desk.telling._notices
    desk.look()
    (message,) = desk.outbox.take(city.clock(), 10)
    notice = notices.notice(message)
    for _ in range(2):
        Spool(folder).send(notice)
    (file,) = folder.iterdir()
    assert json.loads(file.read_bytes())["to"] == PHONE
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
