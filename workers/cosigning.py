"""Asking the witnesses of the policy for cosignatures of what was published (C2SP tlog-witness).

Only the newest published checkpoint is ever asked for, of each witness at most once a second with
one request in flight, and nothing waits for an answer: no round, no write, no reader. All idle
witnesses are asked for the same checkpoint, so that they make a quorum together.

Crash points: a request that was made and not heard is made again after its claim has ended, and
the witness answers with the size at which it stands; a cosignature that was heard and not kept is
asked for again.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import httpx
import structlog

from ledger.errors import LedgerError, NoteError
from ledger.note import Note, verify_note
from ledger.policy import Policy, Witness
from ledger.store.cosigning import PACE_SECONDS, Claim, CosignatureStore, Failure
from ledger.store.errors import NoSuchPosition, StoreUnavailable
from ledger.witness import (
    MAX_ANSWER_BYTES,
    SIZE_MEDIA_TYPE,
    AddCheckpoint,
    Inconsistent,
    OtherSize,
    read_cosignatures,
    read_size,
)

ANSWER_SECONDS = 10.0
"""For the whole exchange, however slowly it drips."""
LONGEST_PAUSE_SECONDS = 30.0

_DOUBLINGS = 5
_CONNECT_SECONDS = 3.0
_CLAIM_SECONDS = ANSWER_SECONDS + 2.0
_OK = 200

_log = structlog.get_logger("cosigning")


class ProvenLog(Protocol):
    """What is read of the log."""

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the hashes that prove that one tree is a prefix of another."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One witness to ask: everything that the policy has under one URL.

    Attributes:
        url: Its submission prefix.
        witnesses: Its keys, by the policy's names.
    """

    url: str
    witnesses: tuple[Witness, ...]

    @property
    def name(self) -> str:
        """The name in its cosignatures, which is the same for all its keys."""
        return ",".join(dict.fromkeys(one.key.name for one in self.witnesses))


def endpoints(policy: Policy) -> tuple[Endpoint, ...]:
    """Return whom a policy lets us ask; a witness without URL gives its word elsewhere."""
    by_url: dict[str, list[Witness]] = {}
    for witness in policy.witnesses:
        if witness.url is not None:
            by_url.setdefault(witness.url.rstrip("/"), []).append(witness)
    return tuple(Endpoint(url, tuple(ones)) for url, ones in by_url.items())


class _Failed(Exception):
    """A witness did not cosign."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.problem)


class Cosigning:
    """Asks until it is stopped, through every loss of witnesses and database.

    Args:
        log: The published log; called in threads.
        store: Where cosignatures go; likewise.
        policy: Gives the policy as it is now.
        wakeups: Says when to look for a newer checkpoint.
    """

    def __init__(
        self,
        log: ProvenLog,
        store: CosignatureStore,
        policy: Callable[[], Policy],
        wakeups: Callable[[], AsyncIterator[None]],
    ) -> None:
        self._log = log
        self._store = store
        self._policy = policy
        self._wakeups = wakeups
        self._flights: dict[str, asyncio.Task[None]] = {}
        self._reviewed: Policy | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until ``stop`` is set."""
        asking = asyncio.create_task(self._follow())
        try:
            await stop.wait()
        finally:
            for task in (asking, *self._flights.values()):
                task.cancel()
            await asyncio.gather(asking, *self._flights.values(), return_exceptions=True)

    async def _follow(self) -> None:
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        async with httpx.AsyncClient(
            limits=limits, timeout=timeout, trust_env=False, verify=_tls()
        ) as http:
            while True:
                try:
                    async for _ in self._wakeups():
                        await self._ask_all(http)
                        await asyncio.sleep(PACE_SECONDS)
                except StoreUnavailable:
                    _log.warning("cosigning-interrupted")
                    await asyncio.sleep(PACE_SECONDS)
                except Exception as error:  # noqa: BLE001  else nobody would be asked any more
                    _log.error("cosigning-failed", exc_info=error)
                    await asyncio.sleep(PACE_SECONDS)

    async def _ask_all(self, http: httpx.AsyncClient) -> None:
        """Ask everyone who is idle for the newest published checkpoint."""
        policy = self._policy()
        idle = [one for one in endpoints(policy) if one.name not in self._flights]
        if not idle:
            return
        if policy != self._reviewed:
            await asyncio.to_thread(self._store.review, lambda note: _is_quorum(policy, note))
            self._reviewed = policy
        newest = await asyncio.to_thread(self._store.newest)
        if newest is None:
            return
        for endpoint in idle:
            claim = await asyncio.to_thread(
                self._store.claim, endpoint.name, newest[0], _CLAIM_SECONDS
            )
            if claim is not None:
                asking = _Asking(self._log, self._store, policy, endpoint, http)
                flight = asyncio.create_task(asking.ask(claim, *newest))
                self._flights[endpoint.name] = flight
                flight.add_done_callback(partial(self._land, endpoint.name))

    def _land(self, name: str, _: asyncio.Task[None]) -> None:
        del self._flights[name]


class _Asking:
    """One request to one witness."""

    def __init__(
        self,
        log: ProvenLog,
        store: CosignatureStore,
        policy: Policy,
        endpoint: Endpoint,
        http: httpx.AsyncClient,
    ) -> None:
        self._log = log
        self._store = store
        self._policy = policy
        self._endpoint = endpoint
        self._http = http

    async def ask(self, claim: Claim, size: int, note: bytes) -> None:
        """Ask for a checkpoint and keep what comes of it; never raises but to be cancelled."""
        name = self._endpoint.name
        try:
            await self._exchange(claim, size, note)
        except _Failed as failed:
            failure = failed.failure
        except StoreUnavailable:
            return  # the claim ends by itself
        except Exception as error:  # noqa: BLE001  one witness must not end the asking of others
            _log.error("witness-not-asked", witness=name, exc_info=error)
            failure = Failure("internal")
        else:
            return
        if failure.alarm is not None:
            _log.critical("witness-alarm", witness=name, kind=failure.alarm, size=size)
        else:
            _log.warning("witness-failed", witness=name, reason=failure.problem, size=size)
        doubled = min(claim.failures, _DOUBLINGS)
        pause = min(PACE_SECONDS * 2**doubled, LONGEST_PAUSE_SECONDS)
        with contextlib.suppress(StoreUnavailable):
            await asyncio.to_thread(self._store.fail, name, failure, pause)

    async def _exchange(self, claim: Claim, size: int, note: bytes) -> None:
        old = min(claim.holds, size)
        try:
            proof = await asyncio.to_thread(self._log.consistency_proof, old, size) if old else []
            request = AddCheckpoint.of(old, proof, note)
        except (LedgerError, NoSuchPosition) as error:
            raise _Failed(Failure("no-proof")) from error
        status, media_type, answer = await self._post(request.encode())
        if status != _OK:
            raise _Failed(await self._refusal(size, status, media_type, answer))
        keys = [one.key for one in self._endpoint.witnesses]
        try:
            verified = read_cosignatures(request.note, answer, keys)
        except NoteError as error:
            raise _Failed(Failure("bad-cosignature")) from error
        lines = [one.signature for one in verified]
        await asyncio.to_thread(
            self._store.succeed,
            *(claim, size, note, lines),
            lambda signed: _is_quorum(self._policy, signed),
        )

    async def _post(self, body: bytes) -> tuple[int, str, bytes]:
        """Return status, media type and body of the answer, bounded in time and size."""
        answer = bytearray()
        url = f"{self._endpoint.url}/add-checkpoint"
        headers = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                self._http.stream("POST", url, content=body, headers=headers) as response,
            ):
                async for chunk in response.aiter_raw():
                    answer += chunk
                    if len(answer) > MAX_ANSWER_BYTES:
                        raise _Failed(Failure("answer-too-long"))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _Failed(Failure("timeout")) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Failed(Failure("unreachable")) from error
        return response.status_code, response.headers.get("Content-Type", ""), bytes(answer)

    async def _refusal(self, size: int, status: int, media_type: str, answer: bytes) -> Failure:
        """Tell a witness that stands elsewhere from one that holds another history than ours."""
        if status == Inconsistent.status:
            # It knows the old size and a proof from our own tree: it holds another root there.
            return Failure("forked", refused=True, alarm="forked")
        if status == OtherSize.status and media_type == SIZE_MEDIA_TYPE:
            with contextlib.suppress(ValueError):
                holds = read_size(answer)
                newest = await asyncio.to_thread(self._store.newest)
                if newest is not None and holds > max(size, newest[0]):
                    return Failure("rolled-back", holds, refused=True, alarm="rolled-back")
                return Failure("other-size", holds, refused=True)
        return Failure(f"status-{status}", refused=True)


def _is_quorum(policy: Policy, note: Note) -> bool:
    """Tell whether the cosignatures of a note suffice for a policy."""
    names = {witness.key: witness.name for witness in policy.witnesses}
    try:
        verified = verify_note(note, names)
    except NoteError:
        return policy.is_quorum(())
    return policy.is_quorum([names[one.key] for one in verified])


def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
