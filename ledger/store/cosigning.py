"""The log's side of its witnesses: whom to ask when, and the cosignatures that were had.

The table ``ledger.witnesses`` is also what keeps several processes from asking at once: a request
is claimed there before it is made, and a claim ends by itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.note import Note, Signature
from ledger.store.connections import Pool, cursor_of, rows_of
from ledger.store.queries import load_queries

ROLE = "vaxledger_witness"
"""Role of connections that keep cosignatures."""
PACE_SECONDS = 1.0
"""From one request to a witness to the next, at least."""
FRESH_SECONDS = 60
"""A witness that has cosigned the newest checkpoint is asked again after so long."""

_LOCK = 0x7661786C_7769746E  # "vaxlwitn", for one database
_QUERIES = load_queries("cosigning.sql")


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ask a witness once.

    Attributes:
        name: Name of the witness.
        made_at: When it was had.
        holds: Size at which it stands, as far as is known.
        failures: How often it failed since it last cosigned.
    """

    name: str
    made_at: datetime
    holds: int
    failures: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a witness did not cosign.

    Attributes:
        problem: What happened, as a short slug.
        holds: Size at which the witness says it stands, where it said so.
        refused: Whether it answered, and refused.
        alarm: What its answer means for this log, where it means that it tells two histories.
    """

    problem: str
    holds: int | None = None
    refused: bool = False
    alarm: str | None = None


class CosignatureStore:
    """Keeps cosignatures. Each method may raise ``StoreUnavailable``.

    Args:
        pool: Connections of role ``vaxledger_witness``.
        clock: Tells the time; aware.
    """

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock

    def newest(self) -> tuple[int, bytes] | None:
        """Return size and note of the newest published checkpoint, as the log signed it."""
        rows = rows_of(self._pool, _QUERIES["newest"])
        return (rows[0][0], rows[0][1]) if rows else None

    def claim(self, name: str, size: int, seconds: float) -> Claim | None:
        """Claim the right to ask a witness for a checkpoint; None if it is not to be asked now.

        Args:
            name: Name of the witness.
            size: Size of the checkpoint.
            seconds: After which the claim ends by itself, should this process do.
        """
        now = self._clock()
        parameters = {
            "name": name,
            "size": size,
            "now": now,
            "until": now + timedelta(seconds=seconds),
            "stale": now - timedelta(seconds=FRESH_SECONDS),
        }
        rows = rows_of(self._pool, _QUERIES["claim"], parameters)
        return Claim(name, now, *rows[0]) if rows else None

    def succeed(
        self,
        claim: Claim,
        size: int,
        raw: bytes,
        lines: Iterable[Signature],
        is_quorum: Callable[[Note], bool],
    ) -> None:
        """Keep verified cosignatures beside those that other witnesses gave of the same text.

        A witness's newer line takes the place of its older one.

        Args:
            claim: Under which it was asked; the next one is had a second after this one.
            size: Size of the checkpoint.
            raw: The checkpoint as the log signed it.
            lines: The witness's lines.
            is_quorum: Tells whether a note has enough of them.
        """
        now = self._clock()
        with cursor_of(self._pool) as cursor, cursor.connection.transaction():
            cursor.execute(_QUERIES["lock_cosigned"], [_LOCK])
            row = cursor.execute(_QUERIES["kept"], [size]).fetchone()
            old = _lines_of(*row) if row and text_of(row[0]) == text_of(raw) else ()
            # Each key's newest line alone.
            kept = list({(one.name, one.keyid): one for one in (*old, *lines)}.values())
            parameters = {
                "size": size,
                "note": raw,
                "lines": "".join(line.line() for line in kept).encode(),
                "quorum": is_quorum(Note.parse(raw).with_signatures(kept)),
                "now": now,
                "name": claim.name,
                "ask_after": claim.made_at + timedelta(seconds=PACE_SECONDS),
            }
            cursor.execute(_QUERIES["keep"], parameters)
            cursor.execute(_QUERIES["thin_out"], parameters)
            cursor.execute(_QUERIES["succeeded"], parameters)

    def fail(self, name: str, failure: Failure, pause: float) -> None:
        """Note that a witness did not cosign, and leave it alone for some seconds."""
        now = self._clock()
        parameters = {
            "name": name,
            "now": now,
            "ask_after": now + timedelta(seconds=pause),
            "holds": failure.holds,
            "problem": failure.problem,
            "alarm": failure.alarm,
            "refused": int(failure.refused),
            "alarming": int(failure.alarm is not None),
        }
        with cursor_of(self._pool) as cursor:
            cursor.execute(_QUERIES["failed"], parameters)

    def review(self, is_quorum: Callable[[Note], bool]) -> None:
        """Judge again what is kept, under a policy that may have changed."""
        rows = rows_of(self._pool, _QUERIES["newest_with_quorum"])
        if rows and not is_quorum(Note.parse(rows[0][0])):
            with cursor_of(self._pool) as cursor:
                cursor.execute(_QUERIES["distrust"])


def text_of(note: bytes) -> bytes:
    """Return the text of one of our own notes, which holds no empty line."""
    return note.partition(b"\n\n")[0]


def _lines_of(note: bytes, lines: bytes) -> tuple[Signature, ...]:
    return Note.parse(text_of(note) + b"\n\n" + lines).signatures
