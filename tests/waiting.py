"""Waiting for what another process or thread brings about."""

import time
from collections.abc import Callable

SECONDS = 60.0


def eventually(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Return as soon as the condition holds; fail when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
