"""Every parser under a fuzzer that sees what it reaches: no crash, no hang, bounded memory.

`make soak` installs the fuzzer where there is a wheel for this Python; elsewhere the Hypothesis
form in `tests/generative` is all there is, and these tests say so by being skipped.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generative.parsers import PARSERS

SECONDS = 20
ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="no atheris for this Python")
@pytest.mark.parametrize("name", PARSERS)
def test_a_fuzzer_finds_nothing(name, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "sample").write_bytes(PARSERS[name].sample)
    options = [str(corpus), f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, "-m", "tests.soak.fuzz_parser", name, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stderr[-2000:])
    assert done.returncode == 0
    assert "Done " in done.stderr
