"""What a consumer must cope with, one scenario each.

Each starts with an honest log of ten entries; what happens then, happens while the consumer runs.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from cli.conformance.made_log import DOSE, MadeLog
from cli.conformance.stage import Stage
from client.message import Message

_START, _SIZE = 10, 30
_COUNTY = "410205"
_HUGE = 200_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario.

    Attributes:
        name: A stable slug.
        asks: What the consumer must do, in zh-CN and en.
        play: Plays it; raises ``NotCopedError``.
        division: What the consumer subscribes to.
    """

    name: str
    asks: str
    play: Callable[[Stage], Awaitable[None]]
    division: str = ""


async def _begin(stage: Stage, *, log: MadeLog | None = None) -> MadeLog:
    """Show the first ten entries and wait until they had their effect; return the whole log."""
    whole = log or MadeLog.of_doses(stage.origin, _SIZE)
    await stage.prepare(whole.first(_START))
    await stage.start()
    await stage.applied(whole.first(_START))
    return whole


async def _in_order(stage: Stage) -> None:
    await _spoiled(stage, lambda messages: messages)


async def _duplicates(stage: Stage) -> None:
    await _spoiled(stage, lambda rest: [*rest[:5], rest[2], rest[4], *rest[5:]])


async def _missing(stage: Stage) -> None:
    await _spoiled(stage, lambda rest: [*rest[:3], *[None] * 8, *rest[11:]])


async def _reordered(stage: Stage) -> None:
    await _spoiled(stage, lambda rest: [*rest[:3], *reversed(rest[3:9]), *rest[9:]])


async def _oversized(stage: Stage) -> None:
    def spoil(rest: list[Message]) -> list[Message]:
        subject, headers, body = rest[4]
        huge = body[:-2] + b'"' + b"x" * _HUGE + b'"}}'
        return [*rest[:4], Message(subject, headers, huge), *rest[5:]]

    await _spoiled(stage, spoil)


async def _wrongly_hashed(stage: Stage) -> None:
    def spoil(rest: list[Message]) -> list[Message]:
        subject, headers, body = rest[4]
        altered = Message(subject, headers, body.replace(b'"lot":"A', b'"lot":"Z'))
        return [*rest[:4], altered, *rest[5:]]

    await _spoiled(stage, spoil)
    await stage.alarmed()


async def _forged(stage: Stage) -> None:
    log = await _begin(stage)
    stage.server.show(log)
    await stage.publish(log.altered(_START + 6).messages()[_START:])
    await stage.applied(log)
    await stage.alarmed()


async def _unknown_type(stage: Stage) -> None:
    await _other_topic(stage, "weather.rain-observed.v1")


async def _newer_version(stage: Stage) -> None:
    await _other_topic(stage, DOSE.replace(".v1", ".v2"))


async def _other_topic(stage: Stage, topic: str) -> None:
    log = MadeLog.of_doses(stage.origin, _START + 5)
    log.add(topic, {"shape": {"nobody": ["knows", 1]}})
    for _ in range(5):
        log.add(DOSE, {"field_of_a_later_edition": "x"})
    await _begin(stage, log=log)
    stage.server.show(log)
    await stage.publish(log.messages()[_START:])
    await stage.applied(log)


async def _wrongly_signed(stage: Stage) -> None:
    log = await _begin(stage)
    forged = log.altered(*range(_START + 1, _SIZE + 1))
    stage.server.show(forged, forged.note(signer="somebody else"))
    await stage.publish(forged.messages()[_START:])
    await stage.alarmed()
    await stage.applied(log.first(_START))
    await _mend(stage, log)


async def _rolled_back(stage: Stage) -> None:
    log = await _begin(stage)
    stage.server.show(log.first(_START + 10))
    await stage.publish(log.messages()[_START : _START + 10])
    await stage.applied(log.first(_START + 10))
    # An older backup, signed rightly at its time, goes another way.
    stage.server.show(log.first(_START))
    await stage.rebuild(log.altered(*range(_START + 1, _SIZE + 1)).messages())
    await stage.alarmed()
    await stage.applied(log.first(_START + 10))
    await _mend(stage, log)


async def _forked(stage: Stage) -> None:
    log = await _begin(stage)
    fork = log.altered(5)
    stage.server.show(fork)  # signed by the log's own key
    await stage.publish(fork.messages()[_START:])
    await stage.alarmed()
    await stage.applied(log.first(_START))
    await stage.restart()  # an operator who only restarts has not settled it
    await stage.applied(log.first(_START))


async def _crash(stage: Stage) -> None:
    log = await _begin(stage)
    messages = log.messages()
    for size in range(_START + 4, _SIZE + 1, 4):
        stage.server.show(log.first(size))
        await stage.publish(messages[size - 4 : size])
        await stage.restart()
    await stage.applied(log)


async def _stream_lost(stage: Stage) -> None:
    log = await _begin(stage)
    stage.server.show(log.first(_START + 10))
    await stage.rebuild([])
    await stage.applied(log.first(_START + 10))
    stage.server.show(log)
    await stage.rebuild(log.messages())
    await stage.applied(log)


async def _far_behind(stage: Stage) -> None:
    log = await _begin(stage)
    await stage.kill()
    stage.server.show(log)
    await stage.rebuild([*[None] * 25, *log.messages()[25:]])
    await stage.start()
    await stage.applied(log)


async def _spoiled(
    stage: Stage, spoil: Callable[[list[Message]], Sequence[Message | None]]
) -> None:
    """Bring the other twenty entries by a stream that was tampered with."""
    log = await _begin(stage)
    stage.server.show(log)
    await stage.publish(spoil(log.messages()[_START:]))
    await stage.applied(log)


async def _mend(stage: Stage, log: MadeLog) -> None:
    """Put everything right again; whoever gave up is started anew."""
    await stage.rebuild(log.messages())
    stage.server.show(log)
    await stage.restart()
    await stage.applied(log)


SCENARIOS = (
    Scenario("in-order", "按序一次 apply each entry once, in order", _in_order),
    Scenario("duplicates", "识别重复 recognise what comes twice", _duplicates),
    Scenario("missing", "补齐缺失 read what is missing from the log", _missing),
    Scenario(
        "missing-in-division", "按区划补齐 the same along a county's chain", _missing, _COUNTY
    ),
    Scenario("reordered", "恢复顺序 restore the order", _reordered),
    Scenario("unknown-type", "容忍未知事件 go on past an unknown type", _unknown_type),
    Scenario("newer-version", "容忍新版本 go on past a newer version", _newer_version),
    Scenario("oversized", "拒绝超长 refuse an oversized message and read it anew", _oversized),
    Scenario("wrongly-hashed", "拒绝改动 refuse an altered message, say so", _wrongly_hashed),
    Scenario("forged", "拒绝自洽的伪造 refuse a forgery whose own hash agrees", _forged),
    Scenario("forged-in-division", "同上，按区划 the same in a county", _forged, _COUNTY),
    Scenario("wrongly-signed", "拒绝他人签名 refuse another key's checkpoint", _wrongly_signed),
    Scenario("rolled-back", "拒绝回退 refuse an older tree", _rolled_back),
    Scenario("forked", "拒绝分叉 refuse another history", _forked),
    Scenario("crash", "崩溃后恰好一次 exactly one effect through kills", _crash),
    Scenario("stream-lost", "流丢失后继续 go on without the stream", _stream_lost),
    Scenario("far-behind", "长期离线后追上 catch up after a long absence", _far_behind),
)
