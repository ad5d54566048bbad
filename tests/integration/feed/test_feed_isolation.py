"""Attacks of a subscriber on the others: each is refused while its own feed works."""

import asyncio
import json
import re
import socket
from contextlib import aclosing
from urllib.parse import urlsplit

import nats
import nats.js.errors
import pytest

from api.permission_table import at_nats
from bootstrap.embedded.nats_users import OWN_PERMISSIONS
from bootstrap.errors import SubscriberExistsError, SubscriberUnknownError
from bootstrap.subscribers import account_block
from client import feed
from client.continuity import Continuity
from client.subscribe import Subscription
from tests.integration.feed.own_server import administrator, fill, own_server
from tests.unit.client.written_log import write_entry

COUNT = 60
HENAN, ZHEJIANG = "41", "33"


@pytest.fixture(scope="module")
def place():
    """A server with a filled stream and two subscribers, `henan` and `zhejiang`."""
    with own_server() as server:
        asyncio.run(fill(server, COUNT))
        subscribers = administrator(server)
        mine = asyncio.run(subscribers.add("henan", HENAN))
        other = asyncio.run(subscribers.add("zhejiang", ZHEJIANG))
        yield server, subscribers, mine, other


class Intruder:
    """A connection of `henan`, and whatever the server said against it."""

    def __init__(self, credentials):
        self.credentials = credentials
        self.violations = []

    async def __aenter__(self):
        self.connection = await nats.connect(
            self.credentials.url,
            user=self.credentials.user,
            password=self.credentials.password,
            inbox_prefix=self.credentials.inbox_prefix.encode(),
            allow_reconnect=False,
            error_cb=self.note,
        )
        return self

    async def __aexit__(self, *_):
        await self.connection.close()

    async def note(self, error):
        self.violations.append(str(error).lower())

    async def ask(self, subject, body=b""):
        """Publish with a reply to our own inbox; return what came back."""
        inbox = f"{self.credentials.inbox_prefix}.attack"
        answers = await self.connection.subscribe(inbox)
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.connection.publish(subject, payload, reply=inbox)
        return await self.heard(answers)

    async def listen(self, subject):
        """Subscribe to what is not ours, while something happens there."""
        return await self.heard(await self.connection.subscribe(subject))

    async def heard(self, subscription, seconds=0.05):
        # The server's refusals come before its answer to this. Twice: the client library may send
        # the first ping before what was published.
        for _ in range(2):
            await self.connection.flush()
        try:
            return await subscription.next_msg(timeout=seconds)
        except TimeoutError:
            return None


def consumer(**config):
    return {
        "stream_name": "VAX",
        "config": {"ack_policy": "explicit", "deliver_policy": "all"} | config,
    }


API = "$JS.API"
ASKED = {
    "read a message by its sequence": (f"{API}.STREAM.MSG.GET.VAX", {"seq": 5}),
    "read a division's last message": (
        f"{API}.STREAM.MSG.GET.VAX",
        {"last_by_subj": "vax.33.01.02.vaccination-record.dose-administered.v1"},
    ),
    "read a message directly": (f"{API}.DIRECT.GET.VAX", {"seq": 5}),
    "read a subject directly": (f"{API}.DIRECT.GET.VAX.vax.33.>", b""),
    "make a consumer": (f"{API}.CONSUMER.CREATE.VAX", consumer(filter_subject="vax.33.>")),
    "make a named consumer": (
        f"{API}.CONSUMER.CREATE.VAX.x.vax.33.>",
        consumer(name="x", filter_subject="vax.33.>"),
    ),
    "make a consumer of several filters": (
        f"{API}.CONSUMER.CREATE.VAX.x",
        consumer(name="x", filter_subjects=["vax.33.>", "vax.41.>"]),
    ),
    "make a durable the old way": (
        f"{API}.CONSUMER.DURABLE.CREATE.VAX.x",
        consumer(durable_name="x", filter_subject="vax.33.>"),
    ),
    "edit our own filter": (
        f"{API}.CONSUMER.CREATE.VAX.subscriber-henan.vax.33.>",
        consumer(durable_name="subscriber-henan", filter_subject="vax.33.>"),
    ),
    "edit another's filter": (
        f"{API}.CONSUMER.DURABLE.CREATE.VAX.subscriber-zhejiang",
        consumer(durable_name="subscriber-zhejiang", filter_subject="vax.41.>"),
    ),
    "inject a push consumer": (
        f"{API}.CONSUMER.CREATE.VAX.pushed",
        consumer(name="pushed", deliver_subject="_INBOX_subscriber-zhejiang.x"),
    ),
    "pull another's messages": (f"{API}.CONSUMER.MSG.NEXT.VAX.subscriber-zhejiang", b"1"),
    "look at another's consumer": (f"{API}.CONSUMER.INFO.VAX.subscriber-zhejiang", b""),
    "list the consumers": (f"{API}.CONSUMER.LIST.VAX", b""),
    "delete another's consumer": (f"{API}.CONSUMER.DELETE.VAX.subscriber-zhejiang", b""),
    "pause another's consumer": (
        f"{API}.CONSUMER.PAUSE.VAX.subscriber-zhejiang",
        {"pause_until": "2099-01-01T00:00:00Z"},
    ),
    "reset another's consumer": (f"{API}.CONSUMER.RESET.VAX.subscriber-zhejiang", {"seq": 1}),
    "reset our own consumer": (f"{API}.CONSUMER.RESET.VAX.subscriber-henan", {"seq": 1}),
    "look at the stream": (f"{API}.STREAM.INFO.VAX", {"subjects_filter": ">"}),
    "limit the stream": (f"{API}.STREAM.UPDATE.VAX", {"name": "VAX", "max_msgs": 1}),
    "purge the stream": (f"{API}.STREAM.PURGE.VAX", b""),
    "delete the stream": (f"{API}.STREAM.DELETE.VAX", b""),
    "delete a message": (f"{API}.STREAM.MSG.DELETE.VAX", {"seq": 3}),
    "copy the stream": (
        f"{API}.STREAM.CREATE.MINE",
        {"name": "MINE", "sources": [{"name": "VAX"}]},
    ),
    "take a snapshot": (f"{API}.STREAM.SNAPSHOT.VAX", {"deliver_subject": "_INBOX_x"}),
    "publish an entry": ("vax.41.02.05.vaccination-record.dose-administered.v1", b"{}"),
    "publish a checkpoint": ("vaxledger.checkpoint", b"forged"),
    "publish an alarm": ("vaxledger.alarm", b"{}"),
    "acknowledge another's message": ("$JS.ACK.VAX.subscriber-zhejiang.1.5.1.0.0", b"+ACK"),
    "acknowledge with a domain": ("$JS.ACK.hub.acc.VAX.subscriber-zhejiang.1.5.1.0.0.x", b"+ACK"),
    "write into another's inbox": ("_INBOX_subscriber-zhejiang.x", b"x"),
    "ask the system": ("$SYS.REQ.SERVER.PING", b""),
    "reload the server": ("$SYS.REQ.SERVER.X.RELOAD", b""),
    "ask about the account": ("$SYS.REQ.ACCOUNT.PING.CONNZ", b""),
}
HEARD = {
    "the entries themselves": "vax.>",
    "another division's": "vax.33.>",
    "everything": ">",
    "every inbox": "_INBOX.>",
    "any first token": "*.>",
    "another's inbox": "_INBOX_subscriber-zhejiang.>",
    "the checkpoints": "vaxledger.>",
    "the API's own traffic": "$JS.>",
    "others' acknowledgements": "$JS.ACK.>",
    "advisories": "$JS.EVENT.>",
    "the system's events": "$SYS.>",
    "entries, in a queue group": "vax.33.01.02.>",
}


def state(server):
    """All that an attack could have changed."""

    async def run():
        connection = await nats.connect(
            server.url, user=server.admin_user, password=server.admin_password
        )
        js = connection.jetstream()
        streams = [
            (one.config, one.state.messages, one.state.last_seq)
            for one in sorted(await js.streams_info(), key=lambda one: one.config.name)
        ]
        consumers = [
            (one.name, one.config, one.ack_floor.stream_seq, one.num_ack_pending)
            for one in await js.consumers_info(feed.ENTRIES)
        ]
        await connection.close()
        return streams, consumers

    return asyncio.run(run())


@pytest.mark.parametrize("attack", ASKED)
def test_a_subscriber_may_not(place, attack):
    server, _, mine, _ = place
    before = state(server)

    async def run():
        async with Intruder(mine) as intruder:
            answer = await intruder.ask(*ASKED[attack])
            assert answer is None
            assert any("permissions violation for publish" in one for one in intruder.violations)

    asyncio.run(run())
    assert state(server) == before


@pytest.mark.parametrize("attack", HEARD)
def test_a_subscriber_may_not_listen_to(place, attack):
    _, _, mine, _ = place

    async def run():
        async with Intruder(mine) as intruder:
            assert await intruder.listen(HEARD[attack]) is None
            assert any(
                "permissions violation for subscription" in one for one in intruder.violations
            )

    asyncio.run(run())


def covers(pattern, subject):
    """Whether a subject, or all subjects of another pattern, are among a pattern's."""
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        given, left = given[: len(wanted)], given[len(wanted) :]
        if not left:
            return False
    return len(wanted) == len(given) and all(
        one in ("*", other) and other != ">" for one, other in zip(wanted, given, strict=True)
    )


def test_each_user_says_and_hears_what_the_table_of_permissions_has(place):
    """What a user may say is said by subscribers only: ours may do harm."""
    server, _, mine, other = place
    rows = {user: (said, heard) for _, user, said, heard in at_nats(mine.user, other.user)}
    passwords = {
        server.user: server.password,
        server.admin_user: server.admin_password,
        mine.user: mine.password,
        other.user: other.password,
    }
    assert rows.keys() == passwords.keys()
    said = {subject for subject, _ in ASKED.values()}
    said |= {one.replace(">", "1.5.1.0.0") for row in rows.values() for one in row[0]}
    heard = {*HEARD.values()} | {one for row in rows.values() for one in row[1]}
    before = state(server)

    async def refused(user, permissions):
        found = set()

        async def note(error):
            if quoted := re.search(r'permissions violation for .*"(.+)"', str(error).lower()):
                found.add(quoted[1])  # the client library tells it in small letters

        connection = await nats.connect(
            server.url, user=user, password=passwords[user], allow_reconnect=False, error_cb=note
        )
        may = [one for one in said if any(covers(pattern, one) for pattern in permissions[0])]
        for subject in said - set(may) if user in OWN_PERMISSIONS else said:
            await connection.publish(subject, b"")
        for subject in heard:
            await connection.subscribe(subject)
        for _ in range(2):
            await connection.flush()
        await connection.close()
        return found

    for user, permissions in rows.items():
        expected = {one for one in said if not any(covers(p, one) for p in permissions[0])}
        expected |= {one for one in heard if not any(covers(p, one) for p in permissions[1])}
        assert asyncio.run(refused(user, permissions)) == {one.lower() for one in expected}, user
    assert state(server) == before


@pytest.mark.parametrize(
    "who", [{}, {"user": "subscriber-henan"}, {"user": "publisher", "password": "publisher"}]
)
def test_nobody_gets_in_without_the_password(place, who):
    server, *_ = place
    given = {"verbose": False} | {name.replace("word", ""): who[name] for name in who}
    with (
        socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=60) as client,
        client.makefile("rwb") as lines,
    ):
        assert lines.readline().startswith(b"INFO ")
        lines.write(f"CONNECT {json.dumps(given)}\r\nPING\r\n".encode())
        lines.flush()
        assert lines.readline() == b"-ERR 'Authorization Violation'\r\n"


REPLIES = {
    "the stream of entries": "vax.41.02.05.vaccination-record.dose-administered.v1",
    "a division of its own making": "vax.99.x",
    "the alarms": "vaxledger.alarm",
    "the checkpoints": "vaxledger.checkpoint",
    "another's inbox": "_INBOX_subscriber-zhejiang.x",
    "the publisher's inbox": "_INBOX.x",
    "the deletion of a stream": "$JS.API.STREAM.DELETE.VAX-ALARMS",
    "the deletion of a consumer": "$JS.API.CONSUMER.DELETE.VAX.subscriber-zhejiang",
    "another's pull": "$JS.API.CONSUMER.MSG.NEXT.VAX.subscriber-zhejiang",
    "another's acknowledgement": "$JS.ACK.VAX.subscriber-zhejiang.1.5.1.0.0",
}


def test_no_reply_that_a_pull_names_leaves_the_subscribers_own_account(place):
    """The server answers to whatever subject is asked for: in one account, into the stream."""
    server, subscribers, _, other = place
    prober = asyncio.run(subscribers.add("prober", HENAN))
    before = state(server)[0]

    async def run():
        async with Intruder(prober) as intruder, Intruder(other) as victim:
            publisher = await nats.connect(
                server.url, user=server.user, password=server.password, allow_reconnect=False
            )
            heard = await victim.connection.subscribe(f"{other.inbox_prefix}.>")
            ours = [await publisher.subscribe(one) for one in ("_INBOX.x", "vaxledger.>", "vax.>")]
            await victim.connection.flush()
            await publisher.flush()
            for reply in REPLIES.values():
                for name in ("MSG.NEXT", "INFO"):
                    subject = f"{prober.api_prefix}.CONSUMER.{name}.VAX.{prober.durable}"
                    await intruder.connection.publish(subject, b"", reply=reply)
            await intruder.connection.flush()
            assert await victim.heard(heard, 0.3) is None
            for subscription in ours:
                with pytest.raises(TimeoutError):
                    await subscription.next_msg(timeout=0.1)
            await publisher.close()

    asyncio.run(run())
    assert state(server)[0] == before
    asyncio.run(subscribers.revoke("prober"))


def test_the_feed_itself_works_for_each_and_brings_its_own_division_only(place):
    *_, mine, other = place

    async def collect(credentials, division):
        subscription = Subscription(
            credentials.server(), Continuity(division), durable=credentials.durable
        )
        found = []
        async with asyncio.timeout(60), aclosing(subscription.events()) as events:
            async for event in events:
                found.append(event.position)
                await event.ack()
                if len(found) == len(wanted[division]):
                    return found
        return found

    divisions = [json.loads(write_entry(n))["division"] for n in range(COUNT)]
    wanted = {
        prefix: [p for p, one in enumerate(divisions, 1) if one.startswith(prefix)]
        for prefix in (HENAN, ZHEJIANG)
    }
    assert asyncio.run(collect(other, ZHEJIANG)) == wanted[ZHEJIANG]
    assert asyncio.run(collect(mine, HENAN)) == wanted[HENAN]


def test_rotating_ends_the_old_password_and_revoking_ends_everything(place):
    _, subscribers, *_ = place

    async def enters(credentials):
        try:
            connection = await feed.connect(credentials.server(), reconnect=False)
        except (nats.errors.Error, OSError):
            return False
        await connection.close()
        return True

    async def run():
        first = await subscribers.add("short-lived", "4102", after=7)
        assert await enters(first)
        assert (await subscribers.find("short-lived")).floor == 7
        with pytest.raises(SubscriberExistsError):
            await subscribers.add("short-lived", "4102")
        second = await subscribers.rotate("short-lived")
        assert second.password != first.password
        assert (await enters(first), await enters(second)) == (False, True)
        await subscribers.revoke("short-lived")
        async with asyncio.timeout(60):
            while await enters(second):  # noqa: ASYNC110  the server reads its users again
                await asyncio.sleep(0.05)
        with pytest.raises(SubscriberUnknownError):
            await subscribers.rotate("short-lived")

    asyncio.run(run())


def test_the_account_for_another_server_is_what_our_own_includes(place):
    server, _, mine, _ = place
    written = json.loads((server.home / "accounts.conf").read_text().removeprefix("accounts: "))
    assert written[mine.user] == json.loads(account_block(mine))[mine.user]
