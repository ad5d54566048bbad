"""An installation's own witness: it cosigns from the first minute, and its loss stops nothing."""

import json
from collections.abc import Iterator

import httpx
import pytest

from bootstrap.installation import own_parts
from bootstrap.policy import POLICY_NAME
from bootstrap.settings import Settings
from client.trust import Trust
from ledger.policy import Judgement
from tests.crash.serving import Installation, free_port, until

WAIT = 60


@pytest.fixture(scope="module")
def installation(servers_dir) -> Iterator[Installation]:
    installation = Installation(Settings(data_dir=servers_dir / "witnessed", port=free_port()))
    installation.start()
    installation.until_ready()
    yield installation
    installation.stop()


def get(installation: Installation, path: str) -> httpx.Response:
    url = f"{installation.addresses().http_url}{path}"
    return httpx.get(url, trust_env=False, timeout=WAIT)


def judged(installation: Installation) -> Judgement:
    trust = Trust.load(installation.data_dir / POLICY_NAME)
    return trust.judge(get(installation, "/checkpoint").content)


def check(installation: Installation) -> dict:
    return get(installation, "/readyz").json()["checks"]["witnesses"]


def test_the_newest_checkpoint_is_witnessed_and_the_policy_served(installation):
    until(lambda: judged(installation).witnessed, "it is not witnessed", WAIT)
    until(lambda: check(installation)["ok"], "the witness is not well", WAIT)
    assert (
        get(installation, "/policy").content == (installation.data_dir / POLICY_NAME).read_bytes()
    )


def test_verify_trusts_the_witness_by_default_and_says_so(installation):
    until(lambda: judged(installation).witnessed, "it is not witnessed", WAIT)
    with installation.command("token", "regulator") as asked:
        token, _ = asked.communicate(timeout=WAIT)
    file = installation.data_dir / "regulator.token"
    file.write_bytes(token)
    words = ["verify", installation.addresses().http_url, "--token-file", str(file), "--json"]

    def is_witnessed() -> bool:
        """What was read just now is an entry more, which waits for its witness."""
        with installation.command(*words) as verifying:
            said, _ = verifying.communicate(timeout=WAIT)
        verdict = json.loads(said.splitlines()[-1])
        assert verdict["holds"]
        return verdict["witnessed"]

    until(is_witnessed, "the newest checkpoint is not witnessed", WAIT)


def test_a_dead_witness_is_missed_and_comes_back(installation):
    until(lambda: judged(installation).witnessed, "it is not witnessed", WAIT)
    installation.until_ready()
    state = installation.state()
    assert state is not None
    before = state.parts["witness"]
    until(lambda: installation.strike("witness") is not None, "no witness to kill", WAIT)

    def is_back() -> bool:
        now = installation.state()
        return now is not None and now.parts["witness"].starts > before.starts and now.ready

    until(is_back, "the witness is not back", WAIT)
    until(lambda: judged(installation).witnessed, "it is not witnessed", WAIT)


def test_who_names_a_policy_gets_no_witness_of_the_house(tmp_path):
    policy = tmp_path / "regulators.policy"
    names = [
        [part.name for part in own_parts(Settings(data_dir=tmp_path, policy=named), [])]
        for named in (None, policy)
    ]
    assert set(names[0]) - set(names[1]) == {"witness"}


def test_a_policy_that_is_missing_is_named_in_one_line(servers_dir):
    settings = Settings(
        data_dir=servers_dir / "nowhere",
        policy=servers_dir / "no such policy",
        database_url="postgresql://127.0.0.1:1/x",
        keys_url="postgresql://127.0.0.1:1/y",
    )
    settings.data_dir.mkdir()
    with Installation(settings).command("worker", "integrator") as worker:
        _, said = worker.communicate(timeout=WAIT)
    assert worker.returncode == 2
    last = said.decode().splitlines()[-1]
    assert last.startswith("vaxledger: The trust policy cannot be read.")
    assert b"Traceback" not in said
