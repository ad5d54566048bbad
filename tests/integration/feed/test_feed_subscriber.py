"""A subscriber against a real NATS server: every message checked, gaps repaired, attacks found."""

import asyncio
import os
import signal
from contextlib import aclosing, suppress

import nats
import pytest

from client import feed
from client.continuity import Continuity, parse_division
from client.errors import FeedGapError, MessageError
from client.feed import FeedServer
from client.message import Message
from client.subscribe import Subscription
from ledger.entry import Entry
from tests.integration.feed.own_server import made, own_server
from tests.unit.client.written_log import DIVISIONS


@pytest.fixture(scope="module")
def server():
    with own_server() as server:
        yield server


def where(server):
    return FeedServer(server.url, server.admin_user, server.admin_password)


async def fill(server, messages):
    """Make the stream anew and store messages in the order given, whatever they say."""
    connection = await feed.connect(where(server), reconnect=False)
    js = connection.jetstream()
    with suppress(nats.js.errors.NotFoundError):
        await js.delete_stream(feed.ENTRIES)
    config = feed.entries_config(1)
    config.deny_delete = config.deny_purge = False  # a dishonest administrator's stream
    await feed.make_stream(js, config)
    for subject, headers, body in messages:
        await js.publish(subject, body, headers=headers)
    return connection, js


def repair_from(log, division="", calls=None):
    async def repair(after, upto):
        if calls is not None:
            calls.append((after, upto))
        rows = [(p, log.raws[p - 1]) for p in range(after + 1, upto + 1)]
        return [row for row in rows if Entry.decode(row[1]).division.startswith(division)]

    return repair


async def collect(subscription, until):
    async with asyncio.timeout(60):
        async with aclosing(subscription.events(until)) as events:
            return [event async for event in events]


def follow(server, messages, until, *, spoil=None, **options):
    async def run():
        connection, js = await fill(server, messages)
        try:
            if spoil is not None:
                await spoil(js)
            subscription = Subscription(where(server), **options)
            return await collect(subscription, until), subscription
        finally:
            await connection.close()

    return asyncio.run(run())


def of_division(log, digits):
    divisions = [Entry.decode(raw).division for raw in log.raws]
    return [p for p, division in enumerate(divisions, 1) if division.startswith(digits)]


def positions(events):
    return [event.position for event in events]


def test_a_subscriber_of_everything_gets_every_entry_once_and_in_order(server):
    log, messages = made(450)
    events, subscription = follow(server, messages, 450)
    assert positions(events) == list(range(1, 451))
    assert [event.raw for event in events] == log.raws
    assert (subscription.duplicates, subscription.repaired) == (0, 0)


def test_it_goes_on_behind_the_position_that_was_stored(server):
    _, messages = made(30)
    events, _ = follow(server, messages, 30, continuity=Continuity(after=12))
    assert positions(events) == list(range(13, 31))


@pytest.mark.parametrize("division", ["41", "41.02", "410205", "33.01.02", "65"])
def test_a_division_gets_its_entries_and_knows_that_none_is_missing(server, division):
    digits = parse_division(division)
    log, messages = made(60)
    events, _ = follow(server, messages, 60, continuity=Continuity(digits))
    wanted = [
        p for p, raw in enumerate(log.raws, 1) if Entry.decode(raw).division.startswith(digits)
    ]
    assert positions(events) == wanted


def test_a_deleted_message_is_noticed_and_stops_a_subscriber_without_repair(server):
    _, messages = made(20)

    async def spoil(js):
        await js.delete_msg(feed.ENTRIES, 7)

    with pytest.raises(FeedGapError):
        follow(server, messages, 20, spoil=spoil)


@pytest.mark.parametrize("division", ["", "41", "410205"])
def test_deleted_messages_are_repaired_from_the_log(server, division):
    log, messages = made(60)

    async def spoil(js):
        for sequence in (*range(11, 37), 50):
            await js.delete_msg(feed.ENTRIES, sequence)

    calls = []
    events, subscription = follow(
        server,
        messages,
        60,
        spoil=spoil,
        continuity=Continuity(division),
        repair=repair_from(log, division, calls),
    )
    assert positions(events) == of_division(log, division)
    assert len(calls) == (1 if division == "410205" else 2)  # 50 is another county's
    assert subscription.repaired == sum(event.repaired for event in events) > 1


def test_an_altered_message_is_found_and_replaced_by_the_logs_own(server):
    log, messages = made(20)
    subject, headers, body = messages[8]
    messages[8] = Message(subject, headers, body.replace(b"HepB", b"HepA"))
    with pytest.raises(MessageError):
        follow(server, messages, 20)
    events, subscription = follow(server, messages, 20, repair=repair_from(log))
    assert [event.raw for event in events] == log.raws
    assert subscription.repaired == 1


def test_reordered_messages_are_found_and_put_right(server):
    log, messages = made(20)
    messages[4], messages[5] = messages[5], messages[4]
    with pytest.raises(MessageError):
        follow(server, messages, 20)
    events, _ = follow(server, messages, 20, repair=repair_from(log))
    assert positions(events) == list(range(1, 21))


def test_a_doubled_message_shifts_the_sequence_and_is_found(server):
    log, messages = made(20)
    messages.insert(5, messages[4])
    with pytest.raises(MessageError):
        follow(server, messages, 20)
    events, _ = follow(server, messages, 20, repair=repair_from(log))
    assert [event.raw for event in events] == log.raws


def test_a_chain_that_leaves_out_an_entry_of_the_division_is_found(server):
    _, messages = made(20)
    county = [m for m in messages if m.subject.startswith("vax.41.02.05.")]
    at = messages.index(county[2])
    subject, headers, body = messages[at]
    first = f'"previouscounty":"{messages.index(county[0]) + 1}"'.encode()
    honest = f'"previouscounty":"{messages.index(county[1]) + 1}"'.encode()
    assert honest in body
    messages[at] = Message(subject, headers, body.replace(honest, first))
    with pytest.raises(FeedGapError):
        follow(server, messages, 20, continuity=Continuity("410205"))


def test_a_repair_that_brings_too_little_is_refused(server):
    log, messages = made(20)

    async def spoil(js):
        await js.delete_msg(feed.ENTRIES, 7)
        await js.delete_msg(feed.ENTRIES, 8)

    async def short(_after, _upto):
        return [(8, log.raws[7])]

    with pytest.raises(FeedGapError):
        follow(server, messages, 20, spoil=spoil, repair=short)


def test_a_durable_consumer_redelivers_until_the_effect_is_acknowledged(server):
    _, messages = made(10)

    async def run():
        connection, js = await fill(server, messages)
        config = nats.js.api.ConsumerConfig(
            durable_name="henan", ack_policy="explicit", ack_wait=0.5, filter_subject="vax.>"
        )
        await js.add_consumer(feed.ENTRIES, config)
        first = Subscription(where(server), durable="henan")
        stored = 0
        async with aclosing(first.events(10)) as events:
            async for event in events:
                if event.position == 6:
                    break  # it dies before the effect of 6 is stored
                stored = event.position
                await event.ack()
        second = Subscription(where(server), Continuity(after=stored), durable="henan")
        got = []
        # Without an end of its own: while the server still waits for the dead, nothing is pending.
        async with asyncio.timeout(60), aclosing(second.events()) as events:
            async for event in events:
                got.append(event.position)
                await event.ack()
                if event.position == 10:
                    break
        await connection.close()
        return got

    assert asyncio.run(run()) == [6, 7, 8, 9, 10]


def test_a_killed_server_costs_a_subscriber_nothing(server):
    log, messages = made(300)

    async def run():
        connection, _ = await fill(server, messages[:150])
        await connection.close()
        subscription = Subscription(where(server))
        got = []
        async with asyncio.timeout(60), aclosing(subscription.events(300)) as events:
            async for event in events:
                got.append(event.raw)
                if event.position == 100:
                    os.kill(server.pid, signal.SIGKILL)
                    server.restart()  # here: the server dies with the thread that started it
                    more = await feed.connect(where(server), reconnect=False)
                    for subject, headers, body in messages[150:]:
                        await more.jetstream().publish(subject, body, headers=headers)
                    await more.close()
        return got

    assert asyncio.run(run()) == log.raws


@pytest.mark.parametrize("text", ["4", "410", "41020501", "vax", "41.0x", "４１"])
def test_what_is_no_division_is_refused(text):
    with pytest.raises(ValueError, match="division"):
        parse_division(text)


def test_townships_are_followed_by_their_county():
    assert "410205001" in DIVISIONS
    assert parse_division("41.02.05") == "410205"
