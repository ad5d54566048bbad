"""All traps of an installation, and the refusal to start with those that production forbids."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bootstrap.diagnosis.of_log import of_founding, of_log
from bootstrap.diagnosis.of_machine import of_machine
from bootstrap.diagnosis.of_nats import of_nats
from bootstrap.diagnosis.of_notices import of_notices
from bootstrap.diagnosis.of_postgres import of_postgres
from bootstrap.diagnosis.of_settings import of_settings
from bootstrap.diagnosis.trap import Trap
from bootstrap.errors import BootstrapError
from bootstrap.settings import Settings


class UnfitForProductionError(BootstrapError):
    """VAXLEDGER_PRODUCTION refuses to start; `vaxledger doctor` says what to change."""

    def __init__(self, traps: Sequence[Trap]) -> None:
        super().__init__()
        self._traps = traps
        self.problems = [f"{trap.title}: {trap.en} {trap.fix_en}" for trap in traps]


def examine(settings: Settings, joined: Settings) -> list[Trap]:
    """Return every trap that is found, refused ones first.

    Args:
        settings: As the environment gives them.
        joined: The same with the addresses of servers that run embedded, if they do.
    """
    found = [
        *of_settings(settings),
        *of_machine(settings),
        *of_postgres(joined, _clock),
        *of_nats(joined),
        *of_log(joined, _clock()),
        *of_notices(joined, _clock()),
    ]
    return sorted(found, key=lambda trap: not trap.is_refused)


def refuse(settings: Settings) -> None:
    """Refuse what is fit for a demonstration only.

    Raises:
        UnfitForProductionError: With a sentence for each trap, and what to change.
    """
    traps = [
        *of_settings(settings),
        *of_machine(settings),
        *of_postgres(settings, _clock),
        *of_nats(settings),
        *of_founding(settings),
    ]
    refused = [trap for trap in traps if trap.is_refused]
    if refused:
        raise UnfitForProductionError(refused)


def _clock() -> datetime:
    return datetime.now(UTC)
