"""A thousand corrections in a county of 100,000 checked children: until its roll-up says so.

A thousand of the children stand in the log of a running installation, with 22 doses each; the
others only in its views. What is measured begins when the corrections are stored and goes its way
through the parts: checkpoint, views, the calendar's new look at each check, checkpoint, views, and
in the end the roll-up.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from benchmarks.author import operator_of
from benchmarks.clinic import Child, append_all
from benchmarks.contest import Contestant, Pace
from benchmarks.county import CHECKED_ON, IN_A_CLASS, INSTITUTIONS, YEAR, County
from benchmarks.installation import Served
from benchmarks.measuring import Measured, once
from commands.principal import Role
from domain.calendar import civil_day
from ledger.entry import Author as Named
from ledger.entry import Entry
from ledger.store.append import Append, NewEvent
from projections.connection import READ, Pool, open_pool
from projections.roll_up import Level, RollUps

CORRECTED = "county roll-up restated after 1,000 corrections"
_COUNTY = "410206"
_TOWNSHIP = "410206001"
_CORRECTIONS = 1_000
_IN_A_BATCH = 500
_ENVELOPE = b"{}"
_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.03
"""Each look counts rows, on the cores that are measured."""
_CHILDHOOD = [
    *(("BCG", "2014-06-29"), ("HepB", "2014-06-29"), ("HepB", "2014-07-30")),
    *(("HepB", "2014-12-30"), ("IPV", "2014-08-30"), ("OPV", "2014-09-30")),
    *(("OPV", "2014-10-30"), ("OPV", "2018-06-30"), ("DTaP", "2014-09-30")),
    *(("DTaP", "2014-10-30"), ("DTaP", "2014-11-30"), ("DTaP", "2015-12-30")),
    *(("DT", "2020-06-30"), ("MR", "2015-02-28"), ("MMR", "2015-12-30")),
    *(("MPSV-A", "2014-12-30"), ("MPSV-A", "2015-03-30"), ("MPSV-AC", "2017-06-30")),
    *(("MPSV-AC", "2020-06-30"), ("JE-L", "2015-02-28"), ("JE-L", "2016-06-30")),
    ("HepA-L", "2015-12-30"),
]
_FOUND = {
    "age_years": 11,
    "missing": [],
    "exempt": [],
    "requirement": "kaifeng-2018-school-entry",
    "requirement_version": 1,
    "record_version": 1 + len(_CHILDHOOD),
    "complete": True,
    "annex1_row": 6,
}


def contestants(served: Served, stack: ExitStack, pace: Pace) -> list[Contestant]:
    """Fill the county, and let each turn strike another dose of each of a thousand children."""
    url = served.site.parts.settings.database_url
    assert url is not None
    County(url, _COUNTY, range(pace.amount(INSTITUTIONS))).fill()
    pool = stack.enter_context(open_pool(url, READ, 2))
    town = _Town(served, pool, pace.amount(_CORRECTIONS))
    return [
        Contestant(
            CORRECTED,
            "restatements/s",
            town.measure,
            town.ask,
            note="from their commit on, through all parts of an installation",
            has_latency=True,
            turns=2,
        )
    ]


class _Event(NamedTuple):
    topic: str
    stream: UUID
    version: int
    data: dict[str, Any]


class _Pupil(NamedTuple):
    child: Child
    enrolment: UUID
    doses: list[UUID]


class _Town:
    """Children who are checked at schools.

    Args:
        served: The installation; its views hold the rest of the county.
        pool: Connections that read its views.
        amount: Children.
    """

    def __init__(self, served: Served, pool: Pool, amount: int) -> None:
        self._served = served
        self._site = served.site
        self._pool = pool
        self._roll_ups = RollUps(pool)
        self._amount = amount
        self._pupils: list[_Pupil] = []
        self._asked: list[tuple[_Pupil, UUID, UUID]] = []
        self._turns = 0

    def ask(self) -> None:
        """Ask for a correction of each child, and find it right."""
        if not self._pupils:
            self._pupils = self._enrol()
        self._turns += 1
        self._asked = [(one, uuid4(), one.doses[-self._turns]) for one in self._pupils]
        self._append(self._request(*one) for one in self._asked)
        self._served.await_views()

    def measure(self, _: float) -> Measured:
        """Apply the corrections; measured from then on until the roll-up counts them."""
        before = self._lacking()
        self._append(self._apply(*one) for one in self._asked)

        def restated() -> int:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while self._restated() < self._turns * self._amount:
                if time.monotonic() > deadline:
                    raise TimeoutError("Not every check was restated.")
                time.sleep(_POLL_SECONDS)
            if self._lacking() != before + self._amount:
                raise RuntimeError("The roll-up does not say so.")
            return 1

        measured = once(restated)
        return replace(measured, latencies=[measured.seconds])

    def _restated(self) -> int:
        query = b"SELECT count(*) FROM views.restated_checks"
        with self._pool.connection() as connection:
            (count,) = connection.execute(query).fetchone() or (0,)
        return int(count)

    def _enrol(self) -> list[_Pupil]:
        """Register the children with all their doses, enrol and check them."""
        parts, clinic = self._site.parts, self._site.clinic
        county = operator_of(parts).admit(uuid4(), _organisation(Role.COUNTY_CDC, _COUNTY))
        schools = [
            county.admit(uuid4(), _organisation(Role.SCHOOL, _TOWNSHIP, number)).key.organisation
            for number in range(-(-self._amount // IN_A_CLASS))
        ]
        children = clinic.register(self._amount)
        lanes = clinic.doses(children, as_batches=_IN_A_BATCH, childhood=_CHILDHOOD)
        now = parts.services.clock()
        append_all(
            self._site.writer, (clinic.dose_append(dose, now) for lane in lanes for dose in lane)
        )
        pupils = [
            _Pupil(child, uuid4(), [UUID(dose.write.statement.data["dose"]) for dose in lane])
            for child, lane in zip(children, lanes, strict=True)
        ]
        self._append(
            _checked(pupil, schools[number // IN_A_CLASS], number % IN_A_CLASS + 1)
            for number, pupil in enumerate(pupils)
        )
        return pupils

    def _lacking(self) -> int:
        """Doses that the county's children lack."""
        asked = (_COUNTY, "primary")
        found = self._roll_ups.roll_up(*asked, school_year=YEAR, level=Level.TOWNSHIP)
        return sum(count.due for count in found.total.doses.values())

    def _append(self, happened: Iterable[Sequence[_Event]]) -> None:
        """Append what happened to each child, in the platform's name and under no signature."""
        platform = self._site.parts.secrets.platform
        now = self._site.parts.services.clock()
        author = Named(str(platform), "0" * 64, sha256(_ENVELOPE).hexdigest())
        origin = self._site.parts.settings.origin
        append_all(
            self._site.writer,
            (
                Append(
                    platform,
                    uuid4(),
                    bytes(32),
                    tuple(
                        NewEvent.of(
                            Entry(origin, topic, stream, version, _TOWNSHIP, now, author, data, ())
                        )
                        for topic, stream, version, data in events
                    ),
                    envelopes=(_ENVELOPE,),
                )
                for events in happened
            ),
        )

    def _request(self, pupil: _Pupil, correction: UUID, dose: UUID) -> list[_Event]:
        clinic = str(self._site.clinic.key.organisation)
        asked = {
            "record": str(pupil.child.record),
            "dose": str(dose),
            "division": _TOWNSHIP,
            "kind": "entered-in-error",
            "changes": [],
            "urgency": "immediate",
            "reason": "never-given",
            "requested_by": "clinic",
            "clinic": clinic,
        }
        return [
            _Event("correction.requested.v1", correction, 1, asked),
            _Event("correction.verified.v1", correction, 2, {"clinic": clinic}),
        ]

    def _apply(self, pupil: _Pupil, correction: UUID, dose: UUID) -> list[_Event]:
        today = civil_day(self._site.parts.services.clock()).isoformat()
        applied = {
            "clinic": str(self._site.clinic.key.organisation),
            "derived": {"effective_on": today},
        }
        struck = {
            "dose": str(dose),
            "correction": str(correction),
            "reason": "never-given",
            "derived": {
                "effective_on": today,
                "cause": {"stream": str(correction), "version": 3},
            },
        }
        version = 1 + len(_CHILDHOOD) + self._turns
        return [
            _Event("correction.applied.v1", correction, 3, applied),
            _Event(
                "vaccination-record.dose-entered-in-error.v1", pupil.child.record, version, struck
            ),
        ]


def _checked(pupil: _Pupil, school: UUID, number: int) -> list[_Event]:
    enrolled = {
        "record": str(pupil.child.record),
        "institution": str(school),
        "division": _TOWNSHIP,
        "school_year": YEAR,
        "class_name": "1班",
        "entry_type": "primary",
        "admission": "new",
        "number": number,
        "joined_on": "2025-09-01",
    }
    found = {
        "checked_on": CHECKED_ON.isoformat(),
        "has_certificate": True,
        "derived": _FOUND,
    }
    return [
        _Event("enrolment.enrolled.v1", pupil.enrolment, 1, enrolled),
        _Event("enrolment.checked.v1", pupil.enrolment, 2, found),
    ]


def _organisation(role: Role, division: str, number: int = 1) -> dict[str, str]:
    placed = {"name": f"第{number}{role}", "kind": str(role), "division": division}
    of_school = {"institution_type": "primary", "ownership": "public"}
    return {**placed, **of_school} if role is Role.SCHOOL else placed
