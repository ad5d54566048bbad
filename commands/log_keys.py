"""Writes about the log's own keys: a pair is introduced beside another, which then retires."""

from collections.abc import Mapping
from hashlib import sha256

from commands.errors import KeyUnknown, LogKeyRefused
from commands.permissions import Scope
from commands.writing import Decision, Handler, Writing
from domain.log_key import LogKey
from domain.organisation import Organisation
from ledger.log_keys import LogKeyError
from ledger.store.append import Claim

ROTATION = "log-key-rotation"


def introduce(writing: Writing) -> Decision:
    """Introduce a pair of keys; one rotation at a time, which the claim makes sure of."""
    writing.check_new()
    operator = _author(writing)
    _check(writing)
    sealing, _ = writing.seal({})
    rotation = LogKey.introduce(
        writing.statement.stream,
        operator=operator,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(rotation, sealing, claims=(_claim(writing),))


def retire(writing: Writing) -> Decision:
    """Retire the older pair, once a checkpoint signed by both covers the introduction."""
    operator = _author(writing)
    rotation = writing.target(LogKey)
    sealing, _ = writing.seal({})
    rotation.retire(
        operator=operator,
        period=writing.services.log_key_overlap,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    _check(writing)
    return Decision(rotation, sealing, claims=(_claim(writing, release=True),))


def _author(writing: Writing) -> Organisation:
    acting = writing.principal.organisation
    if acting is None:
        raise KeyUnknown
    organisation = writing.services.directory.organisation(acting)
    writing.permit(Scope(organisation.division, acting=acting))
    return organisation


def _check(writing: Writing) -> None:
    """Try the event on the keys that the published log names; verifiers apply the same rules."""
    services, statement = writing.services, writing.statement
    keys = services.reader.log_keys(services.platform.origin)
    behind = services.reader.published() + 1
    try:
        keys.take(behind, statement.topic, statement.stream, statement.data)
    except LogKeyError as error:
        raise LogKeyRefused(reason=error.reason) from error
    overlap = keys.overlaps[-1] if statement.topic == LogKey.Retired.TOPIC else None
    if overlap is not None and overlap.root != services.reader.root(overlap.size):
        raise LogKeyRefused(reason="overlap-of-another-tree")


def _claim(writing: Writing, *, release: bool = False) -> Claim:
    which = sha256(writing.services.platform.origin.encode()).digest()
    return Claim(ROTATION, which, writing.statement.stream, release)


HANDLERS: Mapping[str, Handler] = {
    "log.key-introduced.v1": introduce,
    "log.key-retired.v1": retire,
}
