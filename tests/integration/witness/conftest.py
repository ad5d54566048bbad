"""A log whose witness is asked over HTTP, and the witness's server on loopback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bootstrap.witness import LOGS, LogList, WitnessFolder
from ledger.checkpoint import LogSigner
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash, node_hash
from ledger.merkle import consistency_proof
from ledger.treehead import Checkpoint
from ledger.witness import AddCheckpoint
from workers.witness import Witness, server_of

ORIGIN = "log.example/kaifeng"
NAME = "witness.example/w1"
WAIT_SECONDS = 60


@dataclass
class Tree:
    """A log of any size, honest or not: `salt` makes another history of the same origin."""

    salt: str = ""
    signer: LogSigner = field(default_factory=lambda: LogSigner(ORIGIN, b"e" * 32, b"m" * 32))

    def leaf(self, index: int) -> bytes:
        return leaf_hash(f"{self.salt}{index}".encode())

    def checkpoint(self, size: int) -> Checkpoint:
        frontier = Frontier()
        frontier.extend([self.leaf(index) for index in range(size)])
        return Checkpoint(self.signer.origin, size, frontier.root())

    def note(self, size: int) -> bytes:
        return self.signer.sign(self.checkpoint(size), int(time.time()))

    def proof(self, old: int, new: int) -> list[bytes]:
        def node(level: int, index: int) -> bytes:
            if level == 0:
                return self.leaf(index)
            return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

        return consistency_proof(old, new, node) if 0 < old <= new else []

    def request(self, old: int, new: int) -> bytes:
        return AddCheckpoint.of(old, self.proof(old, new), self.note(new)).encode()


@pytest.fixture
def log() -> Tree:
    return Tree()


@pytest.fixture
def fork() -> Tree:
    return Tree(salt="fork")


@dataclass
class ServedWitness:
    """A witness that answers, as its clients and its tests see it."""

    folder: Path
    port: int
    http: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, body: bytes) -> httpx.Response:
        return self.http.post("/add-checkpoint", content=body)


@contextmanager
def served(folder: Path, port: int = 0) -> Iterator[ServedWitness]:
    opened = WitnessFolder.open(folder)
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = server_of(Witness(opened, LogList(folder / LOGS)))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while not server.started:
            assert time.monotonic() < deadline, "the witness does not start"
            time.sleep(0.01)
        port = listener.getsockname()[1]
        try:
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, trust_env=False, timeout=WAIT_SECONDS) as http:
                yield ServedWitness(folder, port, http)
        finally:
            server.should_exit = True
            thread.join()
            opened.state.close()


@pytest.fixture
def make_witness(tmp_path: Path, log: Tree) -> Callable[..., Path]:
    """Make the folder of a witness that watches `log`."""

    def make(name: str = NAME) -> Path:
        folder = tmp_path / name.replace("/", "-")
        WitnessFolder.create(folder, name)
        opened = WitnessFolder.open(folder)
        opened.watch(log.signer.verifier_keys())
        opened.state.close()
        return folder

    return make


@pytest.fixture
def witness(make_witness: Callable[..., Path]) -> Iterator[ServedWitness]:
    with served(make_witness()) as running:
        yield running
