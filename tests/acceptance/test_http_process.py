"""`python -m api` as a process: it starts, serves, says nothing personal, and stops in order."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.crash.serving import free_port

START_SECONDS = 60


@pytest.fixture
def environment(migrated_database: Callable[[], Databases], tmp_path: Path) -> dict[str, str]:
    urls = migrated_database()
    return {
        **{name: value for name, value in os.environ.items() if "VAXLEDGER" not in name},
        "VAXLEDGER_DATA_DIR": str(tmp_path),
        "VAXLEDGER_DATABASE_URL": urls.log,
        "VAXLEDGER_KEYS_URL": urls.keys,
        "VAXLEDGER_PORT": str(free_port()),
        "VAXLEDGER_LOG_LEVEL": "DEBUG",
    }


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "api"], env=environment, stderr=subprocess.PIPE
    )
    yield started
    started.kill()
    started.wait()
    assert started.stderr
    started.stderr.close()


def ask(environment: dict[str, str], path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(environment["VAXLEDGER_PORT"]), 60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_alive(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            ask(environment, "/livez")
        except OSError:
            assert time.monotonic() < deadline, "it does not start"
            time.sleep(0.05)
        else:
            return


def test_it_serves_until_it_is_told_to_stop(
    environment: dict[str, str], process: subprocess.Popen[bytes]
):
    wait_until_alive(environment)
    # Nobody has integrated yet, so it lives and is not ready.
    assert ask(environment, "/readyz")[0] == 503
    assert ask(environment, "/checkpoint")[0] == 503
    assert ask(environment, "/v1/records/0?name=zhang")[0] == 401

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()[-2000:]
    text = said.decode()
    assert '"route": "/readyz"' in text
    assert "zhang" not in text
    assert "Traceback" not in text


def test_without_databases_it_says_so_in_one_line(environment: dict[str, str]):
    for name in ("VAXLEDGER_DATABASE_URL", "VAXLEDGER_KEYS_URL"):
        del environment[name]
    ended = subprocess.run(
        [sys.executable, "-m", "api"],
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.decode().count("\n") == 1
    assert ended.stderr.startswith(b"vaxledger: ")
