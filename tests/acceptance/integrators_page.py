"""docs/integrators.md as its reader follows it: every block runs, in order, on an installation."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from client.remembering import Memory
from tests.crash.load import DOSES_A_CHILD
from tests.crash.serving import until

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WAIT = 60


def follow(command, folder, env):
    """Let a program follow until it has doses, then end it as a power cut would."""
    database = folder / "doses.sqlite"

    def has_doses():
        with closing(sqlite3.connect(database, timeout=WAIT)) as db:
            try:
                return db.execute("SELECT count(*) FROM doses").fetchone()[0] >= DOSES_A_CHILD
            except sqlite3.OperationalError:
                return False

    with subprocess.Popen(command, cwd=folder, env=env) as process:
        try:
            until(has_doses, "the consumer stores nothing", WAIT)
        finally:
            process.kill()
    with closing(sqlite3.connect(database)) as db:
        (memory,) = db.execute("SELECT memory FROM memory").fetchone()
        (positions,) = db.execute("SELECT count(DISTINCT position) FROM doses").fetchone()
    assert positions >= DOSES_A_CHILD
    assert Memory.decode(memory).division == "41"


def run_page(installation):
    """Run the page against an installation that has doses of some child."""
    text = (ROOT / "docs" / "integrators.md").read_text(encoding="utf-8")
    text = text.replace("http://127.0.0.1:8420", installation.addresses().http_url)
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "VAXLEDGER_DATA_DIR": str(installation.settings.data_dir),
    }
    ran = []
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "examples").symlink_to(ROOT / "examples")
        for language, name, body in BLOCK.findall(text):
            ran.append((language, name))
            if language == "sh" and name == "forever":
                follow(body.split(), folder, env)
            elif language == "sh":
                subprocess.run(["bash", "-euc", body], cwd=folder, env=env, check=True, timeout=200)
            else:
                (folder / name).write_text(body, encoding="utf-8")
            if language == "json":
                json.loads(body)
    assert ran.count(("sh", "")) == 5
    assert {name for _, name in ran} >= {"access.json", "consumer.py", "forever", "check.py"}
