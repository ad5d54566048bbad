"""`vaxledger tail` against a real NATS server that a real publisher fills."""

import asyncio
import json
from contextlib import closing

import pytest
import typer
from typer.testing import CliRunner

from cli.conformance.log_server import TOKEN, LogServer
from cli.conformance.made_log import MadeLog
from cli.tail import tail
from client import feed
from client.feed import FeedServer
from client.key_history import LOG_KEYS
from client.message import Previous, build
from ledger.hashing import leaf_hash
from tests.integration.feed.own_server import own_server
from tests.unit.client.rotated_log import rotated
from tests.unit.client.signed_log import ORIGIN, SignedLog, small_log, trust
from tests.unit.client.written_log import WrittenLog
from workers.publisher import Publisher

app = typer.Typer()
app.command("tail")(tail)


@pytest.fixture(scope="module")
def server():
    with own_server() as server:
        yield server


@pytest.fixture(scope="module")
def log(server):
    """A signed log, published with its checkpoint."""
    signed = small_log(children=8, doses=3)
    written = WrittenLog([line.raw for line in signed.lines])
    written.note = (len(signed.lines), signed.note())

    async def run():
        stop = asyncio.Event()
        place = FeedServer(server.url, server.user, server.password, (server.monitor_url,))
        publishing = asyncio.create_task(Publisher(written, place).run(stop))
        connection = await feed.connect(
            FeedServer(server.url, server.admin_user, server.admin_password), reconnect=False
        )
        js = connection.jetstream()
        for _ in range(3_000):
            await asyncio.sleep(0.02)
            names = [info.config.name for info in await js.streams_info()]
            if feed.CHECKPOINTS not in names:
                continue
            if (await js.stream_info(feed.CHECKPOINTS)).state.messages:
                break
        else:
            pytest.fail("no checkpoint was published")
        stop.set()
        await publishing
        await connection.close()

    asyncio.run(run())
    return signed


@pytest.fixture
def run(server, tmp_path):
    password = tmp_path / "password"
    password.write_text(server.admin_password)
    keys = tmp_path / "keys"
    keys.write_text("\n".join(key.text() for key in trust().keys))

    def call(*arguments):
        options = ("--nats", server.url, "--user", server.admin_user, "--password-file", password)
        given = [str(one) for one in (*options, "--trust", keys, *arguments)]
        return CliRunner().invoke(app, given)

    return call


def lines(found):
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    return rows[:-1], rows[-1]["summary"]


def test_it_follows_to_the_end_and_the_root_is_the_signed_one(run, log: SignedLog):
    size = len(log.lines)
    found = run("--until", size, "--json")
    assert found.exit_code == 0
    rows, summary = lines(found)
    assert [row["position"] for row in rows] == list(range(1, size + 1))
    assert [row["leaf"] for row in rows] == [leaf_hash(line.raw).hex() for line in log.lines]
    assert (summary["events"], summary["first"], summary["last"]) == (size, 1, size)
    assert (summary["signed"], summary["root"]) == (True, log.checkpoint().root.hex())


def test_a_county_and_the_rest_of_a_province_are_told_apart(run, log):
    rows, summary = lines(run("--division", "41.02", "--until", len(log.lines), "--json"))
    assert {row["division"] for row in rows} == {"410205"}
    assert (summary["events"], summary["root"]) == (len(log.lines) - 2, None)


def test_people_read_a_line_for_each_event_and_a_summary(run, log):
    found = run("--after", len(log.lines) - 2, "--until", len(log.lines))
    assert found.exit_code == 0
    assert "vaccination-record.dose-administered.v1" in found.stdout
    assert "2 条 events" in found.stdout


def test_a_feed_that_is_not_there_leaves_with_2(run, log, tmp_path):
    found = run("--division", "x", "--json")
    assert found.exit_code == 2


def stream_anew(server, raws, bend=lambda _position, body: body, note=None):
    """Fill the stream once more, with bent messages perhaps, and show another checkpoint."""
    previous = WrittenLog(raws).previous_many(1, len(raws))

    async def fill():
        connection = await feed.connect(
            FeedServer(server.url, server.admin_user, server.admin_password), reconnect=False
        )
        js = connection.jetstream()
        await js.delete_stream(feed.ENTRIES)
        await feed.make_stream(js, feed.entries_config(1))
        for position, raw in enumerate(raws, 1):
            subject, headers, body = build(raw, position, Previous(*previous[position]))
            await js.publish(subject, bend(position, body), headers=headers)
        if note is not None:
            await js.publish(feed.CHECKPOINT_SUBJECT, note)
        await connection.close()

    asyncio.run(fill())


@pytest.fixture
def altered(server, log):
    """The stream anew, with another word in its sixth message."""
    raws = [line.raw for line in log.lines]

    def bend(position, body):
        return body.replace(b"child", b"adult") if position == 6 else body

    stream_anew(server, raws, bend)
    return raws


def test_an_altered_message_leaves_with_1(run, altered):
    found = run("--until", len(altered), "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout.splitlines()[-1])["holds"] is False


def test_an_altered_message_is_read_anew_from_the_logs_server(run, altered, log, tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with closing(LogServer()) as serving:
        serving.show(MadeLog(ORIGIN, tuple(altered)), log.note())
        found = run(
            "--until", len(altered), "--json", "--repair", serving.url, "--token-file", token
        )
    assert found.exit_code == 0, found.output
    _, summary = lines(found)
    assert (summary["events"], summary["repaired"]) == (len(altered), 1)
    assert (summary["signed"], summary["root"]) == (True, log.checkpoint().root.hex())


class KeysServer(LogServer):
    """Shows the history of a log's keys too."""

    history = b""

    def answer(self, target, authorization):
        if target == f"/{LOG_KEYS}":
            return 200, self.history
        return super().answer(target, authorization)


@pytest.mark.parametrize(("is_shown", "code"), [(True, 0), (False, 2)])
def test_the_old_keys_are_enough_where_the_log_s_server_shows_their_history(
    run, server, log, tmp_path, is_shown, code
):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    two = rotated("second", "third")
    raws = [line.raw for line in two.lines]
    stream_anew(server, raws, note=two.note())
    with closing(KeysServer()) as serving:
        serving.show(MadeLog(ORIGIN, tuple(raws)), two.note())
        serving.history = two.files()[LOG_KEYS] if is_shown else b""
        given = ("--json", "--repair", serving.url, "--token-file", token)
        found = run("--until", len(raws), *given)
    assert found.exit_code == code, found.output
    if is_shown:
        assert lines(found)[1]["signed"] is True
