"""The audit: `vaxledger log export` and `vaxledger verify`, run as a regulator runs them.

Each is a process of its own without any setting of the installation: it has a URL or a folder, the
log's public keys, and no way to a database.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.policy import POLICY_NAME
from bootstrap.settings import Settings
from cli.demo.actors import Place
from cli.demo.stage import Mismatch

_HOLDS, _REFUTED = 0, 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        holds: Whether the log holds.
        facts: As the command prints them.
    """

    holds: bool
    facts: Mapping[str, Any]


class Audit:
    """A regulator beside the installation.

    Args:
        place: The log.
        folder: Where keys, token and copy are kept.
        settings: Of the demo, whose environment the processes get without its settings.
    """

    def __init__(self, place: Place, folder: Path, settings: Settings) -> None:
        self.copy = folder / "export"
        self.trust_file = folder / POLICY_NAME
        self.token_file = folder / "regulator.token"
        self._url = place.base_url
        self._environment = {
            name: value
            for name, value in settings.environment().items()
            if not name.startswith("VAXLEDGER_")
        }
        _write_private(self.token_file, place.regulator().token)

    async def export(self) -> Mapping[str, Any]:
        """Copy the log over HTTP into the folder and return what was copied.

        Raises:
            Mismatch: It could not be copied.
        """
        status, facts = await self._run(
            "log",
            "export",
            str(self.copy),
            "--from",
            self._url,
            "--token-file",
            str(self.token_file),
        )
        if status != _HOLDS:
            raise Mismatch(f"the export failed: {facts}")
        return facts

    async def verify_copy(self) -> Verdict:
        """Verify the copy, offline."""
        return await self._verify(str(self.copy))

    async def verify_server(self) -> Verdict:
        """Verify the log as its server shows it now."""
        return await self._verify(self._url, "--token-file", str(self.token_file))

    async def _verify(self, *words: str) -> Verdict:
        status, facts = await self._run("verify", *words)
        if status not in (_HOLDS, _REFUTED):
            raise Mismatch(f"the log could not be read: {facts}")
        return Verdict(status == _HOLDS, facts)

    async def _run(self, *words: str) -> tuple[int, Mapping[str, Any]]:
        argv = [sys.executable, "-m", "cli", *words, "--trust", str(self.trust_file), "--json"]
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, complained = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        lines = said.decode().splitlines()
        facts = json.loads(lines[-1]) if lines else {"error": complained.decode()[-500:]}
        return process.returncode or 0, facts


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
