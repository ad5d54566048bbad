"""The entry: golden bytes, and every way to be almost one."""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from ledger.entry import MAX_ENTRY_BYTES, Author, Entry, Seal, decode_time, encode_time
from ledger.errors import EntryError
from ledger.jcs import canonical
from ledger.merkle import leaf_hash

GOLDEN = Path(__file__).parents[2] / "vectors" / "ledger"
STREAM = UUID("0198f3a0-7c1e-7d2f-8a4b-5c6d7e8f9a0b")
ORG = "0198f3a0-0000-7000-8000-000000000001"
SUBJECT = "3f0c2f6e-9d1b-4c57-8a35-0e6f7f1d2c3b"


def an_entry(**changes):
    fields = {
        "origin": "ledger.example.cn/vax/2026",
        "topic": "vaccination-record.dose-administered.v1",
        "stream": STREAM,
        "version": 3,
        "division": "410202001",
        "recorded_at": datetime(2026, 9, 1, 1, 2, 3, 4, UTC),
        "author": Author(ORG, "ab" * 32, "cd" * 32),
        "data": {"lot": "20260101A", "quantity": "0.5 mL", "derived": {"flags": [], "dose": 2}},
        "sealed": (Seal(SUBJECT, "00" * 32),),
    }
    return Entry(**(fields | changes))


def members(**changes):
    """The entry's members as JSON, to be bent."""
    return json.loads(an_entry().encode()) | changes


def test_the_bytes_of_an_entry_never_change():
    raw = (GOLDEN / "entry.json").read_bytes()
    assert an_entry().encode() == raw
    assert hashlib.sha256(b"\x00" + raw).digest() == leaf_hash(raw)
    assert leaf_hash(raw).hex() == (GOLDEN / "entry.leaf").read_text("ascii").strip()


def test_an_entry_reads_back_as_it_was_written():
    entry = an_entry(data={"a": "名", "n": None, "t": True, "l": [{"z": -1}]}, sealed=())
    assert Entry.decode(entry.encode()) == entry


def test_its_bytes_are_the_same_from_any_time_zone():
    shanghai = timezone(timedelta(hours=8))
    moved = an_entry(recorded_at=datetime(2026, 9, 1, 9, 2, 3, 4, shanghai))
    assert moved.encode() == an_entry().encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": ""},
        {"origin": "has space"},
        {"origin": "a+b"},
        {"origin": "line\n"},
        {"origin": "x" * 256},
        {"topic": "no-version"},
        {"topic": "a.b.v0"},
        {"topic": "A.b.v1"},
        {"topic": "a..b.v1"},
        {"topic": "a.b.v1\n"},
        {"topic": "a" * 200 + ".v1"},
        {"version": 0},
        {"version": -1},
        {"version": True},
        {"version": 2**53},
        {"division": ""},
        {"division": "41020"},
        {"division": "4102020011"},
        {"division": "４１０２０２"},
        {"division": "410202\n"},
    ],
)
def test_a_malformed_field_is_refused_before_it_is_written(changes):
    with pytest.raises(EntryError):
        an_entry(**changes)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Author, (ORG.upper(), "ab" * 32, "cd" * 32)),
        (Author, (ORG, "AB" * 32, "cd" * 32)),
        (Author, (ORG, "ab" * 32, "cd" * 31)),
        (Author, (ORG, "ab" * 32 + ",", "cd" * 32)),
        (Author, (f"{ORG},{'ab' * 32}", "cd" * 32, "")),
        (Author, (ORG, "ab" * 32, "cd" * 32 + "\n")),
        (Seal, (SUBJECT.replace("-", ""), "00" * 32)),
        (Seal, (SUBJECT, "0g" * 32)),
        (Seal, (SUBJECT, "")),
    ],
)
def test_malformed_digests_and_handles_are_refused(kind, values):
    with pytest.raises(EntryError):
        kind(*values)


def test_two_blobs_for_one_person_in_one_entry_are_refused():
    with pytest.raises(EntryError):
        an_entry(sealed=(Seal(SUBJECT, "00" * 32), Seal(SUBJECT, "11" * 32)))


def test_an_entry_is_at_most_16_384_bytes():
    room = MAX_ENTRY_BYTES - len(an_entry(data={"a": ""}).encode())
    full = an_entry(data={"a": "x" * room})
    assert len(full.encode()) == MAX_ENTRY_BYTES
    assert Entry.decode(full.encode()) == full
    with pytest.raises(EntryError):
        an_entry(data={"a": "x" * (room + 1)}).encode()
    with pytest.raises(EntryError):
        Entry.decode(canonical(members(data={"a": "x" * (room + 1)})))


@pytest.mark.parametrize("data", [{"a": 1.5}, {"a": 2**53}, {"名": 1}, {"a": "\ud800"}])
def test_data_outside_the_subset_is_refused(data):
    with pytest.raises(EntryError):
        an_entry(data=data).encode()


@pytest.mark.parametrize("missing", sorted(members()))
def test_an_entry_without_one_of_its_members_is_refused(missing):
    bent = members()
    del bent[missing]
    with pytest.raises(EntryError):
        Entry.decode(canonical(bent))
    with pytest.raises(EntryError):  # nor does an unknown one take its place
        Entry.decode(canonical(bent | {"zzz": 1}))


@pytest.mark.parametrize(
    "changes",
    [
        {"position": 1},
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"version": "3"},
        {"version": None},
        {"version": True},
        {"origin": None},
        {"origin": 5},
        {"topic": []},
        {"topic": {}},
        {"division": 410202},
        {"stream": str(STREAM).upper()},
        {"stream": STREAM.hex},
        {"stream": f"{{{STREAM}}}"},
        {"stream": 7},
        {"recorded_at": 7},
        {"recorded_at": None},
        {"author": None},
        {"author": []},
        {"author": {"org": ORG, "keyid": "ab" * 32}},
        {"author": {"org": ORG, "keyid": "ab" * 32, "envelop": "cd" * 32}},
        {"author": {"org": ORG, "keyid": "ab" * 32, "envelope": "cd" * 32, "x": 1}},
        {"author": {"org": ORG, "keyid": "ab" * 32, "envelope": 5}},
        {"data": None},
        {"data": []},
        {"data": "x"},
        {"sealed": None},
        {"sealed": {}},
        {"sealed": [None]},
        {"sealed": [{"subject": SUBJECT}]},
        {"sealed": [{"subject": SUBJECT, "sha-256": "00" * 32}]},
        {"sealed": [{"subject": SUBJECT, "sha256": "00" * 32, "x": 1}]},
        {"sealed": [{"subject": SUBJECT, "sha256": None}]},
    ],
)
def test_a_bent_entry_is_refused_by_the_reader(changes):
    with pytest.raises(EntryError):
        Entry.decode(canonical(members(**changes)))


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'"x"', b"{}", b"\x00" * 10])
def test_other_json_is_no_entry(raw):
    with pytest.raises(EntryError):
        Entry.decode(raw)


def test_the_same_entry_in_other_bytes_is_refused():
    raw = an_entry().encode()
    for other in (raw + b"\n", raw.replace(b":3}", b": 3}"), json.dumps(members()).encode()):
        with pytest.raises(EntryError):
            Entry.decode(other)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01T01:02:03.000004+00:00",
        "2026-09-01 01:02:03.000004Z",
        "2026-09-01T01:02:03Z",
        "2026-09-01T01:02:03.0004Z",
        "2026-09-01T01:02:03,000004Z",
        "2026-09-01T01:02:03.000004z",
        "2026-09-01T01:02:03.000004Z\n",
        "2026-02-29T01:02:03.000004Z",
        "2026-09-01T24:00:00.000000Z",
        "2026-09-01T23:59:60.000000Z",
        "2026-13-01T01:02:03.000004Z",
        "0000-01-01T01:02:03.000004Z",
        "２026-09-01T01:02:03.000004Z",
        "",
    ],
)
def test_a_time_has_one_form_only(text):
    with pytest.raises(EntryError):
        decode_time(text)
    with pytest.raises(EntryError):
        Entry.decode(canonical(members(recorded_at=text)))


def test_times_keep_their_width_and_microseconds():
    for moment in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)):
        assert len(encode_time(moment)) == 27
        assert decode_time(encode_time(moment)) == moment
        assert decode_time(encode_time(moment)).tzinfo is UTC


def test_a_time_without_zone_or_calendar_is_refused():
    with pytest.raises(EntryError):
        encode_time(datetime(2026, 9, 1))  # noqa: DTZ001 - the missing zone is the attack
    with pytest.raises(EntryError):
        encode_time(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8))))


def test_entries_are_written_and_read_fast_enough_for_a_load_test():
    raw = an_entry().encode()
    started = time.process_time()
    for _ in range(2_000):
        Entry.decode(raw)
    assert time.process_time() - started < 1  # 80,000/s expected; a guard against quadratic code
