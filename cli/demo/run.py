"""Running the demo: start the installation, play the steps, keep serving or stop."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from bootstrap import garbage
from bootstrap.log_keys import installation_secrets
from bootstrap.policy import POLICY_NAME
from bootstrap.settings import Settings
from cli.demo.actors import Place
from cli.demo.auditing import Audit
from cli.demo.closing import print_next, print_witness
from cli.demo.evidence import Evidence
from cli.demo.school_year import SchoolYear
from cli.demo.server import DemoServer, ServerEnded, free_port
from cli.demo.stage import Stage, StepFailed
from client.trust import Trust
from examples.kaifeng.dataset import Dataset
from ledger.treehead import Checkpoint

DONE, FAILED, INTERRUPTED = 0, 1, 130
_WIDTH_WITHOUT_TERMINAL = 160


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for.

    Attributes:
        data_dir: Directory of the demo's own.
        port: Of the HTTP interface; another one is taken if it is not free. None as configured.
        keep: Whether to go on with what the last demo has written.
        as_json: Whether a machine reads standard output.
    """

    data_dir: Path
    port: int | None
    keep: bool
    as_json: bool


def run(options: Options) -> int:
    """Run the demo and return its exit code; the servers are stopped in every case."""
    garbage.settle()
    console = _console(options)
    stage = Stage(console)
    server = DemoServer(_settings(options))
    demo = _Demo(stage, server, options)
    try:
        status = asyncio.run(demo.play())
    except StepFailed as failed:
        console.print(
            f"[bold red]演示失败 The demo failed[/bold red] ({failed.step}): "
            f"{escape(failed.reason)}",
            soft_wrap=True,
        )
        _print_summary(options, stage, {"ok": False, "failed": failed.step, "why": failed.reason})
        status = FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        status = DONE if demo.checkpoint is not None else INTERRUPTED
    finally:
        server.stop()
    return status


class _Demo:
    """One run.

    Args:
        stage: Shows each step.
        server: The installation.
        options: What was asked for.
    """

    def __init__(self, stage: Stage, server: DemoServer, options: Options) -> None:
        self.checkpoint: Checkpoint | None = None
        self._stage = stage
        self._server = server
        self._options = options

    async def play(self) -> int:
        """Play all steps; in a terminal, keep serving then until Ctrl-C."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        with self._stage.step("start", "启动服务器", "servers, migrations, API, workers"):
            self._server.make_directory(keep=self._options.keep)
            await self._server.start()
        await self._while_serving(self._steps())
        if not self._options.as_json and sys.stdin.isatty() and sys.stdout.isatty():
            await self._server.watch()
        return DONE

    async def _while_serving(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work; the end of the installation is the failure of the step that runs."""
        working = asyncio.create_task(work)
        watching = asyncio.create_task(self._server.watch())
        try:
            await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await watching
            await working
        except ServerEnded as ended:
            raise StepFailed(self._stage.outcomes[-1].slug, str(ended)) from ended
        finally:
            for one in (working, watching):
                one.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _steps(self) -> None:
        settings, dataset = self._server.settings, Dataset()
        kept = installation_secrets(settings)
        trust = Trust.load(settings.data_dir / POLICY_NAME)
        addresses = self._server.addresses
        place = Place(addresses.http_url, trust, kept)
        if not self._options.keep:
            await SchoolYear(self._stage, place, dataset).write()
            self._server.note_finished()
        audit = Audit(place, settings.data_dir, settings)
        evidence = Evidence(self._stage, place, addresses, dataset)
        judgement = await evidence.show(audit)
        self.checkpoint = judgement.checkpoint
        print_witness(self._stage.console, judgement, audit.trust_file)
        print_next(self._stage, place, audit, settings.data_dir)
        facts = {
            "ok": True,
            "url": place.base_url,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "witnessed": judgement.witnessed,
        }
        _print_summary(self._options, self._stage, facts)


def _settings(options: Options) -> Settings:
    """Embedded servers, whatever the environment names: the demo attacks them; its own county."""
    settings = Settings.load(data_dir=options.data_dir, port=options.port)
    return settings.model_copy(
        update={
            "database_url": None,
            "keys_url": None,
            "nats_url": None,
            "nats_monitor_url": None,
            "nats_user": None,
            "nats_password": None,
            "policy": None,
            "booking_rules": "kaifeng-demo",
            "port": free_port(settings.host, settings.port),
        }
    )


def _console(options: Options) -> Console:
    console = Console(stderr=options.as_json)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def _print_summary(options: Options, stage: Stage, facts: dict[str, Any]) -> None:
    if not options.as_json:
        return
    steps = [outcome.describe() for outcome in stage.outcomes]
    summary = facts | {"seconds": round(stage.seconds, 3), "steps": steps}
    sys.stdout.write(json.dumps(summary, ensure_ascii=False) + "\n")
    sys.stdout.flush()
