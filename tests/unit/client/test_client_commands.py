"""`vaxledger verify` and `log export` as people and programs meet them."""

import json

import pytest
import typer
from typer.testing import CliRunner

from cli import log
from cli.verify import verify
from client.sources import TRUST_FILE
from tests.unit.client.signed_log import small_log, trust

app = typer.Typer()
app.command("verify")(verify)
app.add_typer(log.app)


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("VAXLEDGER_DATA_DIR", str(tmp_path / "none"))

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def saved(tmp_path):
    """A log in a folder, and a file of the keys that are trusted."""
    log, folder = small_log(), tmp_path / "copy"
    log.save(folder)
    keys = tmp_path / "keys"
    keys.write_text("\n".join(key.text() for key in trust().keys))
    return log, folder, keys


def test_a_log_that_holds_leaves_with_0(run, saved):
    log, folder, keys = saved
    found = run("verify", folder, "--trust", keys, "--json")
    assert found.exit_code == 0
    verdict = json.loads(found.stdout)
    assert (verdict["holds"], verdict["size"], verdict["envelopes"]) == (True, 13, 13)
    assert verdict["root"] == log.checkpoint().root.hex()
    assert "日志成立" in run("verify", folder, "--trust", keys).stdout


def test_hashes_alone_are_asked_for_without_sealed_values(run, saved):
    _, folder, keys = saved
    found = run("verify", folder, "--trust", keys, "--hashes-only", "--json")
    assert (found.exit_code, json.loads(found.stdout)["entries"]) == (0, 0)
    refused = run("verify", folder, "--trust", keys, "--hashes-only", "--blobs")
    assert refused.exit_code == 2
    assert "--hashes-only" in refused.output


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ((), {9, 10}),
        (("--blobs",), {10}),
        (("--no-envelopes",), {5, 6, 7, 8, 9, 10}),
        (("--hashes-only",), {3, 4, 5, 6, 7, 8, 9, 10, 11}),
    ],
)
def test_what_the_options_leave_out_is_not_said_to_hold(run, saved, options, left_out):
    _, folder, keys = saved
    found = run("verify", folder, "--trust", keys, "--json", *options)
    assert set(json.loads(found.stdout)["steps"]) == {*range(1, 12)} - left_out
    said = run("verify", folder, "--trust", keys, *options).stdout
    marks = [line.split()[:2] for line in said.splitlines() if line.startswith(("✓", "–"))]
    assert {int(number) for mark, number in marks if mark == "–"} == left_out


def test_an_altered_log_leaves_with_1_and_names_the_place(run, saved):
    _, folder, keys = saved
    bundle = folder / "tile/entries/000.p/13"
    bundle.write_bytes(bundle.read_bytes().replace(b"HepB", b"HepA", 1))
    found = run("verify", folder, "--trust", keys, "--json")
    assert found.exit_code == 1
    verdict = json.loads(found.stdout)
    assert (verdict["holds"], verdict["step"], verdict["position"], verdict["reason"]) == (
        False,
        2,
        8,
        "entry-altered",
    )
    said = run("verify", folder, "--trust", keys)
    assert said.exit_code == 1
    assert "position 8" in said.stdout


def test_what_cannot_be_read_leaves_with_2_and_no_traceback(run, saved, tmp_path):
    _, folder, keys = saved
    (tmp_path / "dose.tlog-proof").touch()  # beside it there is no entry
    for arguments in (
        (folder,),  # nobody says whom to trust
        (folder, "--trust", tmp_path / "missing"),
        (tmp_path / "missing", "--trust", keys),
        (tmp_path / "dose.tlog-proof", "--trust", keys),
        ("http://127.0.0.1:9", "--trust", folder / "checkpoint"),
    ):
        found = run("verify", *arguments, "--json")
        assert found.exit_code == 2
        assert json.loads(found.stdout)["error"]
        assert run("verify", *arguments).exit_code == 2


def test_a_copy_brings_its_own_keys_for_want_of_better(run, saved):
    _, folder, keys = saved
    (folder / TRUST_FILE).write_bytes(keys.read_bytes())
    assert run("verify", folder).exit_code == 0


def test_an_older_checkpoint_finds_a_fork(run, saved, tmp_path):
    log, folder, keys = saved
    seen = tmp_path / "seen"
    seen.write_bytes(log.note(9))
    assert run("verify", folder, "--trust", keys, "--known", seen).exit_code == 0
    seen.write_bytes(small_log(children=4).note(9))
    found = run("verify", folder, "--trust", keys, "--known", seen, "--json")
    assert (found.exit_code, json.loads(found.stdout)["reason"]) == (1, "forked")


def test_a_receipt_and_a_bare_proof_are_verified_alone(run, saved, tmp_path):
    log, _, keys = saved
    answer = log.answer(9)
    receipt, proof = tmp_path / "receipt.json", tmp_path / "dose.tlog-proof"
    receipt.write_text(json.dumps(answer))
    proof.write_text(str(answer["proof"]))
    (tmp_path / "dose.entry").write_text(str(answer["entry"]))
    for path in (receipt, proof):
        found = run("verify", path, "--trust", keys, "--json")
        assert found.exit_code == 0
        assert json.loads(found.stdout)["position"] == 9
    (tmp_path / "dose.entry").write_text(str(log.answer(8)["entry"]))
    found = run("verify", proof, "--trust", keys, "--json")
    assert (found.exit_code, json.loads(found.stdout)["reason"]) == (1, "proof-refuted")
    receipt.write_text(json.dumps(answer | {"position": 8}))
    assert run("verify", receipt, "--trust", keys).exit_code == 1


def test_export_needs_an_installation_or_a_url(run, saved, tmp_path):
    _, _, keys = saved
    found = run("log", "export", tmp_path / "new", "--from", "http://127.0.0.1:9", "--trust", keys)
    assert found.exit_code == 2
