"""The log over HTTP: enough to verify all of it from a URL, and only for those entitled."""

import json
from dataclasses import replace

import httpx
import pytest

from api.proving import Prover
from api.tile_cache import TileCache
from client.http import Caller
from client.sources import HttpSource
from client.trust import Trust
from client.verify import verify_log
from commands.principal import Role
from ledger.bundle import decode_bundle
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash
from ledger.merkle import verify_consistency, verify_inclusion
from ledger.policy import Policy
from ledger.store.reading import LogReader
from ledger.tiles import entries_path, tile_path, tile_width
from tests.integration.api.conftest import Author, County, dose, doses_path, register


@pytest.fixture(scope="module")
def size(county: County) -> int:
    """Some entries, all of them published."""
    child = register(county.clinic)
    assert county.clinic.post(doses_path(child), dose(county.clinic, child)).status_code == 201
    return county.served.caught_up()


def with_role(author: Author, role: Role, division: str) -> Author:
    return replace(author, principal=replace(author.principal, role=role, division=division))


def test_a_regulator_verifies_the_whole_log_from_its_url(county: County, size: int, trust: Trust):
    token = county.served.token(county.regulator.principal)
    source = HttpSource(Caller(county.served.url, token, trust))
    report = verify_log(source, trust)
    source._client.close()
    assert report.checkpoint.size >= size
    assert report.counts.entries >= size


def test_the_checkpoint_is_public_and_signed_by_both_keys(county: County, size: int, trust: Trust):
    answer = county.served.http.get("/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "max-age=1" in answer.headers["cache-control"]
    assert len(trust.judge(answer.content).logs) == 2


def test_the_policy_names_the_keys(county: County, trust: Trust):
    policy = Policy.parse(county.served.http.get("/policy").content)
    assert {log.key for log in policy.logs} == set(trust.keys)


def test_tiles_are_public_and_immutable(county: County, size: int):
    width = tile_width(0, 0, size)
    answer = county.served.http.get(f"/{tile_path(0, 0, width)}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "immutable" in answer.headers["cache-control"]
    assert len(answer.content) == 32 * width
    narrow = county.served.http.get(f"/{tile_path(0, 0, 3)}")
    assert narrow.content == answer.content[:96]


def test_bundles_hash_to_the_tiles(county: County, size: int):
    bundle = county.regulator.get(f"/{entries_path(0, min(size, 255))}")
    tile = county.served.http.get(f"/{tile_path(0, 0, min(size, 255))}")
    assert b"".join(map(leaf_hash, decode_bundle(bundle.content))) == tile.content


@pytest.mark.parametrize(
    "path",
    [
        "/tile/0/999.p/255",
        "/tile/0/999",
        "/tile/0/0",
        "/tile/9/000",
        "/tile/64/000",
        "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/0/%2e%2e/000",
        "/tile/",
    ],
)
def test_tiles_that_do_not_exist(county: County, size: int, path: str):
    assert county.served.http.get(path).status_code == 404


def test_entries_and_envelopes_are_for_regulators_and_integrators(county: County, size: int):
    paths = (f"/{entries_path(0, 2)}", "/envelopes/000.p/2", "/v1/entries")
    for path in paths:
        assert county.served.http.get(path).status_code == 401
        for author in (county.clinic, county.school, county.cdc):
            assert author.get(path).status_code == 403, path
        assert county.regulator.get(path).status_code == 200


def test_an_integrator_of_one_county_gets_its_entries_only(county: County, size: int):
    local = with_role(county.clinic, Role.INTEGRATOR, "410299")
    lines = [json.loads(line) for line in local.get("/v1/entries").text.splitlines()]
    assert lines
    assert all(json.loads(line["entry"])["division"].startswith("410299") for line in lines)
    assert local.get(f"/{entries_path(0, 2)}").status_code == 403


def test_ranges_of_entries_follow_each_other(county: County, size: int):
    first = county.regulator.get("/v1/entries", after=0, limit=3).text.splitlines()
    second = county.regulator.get("/v1/entries", after=3, limit=2).text.splitlines()
    positions = [json.loads(line)["position"] for line in (*first, *second)]
    assert positions == [1, 2, 3, 4, 5]


def test_consistency_proofs_hold(county: County, size: int):
    log = county.served.parts.reader
    answer = county.served.http.get("/v1/proofs/consistency", params={"old": 2, "new": size})
    proof = [bytes.fromhex(one) for one in answer.json()["hashes"]]
    leaves = [leaf for _, _, leaf in log.entries(1, size)]
    roots = [_root(leaves[:2]), _root(leaves)]
    verify_consistency(2, size, proof, *roots)


def test_inclusion_proofs_hold_for_any_leaf_of_any_published_size(county: County, size: int):
    leaves = [leaf for _, _, leaf in county.served.parts.reader.entries(1, size)]
    for tree in (1, 2, 3, size - 1, size):
        for index in {0, tree // 2, tree - 1}:
            params = {"index": index, "size": tree}
            answer = county.served.http.get("/v1/proofs/inclusion", params=params)
            assert "immutable" in answer.headers["cache-control"]
            proof = [bytes.fromhex(one) for one in answer.json()["hashes"]]
            verify_inclusion(index, tree, leaves[index], proof, _root(leaves[:tree]))


@pytest.mark.parametrize("params", [{"index": 3, "size": 3}, {"index": 0, "size": 10**9}])
def test_inclusion_in_trees_that_were_never_published(county: County, params):
    assert county.served.http.get("/v1/proofs/inclusion", params=params).status_code == 404


def test_a_proof_takes_one_query_at_most(county: County, size: int, monkeypatch):
    asked = []
    read = LogReader._rows

    def count(self, query, parameters=None):
        asked.append(query)
        return read(self, query, parameters)

    monkeypatch.setattr(LogReader, "_rows", count)
    prover = Prover(county.served.parts.reader)
    prover.refresh()
    prover.tiles = TileCache(county.served.parts.reader)
    del asked[:]
    proof = prover.prove(1)
    assert asked == ["tiles"]
    assert proof.index == 0
    prover.prove(1)
    prover.prove(size // 2)
    assert asked == ["tiles"]


def test_heads_of_public_files_are_what_static_servers_say(county: County, size: int):
    for path in ("/checkpoint", f"/{tile_path(0, 0, min(size, 255))}"):
        whole, head = county.served.http.get(path), county.served.http.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-length", "cache-control"):
            assert head.headers[name] == whole.headers[name]


def test_every_width_is_served_until_the_tile_is_full_and_longer(county: County, size: int):
    whole = county.served.http.get(f"/{tile_path(0, 0, min(size, 255))}").content
    for width in range(1, min(size, 255) + 1):
        partial = county.served.http.get(f"/{tile_path(0, 0, width)}")
        assert partial.content == whole[: 32 * width]
        assert "immutable" in partial.headers["cache-control"]


@pytest.mark.parametrize("params", [{"old": 3, "new": 2}, {"old": 0, "new": 10**9}])
def test_consistency_of_sizes_that_were_never_published(county: County, params):
    assert county.served.http.get("/v1/proofs/consistency", params=params).status_code == 404


def _root(leaves: list[bytes]) -> bytes:
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def test_nothing_of_a_request_reaches_an_error_page(county: County):
    answer = httpx.get(f"{county.served.url}/problems/<script>alert(1)</script>", timeout=60)
    assert answer.status_code == 404
    assert "script" not in answer.text
