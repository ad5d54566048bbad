"""Which records may not be processed, as every read asks: at once, in every process.

A restriction and a shred each hold a claim of the log's store, taken and given back in the
transaction that appends the event. So there is nothing to follow and nothing to lag behind.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from commands.errors import Erased, Restricted
from domain.protection import State
from ledger.store.reading import LogReader

RESTRICTED = "restricted"
SHREDDED = "shredded"

_STATES = {RESTRICTED: State.RESTRICTED, SHREDDED: State.SHREDDED}
STATE_KINDS = tuple(_STATES)


def states_of(reader: LogReader, records: Collection[UUID]) -> Mapping[UUID, State]:
    """The states of records; those that may be processed are left out."""
    held = reader.claims.holders(STATE_KINDS, [record.bytes for record in records])
    return {stream: _STATES[kind] for kind, stream in held}


def check_readable(reader: LogReader, record: UUID) -> None:
    """Refuse a record that may not be processed.

    Raises:
        Restricted: it is stored only.
        Erased: it was shredded.
    """
    check_state(states_of(reader, [record]).get(record, State.NORMAL))


def check_held(held: Collection[str]) -> None:
    """Refuse a record by the kinds of claims that are held of it.

    Raises:
        Restricted: it is stored only.
        Erased: it was shredded.
    """
    for kind in STATE_KINDS:
        if kind in held:
            check_state(_STATES[kind])


def check_state(state: State) -> None:
    """Refuse a state in which nothing is processed.

    Raises:
        Restricted: it is stored only.
        Erased: it was shredded.
    """
    if state is State.RESTRICTED:
        raise Restricted
    if state is State.SHREDDED:
        raise Erased
