"""The commands of the documents as their readers type them, in order, on a running installation.

A step names a line of a page, what stands for its capitals and dots, and who asks. What cannot be
run beside a running installation is named with the test that runs it; nothing else is left out.
"""

import json
import os
import secrets
import shlex
import subprocess
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from bootstrap.tokens import DevelopmentIssuerWarning
from cli.app import app
from client.signing import AuthorKey
from commands.principal import Role
from tests.crash.serving import Installation, until
from tests.crash.test_backup_drill import county, newborn
from tests.integration.api.conftest import Author, Child, dose, doses_path
from tests.integration.api.family import ok
from tests.unit.test_documents import PAGES, ROOT, SHELL, lines_of, words_of

JSON = ("--json",)
MAKER, LOT = "北京生物", "A20140601"

RUN_ELSEWHERE: Mapping[str, str] = {
    "vaxledger replay": "integration/api/test_replay_command.py",
    "vaxledger tail": "integration/feed/test_feed_tail.py",
    "vaxledger subscriber list |": "integration/feed/test_feed_subscriber.py",
    "vaxledger subscriber add henan": "acceptance/integrators_page.py",
    "vaxledger token": "acceptance/integrators_page.py",
    "vaxledger conformance": "acceptance/integrators_page.py",
    "vaxledger import": "integration/api/test_import.py",
    "vaxledger class-list": "integration/api/test_class_list.py",
    "vaxledger log rotate-key": "integration/test_log_rotation.py",
    "vaxledger log retire-key": "integration/test_log_rotation.py",
    "vaxledger log follow-keys": "integration/test_log_rotation.py",
    "vaxledger init": "integration/test_founding.py",
    "vaxledger restore": "crash/test_backup_drill.py",
    "vaxledger log recover": "crash/test_backup_drill.py",
    "vaxledger projections rebuild": "integration/projections/test_projector.py",
    "vaxledger feed rebuild": "integration/feed/test_feed_rebuild.py",
    "vaxledger evaluate schedule": "acceptance/test_evaluate_schedule_command.py",
    "vaxledger schedules diff": "acceptance/test_schedules_command.py",
    "vaxledger migrate": "acceptance/test_installation.py",
    "vaxledger fsck --mend-claims": "crash/test_upgrade_of_a_release.py",
    "vaxledger simulate": "acceptance/test_installation.py",
    "vaxledger witness serve": "acceptance/test_own_witness.py",
}
"""Beginnings of lines that end or found an installation, never end, or need another's files."""

OTHER_PROGRAMS: Mapping[str, str] = {
    "make ": "is how CI and every developer begin",
    "python3.13 -m venv other ": "needs another Python",
    "other/bin/python -m cli replay ": "needs another Python",
    "curl -H": "is run here",
    "export VAXLEDGER_ORIGIN": "is a setting in crash/test_succession_crash.py",
    "npm ci": "is run by integration/feed/test_feed_conformance.py, where there is npm",
    "node dist/main.js": "likewise",
    "python -m examples.provincial_mirror": "is run by integration/feed/test_provincial_mirror.py",
    ".venv/bin/python -m benchmarks": "is run by unit/benchmarks",
    "py-spy": "is the reader's own program",
}
"""Beginnings of the other lines of blocks, and who runs them."""


@dataclass
class Reader:
    """Somebody at a command line in a folder.

    Attributes:
        ran: The lines that were run, as the pages write them.
    """

    folder: Path
    url: str
    ran: set[str] = field(default_factory=set)

    def run(
        self,
        line: str,
        put: Mapping[str, object] | None = None,
        *,
        by: Author | None = None,
        dots: Sequence[str] = (),
        more: Sequence[str] = (),
        code: int = 0,
    ) -> str:
        """Run a line of a page; return what it says."""
        self.ran.add(typed(line))
        if by is not None:
            token = by.bearer["Authorization"].removeprefix("Bearer ")
            (self.folder / "token").write_text(token)
        filled = iter(dots)
        words = [next(filled) if word == "..." else word for word in words_of(line)]
        words = [str((put or {}).get(word, word)) for word in words]
        words += [*more, *self._address(words)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DevelopmentIssuerWarning)
            done = CliRunner().invoke(app, words)
        assert done.exit_code == code, f"{line}\n{words}\n{done.output}{done.exception!r}"
        return done.stdout

    def _address(self, words: Sequence[str]) -> list[str]:
        """The log's server, which is not where the pages have it, and who asks."""
        command = get_command(app)
        for word in words:
            if not hasattr(command, "get_command"):
                break
            command = command.get_command(None, word)
        known = {option for parameter in command.params for option in parameter.opts}
        if not {"--url", "--trust"} <= known or "--url" in words:
            return []
        has_token = "--token-file" in words or "--token-file" not in known
        return ["--url", self.url, *([] if has_token else ["--token-file", "token"])]


def follow_pages(running: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Follow every page to its end; each command is run here, or in the test that is named."""
    monkeypatch.chdir(folder)
    for name, value in running.settings.environment().items():
        if name.startswith("VAXLEDGER_"):
            monkeypatch.setenv(name, value)
    place: Any = SimpleNamespace(installation=running)
    with county(place) as who:
        reader = Reader(folder, running.addresses().http_url)
        child, position = vaccinated(who["clinic"])
        for name in ("cdc", "clinic"):
            who[name].key.save(folder / f"{name}-own.pem")
        (folder / "log.vkey").write_bytes((running.data_dir / "log.vkey").read_bytes())
        keys(reader, who)
        audit(reader, who, child, position)
        operation(reader)
        runbooks(reader, who)
    shown = {typed(line) for page in PAGES for line in lines_of(page.read_text(encoding="utf-8"))}
    assert reader.ran - shown == set(), "a page says something else by now"
    left = {line for line in shown - reader.ran if not line.startswith(tuple(RUN_ELSEWHERE))}
    assert left == set(), "nobody runs these"
    others = {line for page in PAGES for line in other_lines_of(page)}
    assert [line for line in others if not line.startswith(tuple(OTHER_PROGRAMS))] == []
    tests = Path(__file__).parents[1]
    assert [name for name in RUN_ELSEWHERE.values() if not (tests / name).exists()] == []


def other_lines_of(page: Path) -> Iterator[str]:
    """Lines of shell blocks that begin with another program; one page's are all run elsewhere."""
    text = page.read_text(encoding="utf-8")
    assert page.name == "integrators.md" or "```python" not in text, "nobody runs that"
    for block in SHELL.findall(text) if page.name != "integrators.md" else ():
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("vaxledger "):
                yield line.strip()


def typed(line: str) -> str:
    """A line without its comment, and the words apart by one space."""
    return " ".join(shlex.split(line, comments=True))


def vaccinated(clinic: Author) -> tuple[Child, int]:
    """A child, and the position of its dose, once the views show it."""
    child = newborn(clinic, "王小文")
    given = ok(clinic.post(doses_path(child), dose(clinic, child, maker=MAKER, lot=LOT))).json()
    asked = {"known_at": given["position"]}
    until(
        lambda: clinic.get(f"/v1/records/{child.record}", **asked).status_code == 200,
        "the views do not show the dose",
    )
    return child, given["position"]


def regulator(who: Mapping[str, Author]) -> Author:
    principal = replace(who["cdc"].principal, role=Role.REGULATOR, division="41")
    return replace(who["cdc"], principal=principal)


def keys(reader: Reader, who: Mapping[str, Author]) -> None:
    """docs/keys.md: a further key of the clinic, registered by the CDC, rotated, revoked."""
    clinic, cdc = who["clinic"], who["cdc"]
    own, theirs = str(clinic.organisation), str(cdc.organisation)
    made = json.loads(
        reader.run("vaxledger key new clinic.pem --organisation UUID", {"UUID": own}, more=JSON)
    )
    reader.run(
        "vaxledger key register cdc.pem --organisation CDC --for UUID --public-key ..."
        " --key-proof ...",
        {"cdc.pem": "cdc-own.pem", "CDC": theirs, "UUID": own},
        by=cdc,
        dots=(made["public_key"], made["key_proof"]),
    )
    fresh = AuthorKey.from_seed(clinic.organisation, secrets.token_bytes(32))
    fresh.save(reader.folder / "new.pem")
    reader.run(
        "vaxledger key rotate old.pem new.pem --organisation UUID",
        {"old.pem": "clinic.pem", "UUID": own},
        by=clinic,
    )
    reader.run(
        "vaxledger key revoke cdc.pem --organisation CDC --for UUID --keyid ... --reason lost",
        {"cdc.pem": "cdc-own.pem", "CDC": theirs, "UUID": own},
        by=cdc,
        dots=(fresh.keyid,),
    )
    reader.run(
        "vaxledger key signed-by KEYID --since POSITION",
        {"KEYID": clinic.key.keyid, "POSITION": 1},
        by=regulator(who),
    )


def audit(reader: Reader, who: Mapping[str, Author], child: Child, position: int) -> None:
    """docs/audit.md: a record as it was known, its dossier, a correction of a whole lot."""
    clinic = who["clinic"]
    reader.run(
        "vaxledger record as-of $RECORD --known-at 2018-09-28 --url $URL --token-file token",
        {"$RECORD": child.record, "2018-09-28": position, "$URL": reader.url},
        by=clinic,
        more=("--dossier", "FILE"),
    )
    (curl,) = (line for line in other_lines_of(ROOT / "docs/audit.md") if line.startswith("curl"))
    token = (reader.folder / "token").read_text()
    subprocess.run(
        ["bash", "-euc", f"{curl} --fail --silent".replace("2018-09-28", str(position))],
        env={**os.environ, "TOKEN": token, "URL": reader.url, "RECORD": str(child.record)},
        check=True,
        timeout=60,
    )
    reader.run("vaxledger record verify FILE --trust log.vkey")
    reader.run(
        "vaxledger correction preview list.json --maker M --lot L --set expires_on=2027-01-31"
        " --reason wrong-expiry --token-file token",
        {"M": MAKER, "L": LOT},
        by=clinic,
    )
    reader.run(
        "vaxledger correction run list.json KEYFILE --organisation $CLINIC --token-file token",
        {"KEYFILE": "clinic-own.pem", "$CLINIC": clinic.organisation},
        by=clinic,
    )


def operation(reader: Reader) -> None:
    """docs/operation.md and the pages that need nobody's token."""
    reader.run("vaxledger backup make LOG KEYS --secrets SECRETS")
    reader.run("vaxledger backup verify LOG KEYS --secrets SECRETS")
    for line in ("vaxledger doctor", "vaxledger doctor --json"):
        assert "development-issuer" in reader.run(line, code=1)
    reader.run("vaxledger schedules list")
    reader.run("vaxledger schedules show cn-nip-2026")
    reader.run(
        "vaxledger witness init /srv/witness --name witness.example.cn/w1 --log log.vkey",
        {"/srv/witness": "witness"},
    )


def runbooks(reader: Reader, who: Mapping[str, Author]) -> None:
    """docs/runbooks.md: a way out is closed, a stolen key, a recall; the loss is the drill's."""
    clinic, cdc = who["clinic"], who["cdc"]
    reader.run("vaxledger subscriber add zj --division 33 --out zj.json")
    reader.run("vaxledger subscriber revoke NAME", {"NAME": "zj"})
    reader.run("vaxledger kek rotate")
    reader.run("vaxledger kek retire")
    acting = {"KEYFILE": "cdc-own.pem", "OWN": cdc.organisation, "CDC": cdc.organisation}
    reader.run(
        "vaxledger key revoke KEYFILE --organisation OWN --for STOLEN --keyid KEYID"
        " --reason compromised --token-file token",
        {**acting, "STOLEN": clinic.organisation, "KEYID": clinic.key.keyid},
        by=cdc,
    )
    reader.run(
        "vaxledger key signed-by KEYID --since POSITION --token-file token",
        {"KEYID": clinic.key.keyid, "POSITION": 1},
        by=regulator(who),
    )
    reader.run("vaxledger lot MAKER LOT --division 4102", {"MAKER": MAKER, "LOT": LOT})
    (reader.folder / "list.json").unlink()
    reader.run(
        "vaxledger correction preview list.json --maker MAKER --lot LOT --strike --immediate"
        " --reason recalled --token-file token",
        {"MAKER": MAKER, "LOT": LOT},
        by=cdc,
    )
    reader.run(
        "vaxledger correction run list.json KEYFILE --organisation CDC --token-file token",
        acting,
        by=cdc,
    )
