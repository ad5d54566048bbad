"""The consumer under test: how it is started, ended and asked for its effect.

    COMMAND run ACCESS       follows the log until it is ended, or gives up with an exit code
    COMMAND report ACCESS    prints its effect as one JSON object

ACCESS is the path of the file that ``client.access`` describes, in a folder that is the working
directory and empty otherwise; whatever the consumer keeps belongs into it, or under the log's
name. The report is taken while ``run`` may be running::

    {"applied": [{"position": 1, "leaf": "<64 hex digits>"}, ...], "alarms": ["...", ...]}

``applied`` holds one object for each time that an entry had its effect, in the order in which it
had; ``alarms`` one word or sentence for each thing that the consumer refused.
"""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_REPORT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Effect:
    """What a consumer says that it did.

    Attributes:
        applied: Position and leaf hash in hex, for each effect.
        alarms: What it refused.
    """

    applied: tuple[tuple[int, str], ...] = ()
    alarms: tuple[str, ...] = ()

    @classmethod
    def parse(cls, found: Any) -> "Effect":
        """Read a report; raises ValueError if it is none."""
        try:
            applied = tuple((int(one["position"]), str(one["leaf"])) for one in found["applied"])
            return cls(applied, tuple(map(str, found["alarms"])))
        except (KeyError, TypeError) as error:
            raise ValueError("not a report") from error


class Consumer(Protocol):
    """A consumer in one scenario."""

    async def start(self, access: Path) -> None:
        """Start it; it is not running."""

    async def kill(self) -> None:
        """End it at once, as a power cut would; no error if it has ended."""

    async def effect(self, access: Path) -> Effect:
        """Return what it did so far."""


class CommandConsumer:
    """A consumer that is a command.

    Args:
        command: Program and arguments, before ``run`` or ``report``.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, access: Path) -> None:
        """As the protocol says; raises OSError if there is no such program."""
        output = (access.parent / "output").open("ab")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                "run",
                str(access),
                cwd=access.parent,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def kill(self) -> None:
        """As the protocol says."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._process = None

    async def effect(self, access: Path) -> Effect:
        """As the protocol says; nothing yet if it cannot say."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            "report",
            str(access),
            cwd=access.parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), _REPORT_SECONDS)
            return Effect.parse(json.loads(output))
        except (TimeoutError, ValueError):
            return Effect()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
