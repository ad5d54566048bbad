"""The second implementation by itself: known values of every format."""

import ast
import base64
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.second import json_text, merkle9162
from tests.second.entries import Entry
from tests.second.evidence import Evidence, keyid_of, pre_authentication
from tests.second.findings import Wrong
from tests.second.folders import numbered, tile_widths
from tests.second.notes import TreeHead, VerifierKey, signers
from tests.second.receipts import Receipt
from tests.second.trust import Trust

GOLDEN = Path(__file__).parents[1] / "vectors" / "ledger"
# A switch for testers, not a setting of the product.
FOLDER = Path(os.environ.get("VAXLEDGER_TEST_VECTORS", "/nonexistent"))
MERKLE = FOLDER / "transparency-dev-merkle"
PUBLIC = "VAXLEDGER_TEST_VECTORS names no copy of the public vectors"
AUTHOR = Ed25519PrivateKey.from_private_bytes(bytes([11]) * 32).public_key().public_bytes_raw()


ESCAPED = '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\"'


def golden_trust():
    return Trust.of_keys(*(GOLDEN / "log.vkeys").read_text("ascii").splitlines())


# Known values


def test_leaf_and_empty_root_are_those_of_rfc_6962():
    hello = base64.b64decode("TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=")
    assert merkle9162.leaf(b"hello world") == hello
    assert merkle9162.tree_hash([]) == hashlib.sha256(b"").digest()


def test_the_note_of_the_signed_note_specification():
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = (
        "This is an example message.\n\n"
        "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3"
        "mFXmRKuwHjG1Yu72IneyaQM=\n"
    ).encode()
    assert signers(note, [key]) == ("This is an example message.\n", [key])
    with pytest.raises(Wrong):
        signers(note.replace(b"example message", b"Example message"), [key])


def test_the_tiles_of_70_000_leaves():
    assert [numbered(n) for n in (0, 999, 1000, 1234067)] == [
        "000",
        "999",
        "x001/000",
        "x001/x234/067",
    ]
    tiles = tile_widths(70_000)
    assert len([one for one in tiles if one[0] == 0]) == 274
    assert [one for one in tiles if one[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert tile_widths(256) == [(0, 0, 256), (1, 0, 1)]


def test_the_golden_entry():
    raw = (GOLDEN / "entry.json").read_bytes()
    entry = Entry.parse(raw)
    assert (entry.version, entry.division, entry.data["lot"]) == (3, "410202001", "20260101A")
    assert merkle9162.leaf(raw).hex() == (GOLDEN / "entry.leaf").read_text("ascii").strip()


def test_the_golden_checkpoint_carries_both_signatures():
    trust = golden_trust()
    raw = (GOLDEN / "checkpoint.txt").read_bytes()
    assert [key.type for key in signers(raw, trust.logs)[1]] == [1, 6]
    head = TreeHead("ledger.example.cn/vax/2026", 1234067, bytes(range(32)))
    assert trust.judge(raw) == (head, True)


def test_the_golden_receipt_under_the_golden_policy():
    """Its witness is none of that policy's: included and not witnessed is not invalid."""
    trust = Trust.parse((GOLDEN / "policy.txt").read_bytes())
    assert (trust.quorum, trust.groups["X-witnesses"]) == ("X-and-Y", (2, ["X1", "X2", "X3"]))
    receipt = Receipt.parse((GOLDEN / "receipt.tlog-proof").read_bytes())
    head, witnessed = receipt.prove(b"entry 7", trust)
    assert (receipt.index, head.size, witnessed) == (7, 300, False)
    with pytest.raises(Wrong):
        receipt.prove(b"entry 8", trust)


def test_the_golden_envelope_and_batch_line():
    assert pre_authentication("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    for name, payload in (
        ("envelope.json", b'{"topic":"organisation.registered.v1"}'),
        ("batch-member.json", b'{"line":3}'),
    ):
        evidence = Evidence.parse((GOLDEN / name).read_bytes())
        evidence.verify(AUTHOR)
        assert evidence.payload == payload
        assert list(evidence.signed.signatures) == [keyid_of(AUTHOR)]
        with pytest.raises(Wrong):
            evidence.verify(bytes(32))


def test_a_vkey_with_the_key_id_of_another_is_refused():
    line = (GOLDEN / "log.vkeys").read_text("ascii").splitlines()[1]
    assert VerifierKey.parse(line).type == 6
    with pytest.raises(Wrong):
        VerifierKey.parse(line.replace("+d17fb7fd+", "+5893dc2c+"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"b": 1, "a": [null, "\\u00e9\\u2028\\/"]}', '{"a":[null,"é\u2028/"],"b":1}'),
        (ESCAPED, ESCAPED),
        ('"\\ud83d\\ude00\\u007f"', '"😀\x7f"'),
        ("9007199254740991", "9007199254740991"),
    ],
)
def test_json_has_one_spelling(text, written):
    value = json_text.read(text.encode())
    assert json_text.write(value) == written.encode() == rfc8785.dumps(value)
    assert json_text.read_canonical(written.encode()) == value
    if text != written:
        with pytest.raises(ValueError, match="spelling"):
            json_text.read_canonical(text.encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"1.0",
        b"1e2",
        b"NaN",
        b"-Infinity",
        b"9007199254740992",
        b'{"a":1,"a":1}',
        '{"é":1}'.encode(),
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\x1f"',
        b"",
        b"[1,]",
        b"[" * 100_000,
        b"1" * 5000,
    ],
)
def test_what_is_not_strict_json_is_not_read(raw):
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        json_text.read(raw)


# The vectors that others publish


@pytest.mark.skipif(not MERKLE.is_dir(), reason=PUBLIC)
@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_the_published_proofs(kind):
    files = sorted((MERKLE / kind).rglob("*.json"))
    assert len(files) == 98
    for file in files:
        case = json.loads(file.read_text("utf-8"))
        proof = [base64.b64decode(one) for one in case["proof"] or []]
        verify = published_inclusion if kind == "inclusion" else published_growth
        # Where sizes are equal these vectors take any text for a root; ours has 32 bytes.
        roots = [base64.b64decode(case[name] or "") for name in case if name.startswith("root")]
        refused = case["wantErr"] or any(len(root) != 32 for root in roots)
        assert held(verify, case, proof) is not refused, file.name


def held(verify, *args):
    try:
        return verify(*args)
    except merkle9162.ProofFailed:
        return False


def published_inclusion(case, proof):
    leaf = base64.b64decode(case["leafHash"])
    found = merkle9162.root_from_inclusion(case["leafIdx"], case["treeSize"], leaf, proof)
    return found == base64.b64decode(case["root"])


def published_growth(case, proof):
    roots = [base64.b64decode(case[name] or "") for name in ("root1", "root2")]
    merkle9162.verify_consistency((case["size1"], roots[0]), (case["size2"], roots[1]), proof)
    return True


@pytest.mark.skipif(not MERKLE.is_dir(), reason=PUBLIC)
def test_the_published_roots():
    known = json.loads((MERKLE / "rfc6962-8-leaves.json").read_text("utf-8"))
    leaves = [merkle9162.leaf(bytes.fromhex(one)) for one in known["leaves_hex"]]
    for size, root in known["roots_hex_by_size"].items():
        assert merkle9162.tree_hash(leaves[: int(size)]).hex() == root


# Its independence


@pytest.mark.parametrize("module", sorted((Path(__file__).parents[1] / "second").glob("*.py")))
def test_it_shares_no_code_with_the_product(module):
    names = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module))
    foreign = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    others = {name for name in foreign if not name.startswith("tests.second.")}
    assert {name.split(".")[0] for name in others} <= {"cryptography", "dilithium_py"}
