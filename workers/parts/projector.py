"""The projector: views follow the log."""

import threading
from collections.abc import Callable

from bootstrap.settings import Settings
from bootstrap.wiring import wire
from projections.loop import Projector
from workers import projector


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Project until told to stop."""
    assert settings.database_url is not None
    assert settings.keys_url is not None
    with wire(settings) as parts:
        running = Projector(parts.reader, settings.database_url, settings.keys_url, parts.vault)
        ready()
        projector.run(running, settings.database_url, stop)
