"""The signed status lists of credentials, made from the views when somebody asks."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock

from bootstrap.credential_keys import CredentialKey, CredentialKeys
from certificates.claims import STATEMENT_LISTS, STATEMENTS_A_LIST
from certificates.status import StatusList, sign_status_list
from commands.credentials import LIST_SIZE
from domain.calendar import civil_day
from projections.credentials import Credentials, Status

LIFE = timedelta(days=7)
"""For so long a list says something of the present to who is offline."""

TTL = timedelta(hours=1)
"""After so long a reader who is online asks for a newer one."""

_ASKED_AGAIN = timedelta(seconds=1)
_SIGNED_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Made:
    """A list as it was signed, and the one that tells which of its bits have a successor."""

    status: Status
    day: date
    key: str
    signed_at: datetime
    looked_at: datetime
    ended: bytes
    superseded: bytes


class StatusLists:
    """Lists by number; the views are asked at most once a second.

    Args:
        credentials: Says which bits are set.
        keys: Sign.
        clock: The time in UTC.
    """

    def __init__(
        self,
        credentials: Credentials,
        keys: Callable[[], CredentialKeys],
        clock: Callable[[], datetime],
    ) -> None:
        self._credentials = credentials
        self._keys = keys
        self._clock = clock
        self._made: dict[int, _Made] = {}
        self._lock = Lock()

    def ended(self, number: int) -> bytes | None:
        """The signed list of credentials that hold no more; None if there is no such list."""
        made = self._current(number)
        return made.ended if made else None

    def superseded(self, number: int) -> bytes | None:
        """The signed list of those of them that have a successor; None likewise."""
        made = self._current(number)
        return made.superseded if made else None

    def _current(self, number: int) -> _Made | None:
        with self._lock:
            now = self._clock()
            known = self._made.get(number)
            if known is not None and now - known.looked_at < _ASKED_AGAIN:
                return known
            if known is None and not self._exists(number):
                return None
            self._made[number] = self._refreshed(number, known, now)
            return self._made[number]

    def _exists(self, number: int) -> bool:
        if number < STATEMENT_LISTS:
            return number < self._credentials.lists()
        first = (number - STATEMENT_LISTS) * STATEMENTS_A_LIST
        return first <= self._credentials.newest_position()

    def _status(self, number: int, day: date) -> Status:
        """The set bits of a list."""
        if number < STATEMENT_LISTS:
            return self._credentials.status(number, day)
        first = (number - STATEMENT_LISTS) * STATEMENTS_A_LIST
        found = self._credentials.statement_status(first, first + STATEMENTS_A_LIST)
        return Status(
            frozenset(position - first for position in found.ended),
            frozenset(position - first for position in found.superseded),
        )

    def _refreshed(self, number: int, known: _Made | None, now: datetime) -> _Made:
        day = civil_day(now)
        status, key = self._status(number, day), self._keys().newest
        if (
            known is not None
            and (known.status, known.day, known.key) == (status, day, key.key_id)
            and now - known.signed_at < _SIGNED_AGAIN
        ):
            signed = (known.signed_at, now, known.ended, known.superseded)
        else:
            issuer = self._keys().issuer
            size = LIST_SIZE if number < STATEMENT_LISTS else STATEMENTS_A_LIST
            ended = _sign((issuer.status_list(number), size), status.ended, now, key)
            successors = _sign((issuer.superseded_list(number), size), status.superseded, now, key)
            signed = (now, now, ended, successors)
        return _Made(status, day, key.key_id, *signed)


def _sign(
    which: tuple[str, int], indexes: Collection[int], now: datetime, key: CredentialKey
) -> bytes:
    uri, size = which
    whole = now.replace(microsecond=0)
    statuses = StatusList.of(uri, indexes, size, (whole, whole + LIFE), TTL)
    return sign_status_list(statuses, key.signer)
