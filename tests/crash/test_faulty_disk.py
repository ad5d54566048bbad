"""Nothing acknowledged is lost when the disk beneath both servers forgets, fails or is full."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.campaign import plan
from tests.crash.faulty_disk import KINDS, OnFaultyDisk, is_playable
from tests.crash.test_main_job import DOSES, fight

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not is_playable(), reason="only root can mount a disk"),
]

STRIKES = 6
LONGEST_SECONDS = 6.0


@pytest.fixture
def installation(servers_dir) -> Iterator[OnFaultyDisk]:
    folder = Path(tempfile.mkdtemp(dir=servers_dir))
    folder.chmod(0o711)  # else PostgreSQL would lie elsewhere
    installation = OnFaultyDisk(folder)
    try:
        yield installation
    finally:
        installation.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_lies_on_the_disk(kind, installation, seed, record_property):
    strikes = plan(seed, DOSES, STRIKES, (kind,), frozen=LONGEST_SECONDS)
    fight(installation, strikes, seed, record_property)
