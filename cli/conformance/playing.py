"""Playing scenarios one after the other against a consumer, on a NATS server of our own."""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bootstrap.embedded.nats import EmbeddedNats
from cli.conformance.consumer import Consumer
from cli.conformance.log_server import LogServer
from cli.conformance.scenarios import Scenario
from cli.conformance.stage import Ground, NotCopedError, Stage
from client import feed
from client.feed import FeedServer


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a consumer did in one scenario; ``reason`` is empty if it coped."""

    scenario: Scenario
    reason: str

    @property
    def coped(self) -> bool:
        """Whether it did what was asked."""
        return not self.reason


async def play(
    nats: EmbeddedNats,
    consumer: Consumer,
    scenarios: Iterable[Scenario],
    seconds: float,
    told: Callable[[Verdict], None] = lambda _verdict: None,
) -> list[Verdict]:
    """Play scenarios.

    Args:
        nats: A server that nobody else uses.
        consumer: Who is tested; started and ended for each scenario.
        scenarios: Which ones.
        seconds: How long the consumer may take for each step.
        told: Told of each verdict.

    Raises:
        OSError: The consumer cannot be started.
        nats.errors.Error: NATS failed.
    """
    place = FeedServer(nats.url, nats.admin_user, nats.admin_password)
    connection = await feed.connect(place, reconnect=True)
    verdicts = []
    try:
        with (
            closing(LogServer()) as server,
            tempfile.TemporaryDirectory(prefix="vaxledger-conformance-") as folder,
        ):
            ground = Ground(connection.jetstream(), place, server, Path(folder), seconds)
            for scenario in scenarios:
                verdicts.append(await _play_one(ground, consumer, scenario))
                told(verdicts[-1])
    finally:
        await feed.close(connection)
    return verdicts


async def _play_one(ground: Ground, consumer: Consumer, scenario: Scenario) -> Verdict:
    stage = Stage(ground, scenario.name, consumer, scenario.division)
    try:
        await scenario.play(stage)
    except NotCopedError as error:
        return Verdict(scenario, str(error))
    finally:
        await consumer.kill()
    return Verdict(scenario, "")
