"""What people are told about their bookings, and when (A-4, X-8)."""

import json
from datetime import date, datetime, timedelta
from importlib.resources import files

import pytest

from domain.booking.notice import PLACEHOLDERS, Kind, NoticeRules
from domain.calendar import SHANGHAI
from domain.schedules.edition import InvalidRuleFile
from domain.schedules.json_document import parse_document

RULES = NoticeRules.load()
SHIPPED = files("domain.schedules") / "data" / "yongzhou-2021.notices.json"
FACTS = {
    "day": "2031-05-09",
    "starts": "08:00",
    "ends": "09:00",
    "site": "梅湾接种点",
    "number": "012345678901",
    "earliest": "2031-05-30",
}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2031, 5, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("known", "sent"),
    [
        (at(8, 8), at(8, 8)),
        (at(8, 20, 59), at(8, 20, 59)),
        (at(8, 21), at(9, 8)),
        (at(8, 23, 59), at(9, 8)),
        (at(9, 0), at(9, 8)),
        (at(9, 7, 59), at(9, 8)),
    ],
)
def test_in_quiet_hours_nobody_is_disturbed(known, sent):
    assert RULES.send_at(known) == sent


def test_what_would_come_too_late_in_the_morning_is_sent_at_night():
    assert RULES.send_at(at(8, 22), begins=at(9, 8)) == at(8, 22)
    assert RULES.send_at(at(8, 22), begins=at(9, 8, 1)) == at(9, 8)


def test_a_day_brings_its_notices_in_the_morning():
    assert RULES.of_day(date(2031, 5, 8)) == at(8, 9)


def test_pauses_grow_and_the_last_one_stays():
    assert [RULES.pause(n) for n in (1, 2, 5, 50)] == [
        timedelta(minutes=minutes) for minutes in (1, 2, 60, 60)
    ]


@pytest.mark.parametrize("kind", Kind)
def test_a_text_names_the_booking_in_both_languages_and_nobody(kind):
    text = RULES.text(kind, FACTS)
    assert FACTS["number"] in text.zh
    assert FACTS["number"] in text.en
    assert not {"name", "id_number", "phone", "product"} & set(PLACEHOLDERS[kind])


@pytest.mark.parametrize(
    "change",
    [
        {"quiet_hours": {"from": "08:00", "to": "21:00"}},
        {"quiet_hours": {"from": "25:00", "to": "08:00"}},
        {"retry_minutes": []},
    ],
)
def test_a_file_that_contradicts_itself_is_refused(change):
    document = json.loads(SHIPPED.read_bytes()) | change
    with pytest.raises(InvalidRuleFile):
        NoticeRules.read(parse_document(json.dumps(document).encode()))


def test_a_text_with_another_fact_is_refused():
    document = json.loads(SHIPPED.read_bytes())
    document["texts"]["next-dose"]["zh"] += "{day}"
    with pytest.raises(InvalidRuleFile):
        NoticeRules.read(parse_document(json.dumps(document).encode()))
