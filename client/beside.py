"""Checking bundles in processes beside the walk: what needs no order is done on all cores.

They read what they check themselves, so that no entry crosses a process. Nobody believes them when
they find something wrong: they only say that all is right, or nothing, and then the walk looks for
itself. So there is one judge, whatever the number of cores.
"""

import gc
import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple, Self

from client.bundles import Bundles, Extent
from client.checked import BundleChecker, Checked
from client.sources import Source


class _Log(NamedTuple):
    """Which log is checked from now on, and how much of it."""

    source: Source
    size: int
    extent: Extent


class _Task(NamedTuple):
    """One bundle; as ``BundleChecker.check`` takes it, and keys that it has not been given yet."""

    number: int
    origin: str
    judged: int
    keys: Sequence[bytes]


class Checkers:
    """Processes that check bundles in turns; a context manager. None is started before its work.

    Args:
        jobs: How many.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._helpers: list[_Helper] = []

    def begin(self, source: Source, size: int, extent: Extent) -> None:
        """Say which log is checked from now on; what was asked before is forgotten.

        Args:
            source: Each process opens it for itself.
            size: Entries of the log.
            extent: How much of it is verified.
        """
        if not self._helpers:
            self._helpers = [_Helper() for _ in range(self.jobs)]
        for helper in self._helpers:
            helper.begin(_Log(source, size, extent))

    def ask(self, index: int, origin: str, judged: int, keys: Sequence[bytes]) -> None:
        """Have a bundle checked.

        Args:
            index: Of the bundle.
            origin: Name that the log has there, as far as is known.
            judged: How many bundles have been judged.
            keys: All keys that these brought, in their order.
        """
        self._helpers[index % self.jobs].ask(index, origin, judged, keys)

    def answer(self, index: int) -> Checked | None:
        """Wait for what was found in a bundle; each process is asked and answers in order."""
        return self._helpers[index % self.jobs].answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for helper in self._helpers:
            helper.end()


class _Helper:
    """One process; one that has died says nothing, like any that finds something wrong."""

    def __init__(self) -> None:
        # Not forked: a copy of a process with threads may hold their locks for ever.
        context = multiprocessing.get_context("spawn")
        self._line, other = context.Pipe()
        self._process = context.Process(target=_help, args=(other,), daemon=True)
        self._process.start()
        other.close()  # so that either hears when the other is gone
        self._waiting = 0
        self._told = 0

    def begin(self, log: _Log) -> None:
        while self._waiting:
            self.answer()
        self._told = 0
        self._send(log)

    def ask(self, index: int, origin: str, judged: int, keys: Sequence[bytes]) -> None:
        self._send(_Task(index, origin, judged, keys[self._told :]))
        self._told = len(keys)
        self._waiting += 1

    def answer(self) -> Checked | None:
        self._waiting -= 1
        try:
            found: Checked | None = self._line.recv()
        except (EOFError, OSError):
            return None
        return found

    def end(self) -> None:
        self._line.close()
        self._process.join()

    def _send(self, what: _Log | _Task) -> None:
        try:
            self._line.send(what)
        except OSError:
            return


def _help(line: Connection) -> None:
    """Check what is asked until the other end is closed, by its owner or by his death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's to hear
    gc.freeze()  # what was imported stays; looking through it again and again costs a tenth
    checker: BundleChecker | None = None
    try:
        while True:
            asked: _Log | _Task = line.recv()
            if isinstance(asked, _Log):
                bundles = Bundles(asked.source, asked.size, asked.extent)
                checker = BundleChecker(bundles, asked.size)
                continue
            assert checker is not None
            checker.learn(asked.keys)
            line.send(checker.check(asked.number, asked.origin, asked.judged))
    except (EOFError, OSError):
        return
