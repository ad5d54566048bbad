"""A log in a real database whose witnesses are asked, and servers that answer as they like."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID, uuid4

from ledger.checkpoint import LogSigner
from ledger.entry import Author, Entry
from ledger.policy import Group, Log, Policy, Witness
from ledger.signature import VerifierKey
from ledger.store.append import Append, NewEvent
from ledger.store.connections import open_pool
from ledger.store.cosigning import ROLE, CosignatureStore
from ledger.store.integration import Integrator
from ledger.store.listening import PUBLISHED, wakeups
from ledger.store.reading import LogReader
from ledger.store.witness_standing import WitnessStanding
from ledger.store.writer import Writer
from tests.integration.witness.conftest import ORIGIN, WAIT_SECONDS
from tests.leading import lead
from workers.asking import running
from workers.cosigning import Cosigning

SIGNER = LogSigner(ORIGIN, b"e" * 32, b"m" * 32)


class AskedLog:
    """A log of its own; integrated by hand, so that a test says when."""

    def __init__(self, url: str, outside: Path) -> None:
        self.url = url
        self.writer = Writer(url)
        self.integrator = Integrator(url, lambda: [SIGNER], outside)
        self.pool = open_pool(url, ROLE, size=4)
        self.read_pool = open_pool(url, "vaxledger_read", size=2)
        self.reader = LogReader(self.read_pool)
        self.store = CosignatureStore(self.pool, lambda: datetime.now(UTC))
        lead(self.integrator)

    def grow(self, count: int = 1) -> int:
        """Append and publish entries; return the size."""
        self.writer.submit(_append(count)).result(WAIT_SECONDS)
        assert self.integrator.round() == count
        return self.reader.published()

    def standing(self, name: str) -> WitnessStanding | None:
        return {one.name: one for one in self.reader.witnesses()}.get(name)

    @contextmanager
    def asking(self, policy: Policy, store: CosignatureStore | None = None) -> Iterator[None]:
        """Ask the witnesses of a policy meanwhile, as the integrator's process does."""
        cosigning = Cosigning(
            LogReader(self.pool),
            store or self.store,
            lambda: policy,
            partial(wakeups, self.url, PUBLISHED),
        )
        with running(cosigning):
            yield

    def close(self) -> None:
        self.integrator.close()
        self.writer.close()
        self.pool.close()
        self.read_pool.close()


def _append(count: int) -> Append:
    events = []
    for _ in range(count):
        entry = Entry(
            origin=ORIGIN,
            topic="vaccination-record.dose-administered.v1",
            stream=uuid4(),
            version=1,
            division="410225",
            recorded_at=datetime.now(UTC),
            author=Author(str(UUID(int=7)), "1" * 64, "2" * 64),
            data={"dose": "0.5 mL"},
            sealed=(),
        )
        events.append(NewEvent.of(entry))
    key = uuid4()
    return Append(
        author=UUID(int=7), key=key, request=sha256(key.bytes).digest(), events=tuple(events)
    )


def policy_of(*witnesses: tuple[str, list[VerifierKey]], needed: str = "all") -> Policy:
    """A policy that needs all keys of each of `needed` witnesses, given by URL and keys."""
    listed, groups = [], []
    for number, (url, keys) in enumerate(witnesses):
        names = tuple(f"w{number}-{index}" for index in range(len(keys)))
        listed += [Witness(name, key, url) for name, key in zip(names, keys, strict=True)]
        groups.append(Group(f"w{number}", len(keys), names))
    members = tuple(group.name for group in groups)
    threshold = len(members) if needed == "all" else int(needed)
    groups.append(Group("quorum", threshold, members))
    logs = tuple(Log(key) for key in SIGNER.verifier_keys())
    return Policy(logs, tuple(listed), tuple(groups), "quorum")


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@dataclass
class Answer:
    """What a hostile server says, and how."""

    status: int = 200
    body: bytes | Callable[[bytes], bytes] = b""
    media_type: str = "text/plain"
    seconds: float = 0.0  # between the head and each byte of the body
    headers: tuple[tuple[str, str], ...] = ()


class Hostile(ThreadingHTTPServer):
    """A server that claims to be a witness; what it was asked is counted."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self.at_once = 0
        self.most_at_once = 0
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/prefix/"

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Hostile

    def do_POST(self) -> None:
        server = self.server
        server.times.append(time.monotonic())
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        server.bodies.append(asked)
        try:
            self._answer(server.answer, asked)
        except OSError:
            pass  # the log hung up, as it should
        finally:
            server.at_once -= 1

    def _answer(self, answer: Answer, asked: bytes) -> None:
        assert self.path == "/prefix/add-checkpoint"
        body = answer.body(asked) if callable(answer.body) else answer.body
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        step = 1 if answer.seconds else len(body)
        for at in range(0, len(body), step or 1):
            time.sleep(answer.seconds)
            self.wfile.write(body[at : at + step])

    def log_message(self, *_: object) -> None:
        pass
