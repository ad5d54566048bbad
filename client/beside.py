"""Checking bundles in processes beside the walk: what needs no order is done on all cores.

Nobody believes these processes when they find something wrong: they only say that all is right, or
nothing, and then the walk looks for itself. So there is one judge, whatever the number of cores.
"""

import multiprocessing
import os
import re
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from hashlib import sha256
from types import TracebackType
from typing import Any, Self

from client.checking import Facts, check_evidence, facts_of, read_entry
from client.errors import RefutedError
from client.glance import Glance

Checked = list[tuple[tuple[Any, ...], bytes | None]]
"""What was found in each entry of a bundle, and in its evidence.

The members of ``Facts`` as a plain tuple, which crosses processes in half the time.
"""

_KEYID = slice(98, 162)
"""Where canonical entries name the author's key."""
_NAMES_KEY = b'"public_key":"'
_PUBLIC_KEY = re.compile(rb'"public_key":"([0-9a-f]{64})"').findall


class Checkers:
    """Processes that check bundles; a context manager. None is started before it has work.

    Args:
        jobs: How many.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        # Not forked: a copy of a process with threads may hold their locks for ever.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(jobs, context, initializer=_end_with_parent)
        self._keys: dict[bytes, bytes] = {}

    def submit(
        self, origin: str, entries: Sequence[bytes], envelopes: Sequence[bytes] | None
    ) -> Future[Checked | None]:
        """Have a bundle checked; bundles are given in their order.

        A key ID is the hash of its key, so any key that ever stood in the log may be given; whether
        it was valid there is the walk's matter.
        """
        keys = {}
        if envelopes is not None:
            text = b"\n".join(entries)
            for found in _PUBLIC_KEY(text) if _NAMES_KEY in text else ():
                public = bytes.fromhex(found.decode())
                self._keys[sha256(public).hexdigest().encode()] = public
            named = {raw[_KEYID] for raw in entries} & self._keys.keys()
            keys = {one.decode(): self._keys[one] for one in named}
        return self._pool.submit(check_bundle, origin, entries, envelopes, keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def check_bundle(
    origin: str,
    entries: Sequence[bytes],
    envelopes: Sequence[bytes] | None,
    keys: dict[str, bytes],
) -> Checked | None:
    """Check each entry by itself.

    Args:
        origin: Name of the log.
        entries: Entries of a bundle.
        envelopes: Their evidence, None where it is not wanted.
        keys: Public keys by key ID.

    Returns:
        What was found, or None if anything at all is not as it should be.
    """
    if envelopes is not None and len(envelopes) != len(entries):
        return None
    glance = Glance(origin)
    checked: Checked = []
    try:
        for place, raw in enumerate(entries):
            envelope = None if envelopes is None else envelopes[place]
            seen = glance.see(raw, envelope, keys)
            facts, write = _check(origin, raw, envelope, keys) if seen is None else seen
            checked.append((tuple(facts), write))
    except (RefutedError, KeyError):
        return None
    return checked


def _check(
    origin: str, raw: bytes, envelope: bytes | None, keys: dict[str, bytes]
) -> tuple[Facts, bytes | None]:
    """Check what is not seen to be right at a glance."""
    entry = read_entry(0, raw, origin)
    write = None
    if envelope is not None:
        write = check_evidence(0, entry, envelope, keys[entry.author.keyid])
    return facts_of(entry), write


def _end_with_parent() -> None:
    """End when the parent is killed; a pool's processes would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
