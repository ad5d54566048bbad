"""Witnesses over HTTP: checkpoint and receipts carry what they said; operators see how it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.policy import POLICY_NAME
from client.receipt import Receipt
from client.trust import Trust
from ledger.note import Note
from ledger.policy import Policy
from ledger.signature import VerifierKey
from ledger.store.connections import open_pool
from ledger.store.cosigning import ROLE, Claim, CosignatureStore, Failure
from ledger.treehead import Checkpoint
from ledger.witness import AddCheckpoint, Cosigner
from tests.integration.api.conftest import County, Served, dose, doses_path, register
from tests.integration.witness.asked_log import until

WITNESS = Cosigner("witness.example/api", b"w" * 32, b"x" * 32)
DEAD = Cosigner("witness.example/dead", b"d" * 32, b"e" * 32)


class Witnessing:
    """Cosigns what the installation has published, when a test says so."""

    def __init__(self, served: Served, store: CosignatureStore, path: Path) -> None:
        self.served = served
        self.store = store
        self.path = path

    @property
    def policy(self) -> Policy:
        return Policy.parse(self.served.http.get("/policy").content)

    def claim(self, cosigner: Cosigner = WITNESS) -> Claim:
        """Claim the right to ask; the pause after the last time may have to pass first."""
        claims: list[Claim | None] = [None]

        def has_claimed() -> bool:
            claims.append(self.store.claim(cosigner.name, -1, 0))
            return claims[-1] is not None

        until(has_claimed, "there is no claim")
        assert claims[-1] is not None
        return claims[-1]

    def cosign(self) -> Checkpoint:
        newest = self.store.newest()
        assert newest is not None
        size, raw = newest
        checkpoint = AddCheckpoint.of(0, [], raw).checkpoint
        lines = WITNESS.cosign(checkpoint, 1_790_000_000)
        self.store.succeed(self.claim(), size, raw, lines, lambda _: True)
        until(lambda: self.has_lines(checkpoint), "the cosignatures are not shown")
        return checkpoint

    def has_lines(self, checkpoint: Checkpoint) -> bool:
        note = Note.parse(self.served.http.get("/checkpoint").content)
        return note.text == checkpoint.text() and len(note.signatures) == 4

    def check(self) -> dict:
        answer = self.served.http.get("/readyz")
        assert answer.status_code == 200
        body = answer.json()
        return {"status": body["status"], **body["checks"]["witnesses"]}


def policy_text(*keys: VerifierKey) -> str:
    lines = [f"witness w{n} {key.text()} http://127.0.0.1:1" for n, key in enumerate(keys)]
    names = " ".join(f"w{n}" for n in range(len(keys)))
    return "\n".join([*lines, f"group all all {names}", "quorum all", ""])


@pytest.fixture
def witnessing(county: County) -> Iterator[Witnessing]:
    served = county.served
    path = served.parts.settings.data_dir / POLICY_NAME
    path.write_text(policy_text(*WITNESS.verifier_keys()))
    url = served.parts.settings.database_url
    assert url is not None
    with open_pool(url, ROLE, size=2) as pool:
        store = CosignatureStore(pool, served.parts.services.clock)
        yield Witnessing(served, store, path)
    path.write_text("quorum none\n")


@pytest.fixture
def write(county: County) -> Callable[[], dict]:
    """Record a dose and return the receipt that its clinic got."""

    def record() -> dict:
        child = register(county.clinic)
        answer = county.clinic.post(doses_path(child), dose(county.clinic, child))
        assert answer.status_code == 201
        return answer.json()

    return record


def test_the_policy_is_served_whole_with_the_keys_that_sign_now(witnessing, county):
    policy = witnessing.policy
    assert [one.key for one in policy.witnesses] == list(WITNESS.verifier_keys())
    assert {one.url for one in policy.witnesses} == {"http://127.0.0.1:1"}
    assert policy.quorum == "all"
    keys = Trust.parse(county.served.http.get("/log.vkey").content).keys
    assert tuple(log.key for log in policy.logs) == keys


def test_a_receipt_is_included_first_and_witnessed_later(witnessing, county, write):
    trust = Trust.of_policy(witnessing.policy)
    first = write()
    assert not Receipt.verify(first, trust).witnessed
    checkpoint = witnessing.cosign()
    address = f"/v1/receipts/{first['position']}"
    until(
        lambda: Receipt.verify(county.clinic.get(address).json(), trust).witnessed,
        "the receipt is not witnessed",
    )
    second = write()
    later = Receipt.verify(county.clinic.get(address).json(), trust)
    assert (later.witnessed, later.checkpoint) == (True, checkpoint)
    newest = county.clinic.get(f"/v1/receipts/{second['position']}").json()
    assert not Receipt.verify(newest, trust).witnessed


def test_the_checkpoint_never_waits_for_a_witness(witnessing, county, write):
    trust = Trust.of_policy(witnessing.policy)
    witnessing.cosign()
    assert trust.judge(county.served.http.get("/checkpoint").content).witnessed
    position = write()["position"]
    judgement = trust.judge(county.served.http.get("/checkpoint").content)
    assert judgement.checkpoint.size >= position
    assert not judgement.witnessed


def test_a_witness_that_fails_degrades_and_is_named(witnessing):
    witnessing.cosign()
    assert witnessing.check()["ok"]
    witnessing.path.write_text(policy_text(WITNESS.verifier_keys()[0], DEAD.verifier_keys()[0]))
    found = witnessing.check()
    assert (found["status"], found["ok"]) == ("degraded", False)
    assert found["witnesses"][1] == {
        "witness": DEAD.name, "ok": False, "problem": "never-asked"
    }  # fmt: skip
    claim = witnessing.claim(DEAD)
    witnessing.store.fail(claim.name, Failure("unreachable"), 0)
    assert witnessing.check()["witnesses"][1]["problem"] == "unreachable"


def test_a_fork_is_named_until_the_witness_cosigns_again(witnessing, county):
    witnessing.cosign()
    failure = Failure("forked", refused=True, alarm="forked")
    claim = witnessing.claim()
    witnessing.store.fail(claim.name, failure, 0)
    found = witnessing.check()
    assert (found["status"], found["witnesses"][0]["alarm"]) == ("degraded", "forked")
    told = county.served.http.get("/metrics").text
    assert f'vaxledger_witness_alarms_total{{witness="{WITNESS.name}"}} 1.0' in told
    assert f'vaxledger_witness_refusals_total{{witness="{WITNESS.name}"}} 1.0' in told
    assert f'vaxledger_witness_cosignature_age_seconds{{witness="{WITNESS.name}"}}' in told
    witnessing.cosign()
    assert witnessing.check()["ok"]


def test_a_policy_that_cannot_be_read_changes_nothing(witnessing):
    before = witnessing.policy
    witnessing.path.write_text("witness only half")
    assert witnessing.policy == before
