"""Trust policies: the file, the quorum, and what a missing witness is not."""

import itertools
from pathlib import Path

import pytest

from ledger.checkpoint import Checkpoint, LogSigner
from ledger.cosignature import Ed25519Cosigner, Mldsa44Cosigner
from ledger.errors import NoteError, PolicyError
from ledger.note import Ed25519Signer, Note, Signature
from ledger.policy import Group, Log, Policy, Witness

GOLDEN = Path(__file__).parents[2] / "vectors" / "ledger"
ORIGIN = "ledger.example.cn/vax/2026"
SIGNER = LogSigner(ORIGIN, bytes([1]) * 32, bytes([2]) * 32)
ED, ML = SIGNER.verifier_keys()
NAMES = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
COSIGNERS = {
    name: (Ed25519Cosigner if n % 2 else Mldsa44Cosigner)(f"{name}.example", bytes([20 + n]) * 32)
    for n, name in enumerate(NAMES)
}
WITNESSES = tuple(Witness(name, COSIGNERS[name].verifier_key) for name in NAMES)
GROUPS = (
    Group("X-witnesses", 2, ("X1", "X2", "X3")),
    Group("Y-witnesses", 1, ("Y1", "Y2", "Y3")),
    Group("X-and-Y", 2, ("X-witnesses", "Y-witnesses")),
)
POLICY = Policy((Log(ED), Log(ML, "https://ledger.example.cn")), WITNESSES, GROUPS, "X-and-Y")
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(32))
NOW = 1788224523
W1, W2 = (COSIGNERS[name].verifier_key.text() for name in ("X1", "X2"))


def note(*names, checkpoint=CHECKPOINT):
    raw = SIGNER.sign(checkpoint, NOW)
    lines = [COSIGNERS[name].cosign(checkpoint, NOW) for name in names]
    return Note.parse(raw).with_signatures(lines).encode()


def test_a_policy_reads_back_as_it_was_written():
    assert Policy.parse(POLICY.encode()) == POLICY
    assert Policy.parse(b"quorum none\n") == Policy()


def test_the_stored_policy_is_still_this_one():
    assert Policy.parse((GOLDEN / "policy.txt").read_bytes()) == POLICY
    assert (GOLDEN / "policy.txt").read_bytes() == POLICY.encode()


def test_spaces_comments_and_order_do_not_matter():
    text = (
        f"# comment\n\n \t\n\t witness \t a {W1}\t\n  # another\nlog {ED.text()}\n"
        f"group g any a\nwitness b {W2} https://b.example/\nquorum g\n"
    )
    policy = Policy.parse(text.encode())
    assert [one.name for one in policy.witnesses] == ["a", "b"]
    assert policy.witnesses[1].url == "https://b.example/"
    assert policy.groups == (Group("g", 1, ("a",)),)


def test_names_are_opaque_octets():
    raw = b"witness \xe2\x84\xaa " + W1.encode() + b"\nwitness K \xff\n"
    with pytest.raises(PolicyError):  # the second line's key is none
        Policy.parse(raw + b"quorum none\n")
    raw = b"witness \xe2\x84\xaa %b\nwitness \xff\xfe %b\nquorum \xff\xfe\n" % (
        W1.encode(),
        W2.encode(),
    )
    assert Policy.parse(raw).encode() == raw


@pytest.mark.parametrize("names", list(itertools.product([False, True], repeat=6)))
def test_the_quorum_of_the_specification_s_example(names):
    witnesses = [name for name, signed in zip(NAMES, names, strict=True) if signed]
    assert POLICY.is_quorum(witnesses) == (sum(names[:3]) >= 2 and any(names[3:]))


def test_group_names_do_not_witness():
    assert not POLICY.is_quorum(["X-and-Y", "X-witnesses", "Y-witnesses", "nobody"])


def test_a_single_witness_or_none_can_be_the_quorum():
    assert Policy((), WITNESSES, (), "X1").is_quorum(["X1"])
    assert not Policy((), WITNESSES, (), "X1").is_quorum(["X2"])
    assert Policy((), WITNESSES).is_quorum([])


def test_a_witnessed_checkpoint():
    judgement = POLICY.verify(note("X1", "X3", "Y2"))
    assert judgement.checkpoint == CHECKPOINT
    assert set(judgement.logs) == {ED, ML}
    assert set(judgement.witnesses) == {"X1", "X3", "Y2"}
    assert judgement.witnessed


def test_too_few_witnesses_are_a_finding_and_no_error():
    for names in ((), ("X1", "X2"), ("X1", "Y1", "Y2", "Y3")):
        judgement = POLICY.verify(note(*names))
        assert judgement.checkpoint == CHECKPOINT
        assert not judgement.witnessed


def test_witnesses_without_the_log_are_an_error():
    lines = [COSIGNERS[name].cosign(CHECKPOINT, NOW) for name in NAMES]
    with pytest.raises(NoteError, match="No trusted log"):
        POLICY.verify(Note(CHECKPOINT.text(), tuple(lines)))


def test_a_wrong_cosignature_of_a_known_witness_is_an_error():
    other = Checkpoint(ORIGIN, 6, bytes(32))
    line = COSIGNERS["Y1"].cosign(other, NOW)
    with pytest.raises(NoteError):
        POLICY.verify(Note.parse(note("X1", "X2")).with_signatures([line]))


def test_unknown_witnesses_are_ignored():
    stranger = Mldsa44Cosigner("stranger.example", bytes([99]) * 32)
    lines = [stranger.cosign(CHECKPOINT, NOW), Signature("grease", b"abcd", b"e")]
    judgement = POLICY.verify(Note.parse(note("X1")).with_signatures(lines))
    assert judgement.witnesses == ("X1",)


def test_a_witness_that_signs_twice_counts_once():
    policy = Policy((Log(ED),), WITNESSES, (Group("g", 2, ("X1", "X2")),), "g")
    line = COSIGNERS["X1"].cosign(CHECKPOINT, NOW + 1)
    assert not policy.verify(Note.parse(note("X1")).with_signatures([line])).witnessed


def test_a_listed_log_speaks_for_its_own_origin_only():
    other = Checkpoint("elsewhere.example", 5, bytes(32))
    forged = Note(other.text(), (Ed25519Signer(ORIGIN, bytes([1]) * 32).sign(other.text()),))
    with pytest.raises(NoteError):
        POLICY.verify(forged)


def test_logs_can_come_from_elsewhere_when_the_policy_lists_none():
    policy = Policy((), WITNESSES, (), "X1")
    assert policy.verify(note("X1"), [ED]).witnessed
    with pytest.raises(NoteError):
        policy.verify(note("X1"))
    listed = Policy((Log(LogSigner(ORIGIN, bytes([3]) * 32, bytes([4]) * 32).verifier_keys()[0]),))
    with pytest.raises(NoteError):  # where the policy lists logs, no other key is trusted
        listed.verify(note(), [ED])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "quorum none",
        "quorum none\nquorum none\n",
        "quorum\n",
        "quorum a\n",
        "quorum none extra\n",
        "Quorum none\n",
        "unknown line\nquorum none\n",
        "log\nquorum none\n",
        "log x\nquorum none\n",
        f"log {ED.text()} url extra\nquorum none\n",
        f"log {ED.text()}\nlog {ED.text()}\nquorum none\n",
        f"log {W1}x\nquorum none\n",
        f"log {W2}\nquorum none\n",  # a 0x04 key is no log's
        f"witness a {ED.text()}\nquorum none\n",  # a 0x01 key is no witness's
        f"witness a {W1}\nwitness a {W2}\nquorum none\n",
        f"witness a {W1}\nwitness b {W1}\nquorum none\n",
        f"witness none {W1}\nquorum none\n",
        f"witness {W1}\nquorum none\n",
        f"witness a {W1} url extra\nquorum none\n",
        f"log {ML.text()}\nwitness a {ML.text()}\nquorum a\n",
        f"quorum a\nwitness a {W1}\n",
        f"group g any a\nwitness a {W1}\nquorum g\n",
        "group g any g\nquorum g\n",
        f"witness a {W1}\ngroup g any\nquorum g\n",
        f"witness a {W1}\ngroup g\nquorum g\n",
        f"witness a {W1}\ngroup g 0 a\nquorum g\n",
        f"witness a {W1}\ngroup g 2 a\nquorum g\n",
        f"witness a {W1}\ngroup g 01 a\nquorum g\n",
        f"witness a {W1}\ngroup g +1 a\nquorum g\n",
        f"witness a {W1}\ngroup g any none\nquorum g\n",
        f"witness a {W1}\ngroup g any a a\nquorum g\n",
        f"witness a {W1}\ngroup a any a\nquorum a\n",
        f"witness a {W1}\ngroup none any a\nquorum none\n",
        f"witness a {W1}\ngroup g any a\ngroup h any a\nquorum h\n",
        f"witness a {W1}\ngroup g any a\ngroup g any a\nquorum g\n",
        "quorum none\r\n",
        "quorum none\x00\n",
        "quorum none\x7f\n",
        "quorum\u00a0none\n",
        "#" * 1_000_001 + "\nquorum none\n",
    ],
)
def test_a_file_that_is_almost_a_policy_is_refused(text):
    with pytest.raises(PolicyError):
        Policy.parse(text.encode())


def test_the_first_bad_line_is_named():
    with pytest.raises(PolicyError) as caught:
        Policy.parse(b"# one\n\nlog broken\nquorum none\n")
    assert caught.value.fields == {"line": 3}


def test_thirty_two_of_each_are_read():
    keys = [Ed25519Cosigner(f"w{n}.example", bytes([n]) * 32).verifier_key for n in range(32)]
    lines = [f"witness w{n} {key.text()}" for n, key in enumerate(keys)]
    lines += [f"group g{n} all w{n}" for n in range(32)]
    names = " ".join(f"g{n}" for n in range(32))
    policy = Policy.parse("\n".join([*lines, f"group all 32 {names}", "quorum all", ""]).encode())
    assert policy.is_quorum([f"w{n}" for n in range(32)])
    assert not policy.is_quorum([f"w{n}" for n in range(31)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Policy(groups=(Group("g", 1, ("nobody",)),)),
        lambda: Policy(quorum="nobody"),
        lambda: Policy((Log(ED, "two words"),)),
        lambda: Policy((), (Witness("two words", WITNESSES[0].key),)),
        lambda: Policy((), (Witness("", WITNESSES[0].key),)),
    ],
)
def test_a_policy_that_could_not_be_read_back_is_not_made(make):
    with pytest.raises(PolicyError):
        make()
