"""Attacks by one who also holds the log's signing keys: tree and checkpoint are made anew.

What is left against them are the authors' signatures, the streams' versions, the order of time,
and any checkpoint that somebody else has kept.
"""

import json
from dataclasses import replace
from datetime import timedelta

from ledger.entry import Seal
from tests.tamper.forging import (
    WHOLE_LOG,
    Attack,
    anywhere,
    edit_time,
    entry_at,
    place,
    with_members,
)
from tests.unit.client.signed_log import CDC, OPERATOR, PLATFORM, author

DOSE = "dose-administered"


def a_field_edited(log, chance):
    at = place(log, chance, DOSE)
    log.forge(at, data=dict(entry_at(log, at).data) | {"lot": "B" + "7" * 8})
    return Attack(log.files(), at)


def history_rewritten(log, chance):
    seen = log.checkpoint(chance.randrange(len(log.lines) // 2, len(log.lines) + 1))
    edit_time(log, chance.randint(1, len(log.lines) // 2))
    return Attack(log.files(), WHOLE_LOG, (seen,))


def two_roots_of_one_size(log, chance):
    seen = log.checkpoint()
    edit_time(log, anywhere(log, chance))
    return Attack(log.files(), WHOLE_LOG, (seen,))


def the_newest_events_forgotten(log, chance):
    seen = log.checkpoint()
    del log.lines[chance.randrange(1, len(log.lines)) :]
    return Attack(log.files(), WHOLE_LOG, (seen,))


def an_event_left_out(log, chance):
    """The next of its stream shows the gap; its last event only an older checkpoint shows."""
    streams = [line.entry.stream for line in log.lines]
    at = chance.choice([p for p in log.positions(DOSE) if streams[p - 1] in streams[p:]])
    gap = at + streams[at:].index(streams[at - 1])
    del log.lines[at - 1]
    return Attack(log.files(), gap)


def an_event_repeated(log, chance):
    log.lines.append(log.lines[place(log, chance) - 1])
    return Attack(log.files(), len(log.lines))


def two_events_of_a_stream_swapped(log, chance):
    streams = [line.entry.stream for line in log.lines]
    at = chance.choice([p for p in log.positions(DOSE) if streams[p - 1] in streams[p:]])
    other = at + 1 + streams[at:].index(streams[at - 1])
    log.lines[at - 1], log.lines[other - 1] = log.lines[other - 1], log.lines[at - 1]
    return Attack(log.files(), at)


def a_version_changed(log, chance):
    at = place(log, chance)
    log.forge(at, version=entry_at(log, at).version + chance.choice((1, 2, 1000)))
    return Attack(log.files(), at)


def an_event_moved_to_another_child(log, chance):
    at = log.positions(DOSE)[-1]
    entry = entry_at(log, at)
    others = [(s, p) for s, p in log.children if s != entry.stream]
    if not others:
        log.draw_child()
        others = log.children[-1:]
        log.lines.insert(at - 1, log.lines.pop())
        at += 1
        log.forge(at - 1, recorded_at=entry.recorded_at)
    stream, person = chance.choice(others)
    before = [line.entry.version for line in log.lines[: at - 1] if line.entry.stream == stream]
    log.forge(
        at,
        stream=stream,
        version=max(before, default=0) + 1,
        sealed=(Seal(str(person), entry.sealed[0].sha256),),
    )
    return Attack(log.files(), at)


def an_actor_changed(log, chance):
    at = place(log, chance, DOSE)
    who = entry_at(log, at).author
    other = chance.choice([str(CDC), str(PLATFORM), str(OPERATOR), str(log.handle())])
    log.forge(at, author=replace(who, org=other))
    return Attack(log.files(), at)


def a_key_id_changed(log, chance):
    at = place(log, chance)
    who = entry_at(log, at).author
    other = chance.choice([author(CDC).keyid, log.random_bytes(32).hex()])
    other = other if other != who.keyid else author(OPERATOR).keyid
    log.forge(at, author=replace(who, keyid=other))
    return Attack(log.files(), at)


def a_time_set_back(log, chance):
    at = place(log, chance)
    newest = max(line.entry.recorded_at for line in log.lines[: at - 1])
    log.forge(at, recorded_at=newest - timedelta(seconds=2, microseconds=chance.randint(1, 10**9)))
    return Attack(log.files(), at)


def a_time_set_forward(log, chance):
    """The next event shows it: it stands too far behind."""
    at = place(log, chance, DOSE)
    at = min(at, len(log.lines) - 1)
    log.forge(at, recorded_at=entry_at(log, at).recorded_at + timedelta(days=1))
    return Attack(log.files(), at + 1)


def a_seal_removed(log, chance):
    at = place(log, chance, DOSE)
    log.forge(at, sealed=())
    return Attack(log.files(), at)


def a_seal_given_to_another_person(log, chance):
    at = place(log, chance, DOSE)
    log.forge(at, sealed=(Seal(str(log.handle()), entry_at(log, at).sealed[0].sha256),))
    return Attack(log.files(), at)


def a_subject_sealed_twice(log, chance):
    at = place(log, chance, DOSE)
    seals = json.loads(log.lines[at - 1].raw)["sealed"]
    with_members(log, at, sealed=seals * 2)
    return Attack(log.files(), at)


def an_entry_in_another_spelling(log, chance):
    at = place(log, chance)
    line = log.lines[at - 1]
    other = chance.choice(
        [
            line.raw + b"\n",
            line.raw.replace(b":", b": ", 1),
            json.dumps(json.loads(line.raw)).encode(),
            line.raw.replace(b"data", b"d\\u0061ta", 1),
            line.raw[:-1] + b',"v":1}',
            b"\xef\xbb\xbf" + line.raw,
            line.raw[:-1],
            b"",
            b"null",
        ]
    )
    log.lines[at - 1] = replace(line, raw=other, blobs={})
    return Attack(log.files(), at)


def an_entry_s_member_bent(log, chance):
    at = place(log, chance)
    bent = chance.choice(
        [
            {"v": 2},
            {"v": True},
            {"version": True},
            {"version": str(entry_at(log, at).version)},
            {"division": "4102"},
            {"division": "４１０２０５"},
            {"stream": str(entry_at(log, at).stream).upper() + "A"},
            {"recorded_at": "2026-09-01T00:00:00Z"},
            {"recorded_at": "2026-09-01T00:00:60.000000Z"},
            {"topic": "Dose"},
            {"origin": "other.example.cn/vax"},
            {"sealed": None},
            {"data": []},
            {"position": at},
        ]
    )
    with_members(log, at, **bent)
    return Attack(log.files(), at)


LOG_ATTACKS = (
    a_field_edited,
    history_rewritten,
    two_roots_of_one_size,
    the_newest_events_forgotten,
    an_event_left_out,
    an_event_repeated,
    two_events_of_a_stream_swapped,
    a_version_changed,
    an_event_moved_to_another_child,
    an_actor_changed,
    a_key_id_changed,
    a_time_set_back,
    a_time_set_forward,
    a_seal_removed,
    a_seal_given_to_another_person,
    a_subject_sealed_twice,
    an_entry_in_another_spelling,
    an_entry_s_member_bent,
)
