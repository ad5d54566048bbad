"""A log of its own with everything that writes to it, in this process, and its integrator."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg

from benchmarks.clinic import Clinic, append_all, found_county
from benchmarks.ground import Ground
from bootstrap.leash import leashed
from bootstrap.log_keys import installation_secrets, log_signer, log_signers
from bootstrap.migrate import migrate_all
from bootstrap.settings import Settings
from bootstrap.wiring import Parts, wire
from client.trust import Trust
from commands.genesis import open_log
from ledger.store.integration import Integrator
from ledger.store.writer import Writer

UNPUBLISHED = 10_000_000
"""An installation refuses writes beyond 50,000 without a checkpoint; here some turns go without."""

_REPOSITORY = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 60.0


@dataclass
class Site:
    """A founded log.

    Attributes:
        ground: The servers it runs on.
        parts: Its write side.
        writer: A writer without the limit on what lacks a checkpoint.
    """

    ground: Ground
    parts: Parts
    writer: Writer

    @cached_property
    def clinic(self) -> Clinic:
        """Who writes."""
        return found_county(self.parts, self.writer)

    @cached_property
    def trust(self) -> Trust:
        """Whom its readers trust."""
        kept = installation_secrets(self.parts.settings)
        return Trust.of_keys(log_signer(self.parts.settings, kept).verifier_keys())

    @property
    def head(self) -> int:
        """How many entries there are."""
        return self.parts.journal.recorder.max_notification_id() or 0

    def bytes_an_entry(self) -> int:
        """How much disk the log takes for each entry, all tables and indexes together."""
        query = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'ledger'::regnamespace"""
        url = self.parts.settings.database_url
        assert url is not None
        with psycopg.connect(url) as connection:
            (size,) = connection.execute(query).fetchone() or (0,)
        return int(size) // max(1, self.head)

    def grow(self, entries: int, *, is_simulated: bool = False) -> None:
        """Append children with their doses until the log has so many entries.

        Args:
            entries: At least.
            is_simulated: Of families of a simulated province; else uniform, so that what is
                verified and projected is the same load at every size.
        """
        while (lacking := entries - self.head) > 0:
            if is_simulated:
                children = self.clinic.settle(min(lacking, 8_000))
            else:
                children = self.clinic.register(min(-(-lacking // 9), 1_000))
            doses = [dose for lane in self.clinic.doses(children) for dose in lane]
            # One time for all: prepared together, they are not in the order of their making.
            now = self.parts.services.clock()
            append_all(self.writer, (self.clinic.dose_append(dose, now) for dose in doses))

    def integrate(self) -> int:
        """Integrate all there is, in this process; return how many entries that were."""
        integrator = self.integrator()
        try:
            if not integrator.start():
                raise RuntimeError("Another integrator leads.")
            return sum(iter(integrator.round, 0))
        finally:
            integrator.close()

    def integrator(self) -> Integrator:
        """Return an integrator that has not started."""
        settings = self.parts.settings
        assert settings.database_url is not None
        outside = settings.data_dir / "outside" / "checkpoint"
        outside.parent.mkdir(mode=0o700, exist_ok=True)
        return Integrator(settings.database_url, log_signers(settings), outside)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Run the integrator in a process of its own, as an installation does."""
        settings = self.parts.settings
        process = subprocess.Popen(
            leashed([sys.executable, "-m", "workers", "integrator"], death_signal=signal.SIGTERM),
            cwd=_REPOSITORY,
            env=settings.model_copy(update={"log_level": "ERROR"}).environment(),
            stdin=subprocess.DEVNULL,
        )
        try:
            self.clinic.register(1)  # whose checkpoint tells that it works
            self.await_checkpoint(process)
            yield
        finally:
            process.terminate()
            process.wait(_PATIENCE_SECONDS)

    def await_checkpoint(self, integrator: subprocess.Popen[bytes]) -> None:
        """Wait until a checkpoint covers all there is."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.parts.reader.published() < self.head:
            if integrator.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError("No checkpoint covers the log.")
            time.sleep(0.02)


@contextmanager
def founded(ground: Ground) -> Iterator[Site]:
    """Lend a new log on a pair of databases of its own."""
    database_url, keys_url = ground.pair()
    migrate_all(database_url, keys_url)
    settings = Settings(
        data_dir=ground.new_folder("site"), database_url=database_url, keys_url=keys_url
    )
    with wire(settings) as parts:
        open_log(parts.services, parts.founder)
        writer = Writer(database_url, unpublished_limit=UNPUBLISHED)
        try:
            yield Site(ground, parts, writer)
        finally:
            writer.close()
