"""The integrator, and beside it whoever asks the witnesses."""

import threading
from collections.abc import Callable

from bootstrap.folders import outside_path
from bootstrap.log_keys import log_signers
from bootstrap.settings import Settings
from ledger.store.integration import Integrator
from workers.asking import asking_witnesses


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Integrate until told to stop; raises LogHalted where a person must look."""
    assert settings.database_url is not None
    outside = outside_path(settings)
    outside.parent.mkdir(mode=0o700, exist_ok=True)
    integrator = Integrator(settings.database_url, log_signers(settings), outside)
    ready()
    with asking_witnesses(settings):
        integrator.run(stop)
