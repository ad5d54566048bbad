"""What a command says when a server does not answer, or a file is not there."""

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


@pytest.mark.parametrize(
    "words",
    [
        ("kek", "list"),
        ("log", "recover"),
        ("feed", "rebuild"),
        ("init", "no-plan.json", "--root-key", "root.pem"),
    ],
)
def test_what_is_away_is_one_line_and_exit_code_2(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT, env={**os.environ, **AWAY, "VAXLEDGER_DATA_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if line.strip() and line[0] != "{"]  # no logs
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(told) == 1, done.stderr
