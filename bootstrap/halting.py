"""Refusing to start on a log that must not go on."""

from bootstrap.log_keys import log_terms
from bootstrap.settings import Settings
from ledger.store.connections import connect
from ledger.store.errors import WritesHalted
from ledger.store.halting import standing_halt
from ledger.store.integration import ROLE
from ledger.store.recovery import refuse_behind, refuse_other_origin


def refuse_halted(settings: Settings) -> None:
    """Refuse to start on a database that lies behind what was signed, or whose log is halted.

    Raises:
        OtherOrigin: If its log goes on under another name than the settings have.
        RolledBack: Naming both sizes.
        Forked: If the file outside the database is not this log's.
        WritesHalted: If something else was found earlier, and nobody has looked.
    """
    assert settings.database_url is not None
    refuse_other_origin(settings.database_url, settings.origin)
    refuse_behind(settings.database_url, log_terms(settings))
    with connect(settings.database_url, ROLE) as connection:
        found = standing_halt(connection)
    if found is not None:
        raise WritesHalted(found.kind)
