"""The hammer: writers at work, and someone who believes nothing and keeps every checkpoint."""

import random
import threading

import pytest

from client.trust import Trust
from ledger.checkpoint import Checkpoint
from ledger.merkle import verify_consistency, verify_inclusion
from tests.integration.api.conftest import County, registration


class Doubter:
    """Compares each checkpoint with all that went before, and asks for proofs at random."""

    def __init__(self, county: County) -> None:
        self._http = county.served.http
        self._trust = Trust.parse(self._http.get("/log.vkey").content)
        self._random = random.Random(162)
        self.kept: list[Checkpoint] = []
        self.proven = 0

    def look(self, leaves: dict[int, bytes]) -> None:
        """Take the newest checkpoint; `leaves` are those that writers were answered."""
        newest = self._trust.judge(self._http.get("/checkpoint").content).checkpoint
        if self.kept:
            assert newest.size >= self.kept[-1].size
        for old in {self.kept[-1], self._random.choice(self.kept)} if self.kept else ():
            self._check_growth(old, newest)
        if not self.kept or newest.size > self.kept[-1].size:
            self.kept.append(newest)
        covered = [position for position in leaves if position <= newest.size]
        for position in self._random.sample(covered, min(3, len(covered))):
            self._check_leaf(position, leaves[position], newest)

    def _check_growth(self, old: Checkpoint, new: Checkpoint) -> None:
        proof = self._proof("consistency", old=old.size, new=new.size)
        verify_consistency(old.size, new.size, proof, old.root, new.root)

    def _check_leaf(self, position: int, leaf: bytes, tree: Checkpoint) -> None:
        proof = self._proof("inclusion", index=position - 1, size=tree.size)
        verify_inclusion(position - 1, tree.size, leaf, proof, tree.root)
        self.proven += 1

    def _proof(self, kind: str, **params: int) -> list[bytes]:
        answer = self._http.get(f"/v1/proofs/{kind}", params=params)
        assert answer.status_code == 200, answer.text
        return [bytes.fromhex(one) for one in answer.json()["hashes"]]


@pytest.mark.parametrize(
    ("writers", "writes"), [(4, 12), pytest.param(8, 250, marks=pytest.mark.long)]
)
def test_no_checkpoint_ever_denies_an_earlier_one_or_an_acknowledged_entry(
    county: County, writers: int, writes: int
):
    leaves: dict[int, bytes] = {}
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(writes):
                answer = county.clinic.post("/v1/records", registration(county.clinic)[0])
                assert answer.status_code == 201, answer.text
                receipt = answer.json()
                leaves[receipt["position"]] = bytes.fromhex(receipt["leaf"])
        except BaseException as error:  # noqa: BLE001  shown by the test
            failures.append(error)

    doubter = Doubter(county)
    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        doubter.look(dict(leaves))
    for thread in threads:
        thread.join()
    doubter.look(leaves)
    assert failures == []
    assert len(leaves) == writers * writes
    assert doubter.kept[-1].size >= max(leaves)
    assert doubter.proven >= 3
