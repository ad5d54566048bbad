"""How far everything is, in figures: for the operator's page and for Prometheus."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.parts import Serving
from bootstrap.folders import kek_folder
from ledger.entry import Entry
from ledger.log_keys import INTRODUCED
from ledger.store.errors import NoSuchPosition
from ledger.store.halting import Halt
from ledger.store.outbox import Standing


@dataclass(frozen=True, slots=True)
class Worker:
    """How far a worker is behind what it follows.

    Attributes:
        name: The integrator, the projector with one of its views, or the custodian.
        position: Up to where it has worked; None where it does not count positions.
        behind: Entries that wait for it; of the custodian, minutes of the access journal.
    """

    name: str
    position: int | None
    behind: int


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A key that is to be replaced from time to time, and since when it is in use."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that the databases and this machine tell.

    Attributes:
        size: Entries, whether a checkpoint covers them or not.
        published: Entries under the newest checkpoint.
        checkpoint_made_at: When one was last made, to the minute; None before the first.
        waiting_seconds: How long the oldest entry has waited for its checkpoint.
        workers: The workers but the publisher, whose figures are the feed's.
        queue: Events that wait to be appended, in this process.
        queue_limit: As many may.
        unpublished_limit: As many entries may wait for a checkpoint.
        disk_free: Bytes that are free where the data directory lies.
        disk_total: Bytes that there are.
        keys: By name.
        notices: How it stands with what people are to be told.
        halt: What stopped the log; None while it is written.
    """

    size: int
    published: int
    checkpoint_made_at: datetime | None
    waiting_seconds: float
    workers: tuple[Worker, ...]
    queue: int
    queue_limit: int
    unpublished_limit: int
    disk_free: int
    disk_total: int
    keys: tuple[KeyAge, ...]
    notices: Standing
    halt: Halt | None


def figures(serving: Serving) -> Figures:
    """Read everything, in a thread.

    Raises:
        StoreUnavailable, psycopg.OperationalError: A database does not answer.
        OSError: The data directory cannot be read.
    """
    reader, settings = serving.parts.reader, serving.parts.settings
    published = reader.published()
    size = serving.parts.journal.recorder.max_notification_id() or 0
    disk = shutil.disk_usage(settings.data_dir)
    return Figures(
        size=size,
        published=published,
        checkpoint_made_at=reader.checkpoint_made_at(),
        waiting_seconds=waiting_seconds(serving, published),
        workers=_workers(serving, size, published),
        queue=serving.parts.writer.queued,
        queue_limit=settings.append_queue,
        unpublished_limit=settings.unpublished_entries,
        disk_free=disk.free,
        disk_total=disk.total,
        keys=_keys(serving),
        notices=reader.notices(),
        halt=reader.halted(),
    )


def waiting_seconds(serving: Serving, published: int) -> float:
    """How long the oldest entry beyond the checkpoint has waited for one."""
    try:
        oldest = Entry.decode(serving.parts.reader.recorded(published + 1))
    except NoSuchPosition:
        return 0.0
    now: datetime = serving.parts.services.clock()
    return round((now - oldest.recorded_at).total_seconds(), 3)


def _workers(serving: Serving, size: int, published: int) -> tuple[Worker, ...]:
    views = serving.views.positions.all()
    return (
        Worker("integrator", published, max(0, size - published)),
        *(
            Worker(f"projector: {name}", position, max(0, published - position))
            for name, position in views.items()
        ),
        Worker("custodian", None, len(serving.views.access.unlogged())),
    )


def _keys(serving: Serving) -> tuple[KeyAge, ...]:
    """The log's newest pair and the newest key-encryption key, since when they are in use."""
    reader = serving.parts.reader
    found = []
    rotations = [Entry.decode(raw) for _, raw in reader.log_key_entries()]
    introduced = [entry for entry in rotations if entry.topic == INTRODUCED]
    try:
        founded = introduced[-1] if introduced else Entry.decode(reader.entry(1))
        found.append(KeyAge("log", founded.recorded_at))
    except NoSuchPosition:
        pass  # nothing is published yet
    settings = serving.parts.settings
    since = kek_folder(settings).newest_since(settings.keys_url or "")
    return (*found, KeyAge("key-encryption", since))


def figures_metrics(found: Figures, now: datetime) -> bytes:
    """Return the figures in Prometheus's text format.

    Args:
        found: What was read.
        now: The time.
    """
    registry = CollectorRegistry()
    registry.register(_Collected(found, now))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, found: Figures, now: datetime) -> None:
        self._found = found
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield what is one number each, then workers and keys by their names."""
        found = self._found
        made_at = found.checkpoint_made_at
        for name, text, value in (
            ("log_size", "Entries, published or not.", found.size),
            (
                "checkpoint_time_seconds",
                "When a checkpoint was last made, in Unix time, to the minute; 0 for never.",
                made_at.timestamp() if made_at else 0,
            ),
            (
                "oldest_waiting_seconds",
                "How long the oldest entry has waited for its checkpoint.",
                found.waiting_seconds,
            ),
            ("halted", "Whether the log is halted.", found.halt is not None),
            ("disk_free_bytes", "Free where the data directory lies.", found.disk_free),
            (
                "notices_late_seconds",
                "How long the longest due notice has waited.",
                found.notices.late(self._now).total_seconds(),
            ),
            ("disk_bytes", "Size of the disk where the data directory lies.", found.disk_total),
        ):
            yield GaugeMetricFamily(f"vaxledger_{name}", text, value=float(value))
        behind = GaugeMetricFamily(
            "vaxledger_worker_behind",
            "Entries that wait for a worker; of the custodian, minutes of the access journal.",
            labels=("worker",),
        )
        for worker in found.workers:
            behind.add_metric((worker.name,), worker.behind)
        age = GaugeMetricFamily(
            "vaxledger_key_age_seconds", "How long a key has been in use.", labels=("key",)
        )
        for key in found.keys:
            age.add_metric((key.name,), (self._now - key.since).total_seconds())
        notices = GaugeMetricFamily(
            "vaxledger_notices",
            "Notices by what became of them; not those sent.",
            labels=("state",),
        )
        for state in ("waiting", "failed", "unreachable"):
            notices.add_metric((state,), getattr(found.notices, state))
        yield from (behind, age, notices)
