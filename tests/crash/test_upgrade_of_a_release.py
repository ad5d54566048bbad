"""The code of an earlier release serves and writes while this one migrates and takes over.

At once, or part by part: then parts of both releases work side by side on one installation.
"""

import io
import json
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.postgres import KEYS_OWNER, EmbeddedPostgres
from bootstrap.folders import ready_mark
from bootstrap.installation import WORKERS
from bootstrap.settings import Settings
from tests.crash.campaign import Campaign, count, databases_of, settle
from tests.crash.clinic import Clinic
from tests.crash.load import Load
from tests.crash.serving import PATIENCE_SECONDS, REPOSITORY, Installation, free_port, until

EARLIER = "cd948c8"
"""The commit that the backup in `tests/golden/backups` is of."""
_UNKNOWN_TO_IT = ("VAXLEDGER_BOOKING_RULES", "VAXLEDGER_TRACES_URL", "VAXLEDGER_TRACES_SHARE")

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class EarlierSettings(Settings):
    """Settings as the earlier release knows them."""

    def environment(self) -> Mapping[str, str]:
        """The environment without what came since: it refuses what it does not know."""
        known = super().environment()
        return {name: value for name, value in known.items() if name not in _UNKNOWN_TO_IT}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The code of the earlier release."""
    asked = subprocess.run(
        ["git", "archive", EARLIER], cwd=REPOSITORY, capture_output=True, check=False
    )
    if asked.returncode:
        pytest.skip(f"this copy of the repository does not reach back to {EARLIER}")
    with tarfile.open(fileobj=io.BytesIO(asked.stdout)) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.fixture
def installations(earlier: Path, servers_dir: Path) -> Iterator[tuple[Installation, Installation]]:
    """The earlier release on a data directory, and this one on the same."""
    settings = EarlierSettings(data_dir=servers_dir / "upgraded", port=free_port())
    old, new = Installation(settings, earlier), Installation(settings)
    yield old, new
    for one in (old, new):
        if one.starts:
            one.stop()


def ran(installation: Installation, *words: str, code: int = 0) -> str:
    """What a command prints."""
    with installation.command(*words) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == code, (out + err).decode()
    return out.decode()


def nothing_is_missing(new: Installation, load: Load) -> None:
    """Mend the claims that the earlier release did not know, and count."""
    settle(new)
    missing = json.loads(ran(new, "fsck", "--json", code=1))["findings"]
    assert [(one["kind"], one["facts"]) for one in missing] == [
        ("claim-missing", {"kind": "school-paper"})
    ]
    mended = json.loads(ran(new, "fsck", "--mend-claims", "--json"))
    assert mended["mended"] == missing[0]["count"]
    assert json.loads(ran(new, "fsck", "--full", "--json"))["sound"]
    campaign = Campaign(0, new, load)
    count(campaign)
    assert not campaign.findings.wrong, str(campaign)
    assert databases_of(new).log("SELECT count(*) FROM views.parked") == [(0,)]


def test_the_earlier_release_writes_on_while_this_one_migrates_and_takes_over(
    installations: tuple[Installation, Installation],
):
    old, new = installations
    old.start()
    old.until_ready()
    clinic = Clinic(old.settings, old.addresses().http_url)
    clinic.start()
    try:
        clinic.some_more()
        told = ran(Installation(old.addresses().settings(old.settings)), "migrate")
        assert "applied log/0060_school_papers.sql" in told
        clinic.some_more()
        old.stop()
        new.start()
        clinic.some_more()
    finally:
        clinic.end()
    nothing_is_missing(new, clinic.load)


class PartByPart:
    """An installation whose parts are processes of their own, each of one release or the other.

    Args:
        settings: With the addresses of its servers.
        folders: Where the code of each release is: the earlier, this one.
    """

    def __init__(self, settings: Settings, folders: tuple[Path, Path]) -> None:
        self.settings = settings
        self._folders = folders
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, name: str, *words: str, is_new: bool, port: int = 0) -> None:
        """Start a part in one release, and end that of the same name."""
        mark = ready_mark(self.settings.data_dir, name)
        mark.unlink(missing_ok=True)
        before = self._running.get(name)
        if port and before is not None:  # only one may listen there
            self._end(before)
        settings = (Settings if is_new else EarlierSettings)(
            **self.settings.model_dump() | {"port": port or self.settings.port}
        )
        with self.settings.data_dir.with_suffix(".log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=self._folders[is_new],
                env=settings.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if before is not None and not port:
            self._end(before)
        if not port:
            until(mark.exists, f"{name} is not ready")

    def close(self) -> None:
        """End every part."""
        for process in self._running.values():
            self._end(process)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def test_parts_are_replaced_one_by_one_while_clinics_write_at_both_releases(
    earlier: Path, servers_dir: Path
):
    plain = Settings(data_dir=servers_dir / "part-by-part", port=free_port())
    ports = free_port(), free_port()
    with ExitStack() as stack:
        postgres = EmbeddedPostgres.start(plain.data_dir)
        stack.callback(postgres.stop)
        nats = EmbeddedNats.start(plain.data_dir)
        stack.callback(nats.stop)
        settings = plain.model_copy(
            update={
                "database_url": postgres.url(),
                "keys_url": postgres.url(KEYS_OWNER),
                "nats_url": nats.url,
                "nats_monitor_url": nats.monitor_url,
                "nats_user": nats.user,
                "nats_password": nats.password,
            }
        )
        earlier_settings = EarlierSettings(**settings.model_dump())
        ran(Installation(earlier_settings, earlier), "migrate")
        parts = PartByPart(settings, (earlier, REPOSITORY))
        stack.callback(parts.close)
        for port in ports:
            parts.run(f"api-{port}", "api", is_new=False, port=port)
        for name in WORKERS:
            parts.run(name, "workers", name, is_new=False)
        clinics = [Clinic(settings, f"http://127.0.0.1:{port}") for port in ports]
        for clinic in clinics:
            clinic.start()
            stack.callback(clinic.end)

        def all_write_on() -> None:
            for clinic in clinics:
                clinic.some_more()

        all_write_on()
        ran(Installation(settings), "migrate")
        all_write_on()
        parts.run(f"api-{ports[0]}", "api", is_new=True, port=ports[0])
        all_write_on()  # APIs of both releases, workers of the earlier
        for name in WORKERS:
            parts.run(name, "workers", name, is_new=True)
            all_write_on()
        parts.run(f"api-{ports[1]}", "api", is_new=True, port=ports[1])
        all_write_on()
    assert not any(clinic.failures for clinic in clinics), [one.failures for one in clinics]
    new = Installation(plain)
    new.start()
    try:
        load = Load(
            acknowledged=[one for clinic in clinics for one in clinic.load.acknowledged],
            doses=sum(clinic.load.doses for clinic in clinics),
        )
        nothing_is_missing(new, load)
    finally:
        new.stop()
