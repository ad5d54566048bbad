"""The witness over HTTP, asked by honest and by hostile logs."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

import workers.witness
from bootstrap.witness import (
    LOGS,
    PUBLIC_KEYS,
    WitnessExistsError,
    WitnessFolder,
    WitnessUnusableError,
)
from ledger.checkpoint import LogSigner
from ledger.errors import NoteError
from ledger.note import Note, Signature, verify_note
from ledger.signature import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, VerifierKey
from ledger.witness import MAX_REQUEST_BYTES, AddCheckpoint, read_cosignatures
from tests.crash.serving import free_port
from tests.integration.witness.conftest import NAME, ORIGIN, WAIT_SECONDS, Tree, served

ROOT = Path(__file__).parents[3]
ADDRESS = sha256(ORIGIN.encode()).hexdigest()


def keys_of(folder: Path) -> list[VerifierKey]:
    return [VerifierKey.parse(line) for line in (folder / PUBLIC_KEYS).read_text().split()]


def cosigned(witness, body: bytes) -> int:
    """Ask, verify what comes, and return the size that was cosigned."""
    answer = witness.add(body)
    assert answer.status_code == 200, answer.text
    note = AddCheckpoint.parse(body).note
    verified = read_cosignatures(note, answer.content, keys_of(witness.folder))
    assert {one.key.type for one in verified} == {COSIGNATURE_ED25519, COSIGNATURE_MLDSA44}
    assert all(abs(one.timestamp - time.time()) < WAIT_SECONDS for one in verified)
    return AddCheckpoint.parse(body).checkpoint.size


def test_a_growing_log_is_cosigned_from_nothing_on(witness, log):
    old = 0
    for size in (0, 0, 1, 1, 2, 255, 256, 300):
        assert cosigned(witness, log.request(old, size)) == size
        old = size


def test_a_size_that_differs_is_answered_with_the_right_one(witness, log):
    cosigned(witness, log.request(0, 7))
    for old in (0, 3, 6, 8):
        answer = witness.add(log.request(old, 9))
        assert (answer.status_code, answer.content) == (409, b"7\n")
        assert answer.headers["content-type"] == "text/x.tlog.size"
    cosigned(witness, log.request(7, 9))


def test_a_fork_a_bad_proof_and_a_wrong_empty_tree_are_unprocessable(witness, log, fork):
    empty = log.signer.sign(log.checkpoint(0).__class__(ORIGIN, 0, bytes(32)), 1)
    assert witness.add(AddCheckpoint.of(0, [], empty).encode()).status_code == 422
    assert witness.add(AddCheckpoint.of(0, [bytes(32)], log.note(7)).encode()).status_code == 422
    cosigned(witness, log.request(0, 7))
    for body in (
        fork.request(7, 7),
        fork.request(7, 12),
        AddCheckpoint.of(7, [], log.note(12)).encode(),
        AddCheckpoint.of(7, fork.proof(7, 12), log.note(12)).encode(),
    ):
        assert witness.add(body).status_code == 422
    cosigned(witness, log.request(7, 12))


def test_an_unknown_log_is_not_found_and_a_wrong_key_is_forbidden(witness, log):
    unknown = Tree(signer=LogSigner("log.example/unknown", b"e" * 32, b"m" * 32))
    assert witness.add(unknown.request(0, 3)).status_code == 404
    stranger = Tree(signer=LogSigner(ORIGIN, b"s" * 32, b"t" * 32))
    assert witness.add(stranger.request(0, 3)).status_code == 403
    note = Note.parse(log.note(3))
    spoiled = Signature(ORIGIN, note.signatures[0].keyid, bytes(64))
    for lines in ((spoiled, note.signatures[1]), (*note.signatures, spoiled)):
        body = AddCheckpoint.of(0, [], Note(note.text, lines).encode()).encode()
        assert witness.add(body).status_code == 403
    assert witness.http.get(f"/{ADDRESS}/checkpoint").status_code == 404


def test_unknown_and_shuffled_signature_lines_do_no_harm(witness, log):
    note = Note.parse(log.note(3))
    grease = [Signature(f"grease.example/{n}", bytes((n,) * 4), os.urandom(70)) for n in range(8)]
    lines = (*grease, note.signatures[1], Signature(ORIGIN, b"zzzz", b"?"), note.signatures[0])
    body = AddCheckpoint.of(0, [], Note(note.text, lines).encode()).encode()
    assert cosigned(witness, body) == 3
    kept = Note.parse(witness.http.get(f"/{ADDRESS}/checkpoint").content)
    assert {line.name for line in kept.signatures} == {ORIGIN, NAME}


def test_a_malformed_request_is_a_bad_one_and_changes_nothing(witness, log):
    good = log.request(0, 3)
    for body in (b"", b"old 0\n", good[1:], good[:-1], good.replace(b"old 0", b"old 00")):
        assert witness.add(body).status_code == 400
    assert witness.add(log.request(0, 3).replace(b"old 0", b"old 4")).status_code == 400
    assert witness.http.get(f"/{ADDRESS}/checkpoint").status_code == 404


def test_other_methods_and_addresses(witness):
    assert witness.http.get("/add-checkpoint").status_code == 405
    assert witness.http.get("/livez").text == "ok\n"
    for path in ("/", "/checkpoint", f"/{'0' * 64}/checkpoint", f"/{ADDRESS.upper()}/checkpoint"):
        assert witness.http.get(path).status_code == 404


def test_a_monitor_gets_the_newest_cosigned_note(witness, log):
    cosigned(witness, log.request(0, 3))
    cosigned(witness, log.request(3, 8))
    witness.add(log.request(3, 9))
    answer = witness.http.get(f"/{ADDRESS}/checkpoint")
    note = Note.parse(answer.content)
    assert note.text == log.checkpoint(8).text()
    trusted = (*log.signer.verifier_keys(), *keys_of(witness.folder))
    assert len(verify_note(note, trusted)) == 4


def test_each_log_has_a_tree_of_its_own(witness, log):
    other = Tree(salt="other", signer=LogSigner("log.example/other", b"o" * 32, b"p" * 32))
    keys = (*log.signer.verifier_keys(), *other.signer.verifier_keys())
    lines = "".join(f"log {key.text()} https://{key.name}\n" for key in keys)
    (witness.folder / LOGS).write_text(f"# two logs\n\n{lines}")
    cosigned(witness, log.request(0, 7))
    cosigned(witness, other.request(0, 5))
    cosigned(witness, other.request(5, 6))
    cosigned(witness, log.request(7, 8))
    crossed = AddCheckpoint.of(6, log.proof(6, 9), log.note(9)).encode()
    assert witness.add(crossed).content == b"8\n"


def test_a_log_is_added_and_removed_while_the_witness_runs(witness, log):
    kept = (witness.folder / LOGS).read_text()
    (witness.folder / LOGS).write_text("# none\n")
    assert witness.add(log.request(0, 1)).status_code == 404
    (witness.folder / LOGS).write_text("nonsense\n")
    assert witness.add(log.request(0, 1)).status_code == 503
    (witness.folder / LOGS).write_text(kept)
    cosigned(witness, log.request(0, 1))


@pytest.mark.parametrize("rounds", range(3))
def test_of_many_at_once_exactly_one_wins(witness, log, fork, rounds):
    cosigned(witness, log.request(0, 0))
    bodies = [tree.request(0, 5 + n) for n in range(4) for tree in (log, fork)]
    barrier = threading.Barrier(len(bodies))

    def ask(body: bytes) -> httpx.Response:
        barrier.wait()
        return httpx.post(
            f"{witness.url}/add-checkpoint", content=body, trust_env=False, timeout=60
        )

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(ask, bodies))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    (won,) = (body for body, one in zip(bodies, answers, strict=True) if one.status_code == 200)
    size = AddCheckpoint.parse(won).checkpoint.size
    assert {one.content for one in answers if one.status_code == 409} == {f"{size}\n".encode()}
    kept = Note.parse(witness.http.get(f"/{ADDRESS}/checkpoint").content)
    assert kept.text == AddCheckpoint.parse(won).note.text


def test_a_body_beyond_the_limit_is_not_read_to_its_end(witness):
    def endless():
        for _ in range(64 * MAX_REQUEST_BYTES // 65_536):
            yield b"x" * 65_536

    try:
        answer = witness.http.post("/add-checkpoint", content=endless())
    except httpx.TransportError:
        return  # it hung up meanwhile: also an answer
    assert answer.status_code == 413


def raw(witness, head: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", witness.port), WAIT_SECONDS)
    connection.sendall(head)
    return connection


def test_a_client_whose_head_does_not_come_is_left(witness, log, monkeypatch):
    monkeypatch.setattr(workers.witness, "HEAD_SECONDS", 0.3)
    silent = raw(witness, b"")
    headless = raw(witness, b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n")
    with silent, headless:
        assert silent.recv(1) == b""
        assert headless.recv(1) == b""
    monkeypatch.undo()
    cosigned(witness, log.request(0, 2))


def test_a_client_whose_body_does_not_come_is_left(witness, log, monkeypatch):
    monkeypatch.setattr(workers.witness, "BODY_SECONDS", 0.3)
    head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 9\r\n\r\nold"
    with raw(witness, head) as bodiless:
        said = b"".join(iter(lambda: bodiless.recv(65_536), b""))
    assert said.startswith(b"HTTP/1.1 408 ")
    monkeypatch.undo()
    cosigned(witness, log.request(0, 2))


def test_a_head_without_end_is_left(witness):
    with raw(witness, b"GET / HTTP/1.1\r\n") as connection:
        try:
            for _ in range(64):
                connection.sendall(b"X-More: " + b"x" * 65_536 + b"\r\n")
            assert connection.recv(1) == b""
        except OSError:
            pass  # it hung up while we still sent


def test_what_was_cosigned_outlives_the_server(make_witness, log, fork):
    folder = make_witness()
    with served(folder) as witness:
        cosigned(witness, log.request(0, 7))
    with served(folder) as witness:
        assert witness.add(fork.request(0, 3)).content == b"7\n"
        assert witness.add(fork.request(7, 9)).status_code == 422
        cosigned(witness, log.request(7, 9))


class Process:
    """The witness as its own process, which can be killed."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.start()

    def start(self) -> None:
        words = ["-m", "workers.witness", str(self.folder), "127.0.0.1", str(self.port)]
        self.process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stderr=subprocess.PIPE)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/livez", trust_env=False, timeout=60)
            except httpx.TransportError:
                assert self.process.poll() is None
                assert time.monotonic() < deadline, "the witness does not start"
                time.sleep(0.02)
            else:
                return

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode


class Pushing:
    """Clients that push two histories of one log to a witness, whatever becomes of it."""

    def __init__(self, running: Process) -> None:
        self.url = f"http://127.0.0.1:{running.port}/add-checkpoint"
        self.keys = keys_of(running.folder)
        self.cosigned: list[tuple[int, str]] = []
        self.done = threading.Event()

    def push(self, tree: Tree) -> None:
        old = 0
        while not self.done.is_set():
            old = self.ask(tree, old, min(old + 1, 200))

    def ask(self, tree: Tree, old: int, new: int) -> int:
        """Ask once; return the size to ask from next."""
        body = tree.request(old, max(old, new))
        try:
            answer = httpx.post(self.url, content=body, trust_env=False, timeout=60)
        except httpx.TransportError:
            time.sleep(0.02)
            return old
        if answer.status_code == 409:
            return int(answer.content)
        if answer.status_code == 422:  # the other history was first
            time.sleep(0.02)
            return old
        note = AddCheckpoint.parse(body).note
        assert read_cosignatures(note, answer.content, self.keys)
        self.cosigned.append((new, note.text))
        return new


def kill_while_pushing(folder: Path, trees: list[Tree], kills: int) -> list[tuple[int, str]]:
    """Kill the witness again and again; return what was cosigned meanwhile."""
    running = Process(folder)
    pushing = Pushing(running)
    with ThreadPoolExecutor(len(trees)) as pool:
        clients = [pool.submit(pushing.push, tree) for tree in trees]
        try:
            for _ in range(kills):
                count = len(pushing.cosigned)
                deadline = time.monotonic() + WAIT_SECONDS
                while len(pushing.cosigned) < count + 5:
                    assert time.monotonic() < deadline, "nothing is cosigned"
                    time.sleep(0.005)
                running.end(signal.SIGKILL)
                running.start()
        finally:
            pushing.done.set()
        for client in clients:
            client.result(WAIT_SECONDS)
    assert running.end(signal.SIGTERM) == 0
    return pushing.cosigned


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.timeout(1200)
def test_killed_at_any_moment_it_never_goes_back_and_never_apart(make_witness, log, fork, kills):
    folder = make_witness()
    texts: dict[int, set[str]] = {}
    for size, text in kill_while_pushing(folder, [log, log, fork], kills):
        texts.setdefault(size, set()).add(text)
    assert [size for size, one in texts.items() if len(one) > 1] == [], "a size has two roots"
    opened = WitnessFolder.open(folder)
    kept = opened.state.newest(ADDRESS)
    opened.state.close()
    assert kept is not None
    assert int(Note.parse(kept).text.split("\n")[1]) >= max(texts)


def test_a_witness_whose_state_is_gone_does_not_start(make_witness):
    folder = make_witness()
    (folder / "state.sqlite3").unlink()
    with pytest.raises(WitnessUnusableError):
        WitnessFolder.open(folder)
    command = [sys.executable, "-m", "cli", "witness", "serve", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert not (folder / "state.sqlite3").exists()


@pytest.mark.parametrize("file", ["name", "ed25519.seed", "mldsa44.seed"])
def test_nor_one_that_lacks_a_part(make_witness, file):
    folder = make_witness()
    (folder / file).unlink()
    with pytest.raises(WitnessUnusableError):
        WitnessFolder.open(folder)


def test_nor_one_whose_state_is_damaged(make_witness, log):
    folder = make_witness()
    with served(folder) as witness:
        cosigned(witness, log.request(0, 7))
    state = folder / "state.sqlite3"
    state.write_bytes(b"not a database" + state.read_bytes()[14:])
    with pytest.raises(WitnessUnusableError):
        WitnessFolder.open(folder)


def test_a_witness_is_made_once_and_its_keys_are_its_owners(make_witness):
    folder = make_witness()
    with pytest.raises(WitnessExistsError):
        WitnessFolder.create(folder, NAME)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in ("ed25519.seed", "mldsa44.seed"):
        assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["", "two words", "plus+sign", "x" * 256])
def test_a_name_that_no_note_can_carry_is_refused(tmp_path, name):
    with pytest.raises(WitnessUnusableError):
        WitnessFolder.create(tmp_path / "witness", name)
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_a_witness_and_prints_its_keys(tmp_path, log):
    keys = tmp_path / "log.vkey"
    keys.write_text("".join(f"{key.text()}\n" for key in log.signer.verifier_keys()))
    folder = tmp_path / "witness"
    words = ["witness", "init", str(folder), "--name", NAME, "--log", str(keys)]
    command = [sys.executable, "-m", "cli", *words]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [VerifierKey.parse(line) for line in made.stdout.split()] == keys_of(folder)
    with served(folder) as witness:
        cosigned(witness, log.request(0, 4))
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "Traceback" not in again.stderr


def test_a_cosignature_of_one_size_is_none_of_another(witness, log):
    body = log.request(0, 4)
    answer = witness.add(body)
    with pytest.raises(NoteError):
        read_cosignatures(Note.parse(log.note(5)), answer.content, keys_of(witness.folder))
