"""Taking the integrator's lead in tests."""

import time

from ledger.store.integration import Integrator


def lead(integrator: Integrator) -> None:
    """Start an integrator; the server lets go of the lead only once it has seen its holder end."""
    deadline = time.monotonic() + 60
    while not integrator.start():
        assert time.monotonic() < deadline, "another integrator leads"
        time.sleep(0.01)
