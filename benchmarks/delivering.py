"""From the commit of a dose to its delivery: twenty subscribers, all at work or one of them not."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

from benchmarks import receiving
from benchmarks.clinic import DOSES_A_CHILD, Dose
from benchmarks.contest import Contestant, Pace
from benchmarks.ground import Ground
from benchmarks.measuring import Measured
from benchmarks.site import Site, founded
from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.nats_users import NatsUsers
from bootstrap.feed import feed_server
from bootstrap.floors import Floors
from bootstrap.leash import leashed
from bootstrap.settings import Settings
from bootstrap.subscribers import Subscribers
from client.errors import UnavailableError
from client.feed_status import look

ALL_AT_WORK = "commit to delivery, 20 subscribers"
ONE_STOPPED = "commit to delivery, one of 20 subscribers stopped"

_REPOSITORY = Path(__file__).resolve().parents[1]
_SUBSCRIBERS = 20
_PROCESSES = 4
_A_SECOND = 200
_SECONDS = 7.0
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.02

_Receiver = subprocess.Popen[str]


def contestants(ground: Ground, pace: Pace) -> list[Contestant]:
    """The same load twice."""
    seconds = _SECONDS * pace.scale
    note = f"{_A_SECOND} doses a second, synced; publisher and subscribers in {_PROCESSES + 1}"
    return [
        Contestant(
            name,
            "deliveries/s",
            lambda _, stopped=stopped: _measure(ground, seconds, stopped),  # type: ignore[misc]
            beside=beside,
            note=f"{note} processes",
            has_latency=True,
            turns=1,
        )
        for name, stopped, beside in ((ALL_AT_WORK, 0, ""), (ONE_STOPPED, 1, ALL_AT_WORK))
    ]


def _measure(ground: Ground, seconds: float, stopped: int) -> Measured:
    server = EmbeddedNats.start(ground.new_folder("feed"))
    count = int(seconds * _A_SECOND)
    try:
        with founded(ground) as site, site.following():
            settings = site.parts.settings.model_copy(
                update={
                    "nats_url": server.url,
                    "nats_monitor_url": server.monitor_url,
                    "nats_user": server.user,
                    "nats_password": server.password,
                    "log_level": "ERROR",
                }
            )
            with _publishing(settings):
                files = _subscribe(settings, server)[stopped:]
                children = site.clinic.register(-(-count // DOSES_A_CHILD))
                doses = list(chain.from_iterable(site.clinic.doses(children)))[:count]
                with _receiving(files, site.head, count) as receivers:
                    committed = _give(site, doses)
                    delivered = [pair for one in receivers for pair in _result(one)]
            latencies = [max(at - committed[position], 0.0) for position, at in delivered]
            return Measured(len(latencies), seconds, latencies)
    finally:
        server.stop()


@contextmanager
def _publishing(settings: Settings) -> Iterator[None]:
    """Run the publisher as an installation does."""
    process = subprocess.Popen(
        leashed([sys.executable, "-m", "workers", "publisher"], death_signal=signal.SIGTERM),
        cwd=_REPOSITORY,
        env=settings.environment(),
        stdin=subprocess.DEVNULL,
    )
    try:
        _await(lambda: _is_published(settings))
        yield
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _is_published(settings: Settings) -> bool:
    try:
        return asyncio.run(look(feed_server(settings))).position > 0
    except UnavailableError:
        return False


def _subscribe(settings: Settings, server: EmbeddedNats) -> list[Path]:
    """Make the subscribers; return the files of their credentials."""
    place, floors = feed_server(settings), Floors.of(settings.data_dir)
    admin = Subscribers(place, settings.origin, floors, NatsUsers(server.home))
    files = [settings.data_dir / f"s{number}.json" for number in range(_SUBSCRIBERS)]
    for file in files:
        asyncio.run(admin.add(file.stem, "")).save(file)
    return files


@contextmanager
def _receiving(files: Sequence[Path], before: int, count: int) -> Iterator[list[_Receiver]]:
    """Run the subscribers in a few processes; each of them has received what there was."""
    with ExitStack() as stack:
        receivers = []
        for number in range(_PROCESSES):
            mine = [str(file) for file in files[number::_PROCESSES]]
            words = [sys.executable, "-m", receiving.__name__, str(before), str(before + count)]
            process = subprocess.Popen(
                leashed([*words, *mine], death_signal=signal.SIGTERM),
                cwd=_REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
            )
            receivers.append(stack.enter_context(process))
            stack.callback(process.terminate)
        for process in receivers:
            assert process.stdout is not None
            if process.stdout.readline().strip() != receiving.READY:
                raise RuntimeError("A subscriber does not follow.")
        yield receivers


def _result(receiver: _Receiver) -> list[tuple[int, float]]:
    told, _ = receiver.communicate(timeout=_PATIENCE_SECONDS)
    return [(position, at) for position, at in json.loads(told)]


def _give(site: Site, doses: Sequence[Dose]) -> dict[int, float]:
    """Append doses one by one at the pace; return when each position was committed."""
    committed: dict[int, float] = {}
    started = time.perf_counter()
    futures = []
    for number, dose in enumerate(doses):
        time.sleep(max(0.0, started + number / _A_SECOND - time.perf_counter()))
        future = site.writer.submit(site.clinic.dose_append(dose, site.parts.services.clock()))
        future.add_done_callback(
            lambda done: committed.update({done.result().first_position: time.perf_counter()})
        )
        futures.append(future)
    for future in futures:
        future.result(_PATIENCE_SECONDS)
    return committed


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("The feed does not follow.")
        time.sleep(_LOOK_SECONDS)
