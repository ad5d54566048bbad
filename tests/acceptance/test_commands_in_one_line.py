"""What a command says when a server of the installation does not answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AWAY = {
    "VAXLEDGER_DATABASE_URL": "postgresql://127.0.0.1:1/log",
    "VAXLEDGER_KEYS_URL": "postgresql://127.0.0.1:1/keys",
    "VAXLEDGER_NATS_URL": "nats://127.0.0.1:1",
}


@pytest.mark.parametrize("words", [("kek", "list"), ("log", "recover"), ("feed", "rebuild")])
def test_a_server_that_is_away_is_one_line_and_exit_code_2(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT, env={**os.environ, **AWAY, "VAXLEDGER_DATA_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if line.strip() and line[0] != "{"]  # no logs
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(told) == 1, done.stderr
