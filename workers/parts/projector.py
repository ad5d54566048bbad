"""The projector: views follow the log."""

import threading
from collections.abc import Callable

from bootstrap.log_keys import installation_secrets
from bootstrap.reading import open_log, open_vault
from bootstrap.settings import Settings
from bootstrap.shred_list import apply_shred_list
from ledger.store.reading import LogReader
from projections.loop import Projector
from workers import projector


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Project until told to stop."""
    assert settings.database_url is not None
    assert settings.keys_url is not None
    apply_shred_list(settings)
    kept = installation_secrets(settings)
    with open_log(settings) as pool, open_vault(settings, kept, LogReader(pool)) as vault:
        running = Projector(LogReader(pool), settings.database_url, settings.keys_url, vault)
        ready()
        projector.run(running, settings.database_url, stop)
