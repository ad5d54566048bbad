"""Appending what a citizen asked for: the platform signs, on their behalf."""

from collections.abc import Mapping
from uuid import UUID

from commands.answering import Written
from commands.citizens import Asked
from commands.recording import platform_signed, record, statement_of, write_of
from commands.services import Services
from commands.writing import Decision, Effect
from ledger.entry import Entry
from ledger.store.append import Append


def submission_for(
    services: Services, asked: Asked, decision: Decision, commitments: Mapping[UUID, str]
) -> Append:
    """What `record_for` would append; the decision's keys are stored already."""
    key = asked.own_key
    statement = statement_of(
        services, decision.aggregate, Effect(decision.aggregate, commitments), key
    )
    signed = platform_signed(services, statement)
    write = write_of(services, decision, key=key, request=asked.digest, signed=signed)
    return services.journal.submission(decision.aggregate, write).append


def record_for(
    services: Services, asked: Asked, decision: Decision, commitments: Mapping[UUID, str]
) -> Written:
    """Append with the platform's signature, under a key that is the citizen's alone.

    Args:
        services: The running parts.
        asked: What the citizen asked for.
        decision: What was decided.
        commitments: To what is sealed with it, by person.

    Raises:
        StoreError: a conflict, or the database does not answer.
    """
    effect = Effect(decision.aggregate, commitments)
    statement = statement_of(services, decision.aggregate, effect, asked.own_key)
    signed = platform_signed(services, statement)
    recorded = record(services, decision, key=asked.own_key, request=asked.digest, signed=signed)
    entry = Entry.decode(recorded.entry)  # after a replay, that of the first answer
    return Written(
        recorded.position,
        entry.stream,
        entry.version,
        recorded.entry,
        replayed=recorded.replayed,
    )
