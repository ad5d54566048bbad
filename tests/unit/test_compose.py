"""The compose files as far as they can be tried without containers: no engine runs them here.

What only an engine shows is told in docs/operation.md: images, networks, the order of starts.
"""

import ast
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from api.app import openapi_document
from bootstrap.embedded.binaries import nats_program
from bootstrap.settings import Settings
from tests.unit.test_documents import check

ROOT = Path(__file__).parents[2]
FILES = ("compose.yaml", "compose.production.yaml")
IMAGE = "vaxledger:0.1.0"


@pytest.fixture(params=FILES)
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    written = (ROOT / request.param).read_text(encoding="utf-8")
    made: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+)[^}]*\}", r"\1.example.cn", written))
    return made


def ours(compose: dict[str, Any]) -> dict[str, Any]:
    found = {name: one for name, one in compose["services"].items() if one.get("image") == IMAGE}
    assert len(found) >= 7
    return found


def test_every_command_is_one_of_ours(compose: dict[str, Any]):
    for service in ours(compose).values():
        check(list(service["command"]))
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["vaxledger"]' in dockerfile
    check(re.findall(r'^CMD \["(\w+)"\]$', dockerfile, re.MULTILINE))


def test_every_variable_is_a_setting(compose: dict[str, Any]):
    known = {f"VAXLEDGER_{name.upper()}" for name in Settings.model_fields} | {"SSL_CERT_FILE"}
    for service in ours(compose).values():
        assert set(service["environment"]) <= known


def test_the_settings_of_every_service_hold(compose: dict[str, Any], tmp_path: Path):
    for service in ours(compose).values():
        given = {
            name.removeprefix("VAXLEDGER_").lower(): value
            for name, value in service["environment"].items()
            if name.startswith("VAXLEDGER_")
        }
        for name in given.keys() & {"database_url_file", "keys_url_file", "nats_password_file"}:
            given[name] = tmp_path / name
            given[name].write_text("postgresql://x/y")
        Settings(**given)


def test_a_health_check_asks_an_address_that_is_there(compose: dict[str, Any]):
    program, option, code = compose["services"]["api"]["healthcheck"]["test"][1:]
    assert (program, option) == ("python", "-c")
    assert " " not in code, "podman's Docker interface would split it"
    (url,) = (
        node.value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and str(node.value).startswith("http")
    )
    parts = urlsplit(url)
    assert parts.path in openapi_document()["paths"]
    assert parts.port == Settings.model_fields["port"].default


def test_what_a_service_names_is_declared(compose: dict[str, Any]):
    for name, service in compose["services"].items():
        assert service.get("init") is True, f"{name} would leave zombies"
        for one in service.get("volumes", ()):
            assert one.partition(":")[0] in compose["volumes"], name
        for kind in ("configs", "secrets"):
            wanted = {
                one if isinstance(one, str) else one["source"] for one in service.get(kind, ())
            }
            assert wanted <= set(compose.get(kind, {})), name
        assert set(service.get("depends_on", ())) <= set(compose["services"]), name
        for path in re.findall(r"/run/secrets/(\w+)", str(service)):
            targets = {
                one if isinstance(one, str) else Path(one["target"]).name
                for one in service["secrets"]
            }
            assert path in targets, name
    assert all(one["file"].startswith("./secrets/") for one in compose.get("secrets", {}).values())


def test_nats_takes_its_configuration(compose: dict[str, Any], tmp_path: Path):
    written = compose["configs"]["nats"]["content"].replace("$$", "$")
    written = re.sub(r"^tls .*$", "", written, flags=re.MULTILINE)  # nobody here has certificates
    (tmp_path / "nats.conf").write_text(written.replace('"/data"', f'"{tmp_path}"'))
    accounts = yaml.safe_load((ROOT / "compose.yaml").read_text())["configs"]["nats"]["content"]
    accounts = accounts[accounts.index("accounts {") :].replace("$$", "$")
    (tmp_path / "accounts.conf").write_text(accounts)
    done = subprocess.run(
        [nats_program(), "-c", tmp_path / "nats.conf", "-t"],
        env={"VAXLEDGER_NATS_PASSWORD": "x" * 32},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
