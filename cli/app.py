"""All commands of `vaxledger`, each in a module of its own that is read when it is wanted.

All of them together take a second to import, which every start of an installation would pay twice.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS: Mapping[str, str] = {
    "demo": "cli.demo.command:demo",
    "serve": "cli.serving:serve",
    "migrate": "cli.migrating:migrate",
    "api": "cli.serving:api",
    "worker": "cli.serving:worker",
    "tail": "cli.tail:tail",
    "conformance": "cli.conformance.command:conformance",
    "verify": "cli.verify:verify",
    "fsck": "cli.fsck:fsck",
    "init": "cli.init:init",
    "backup": "cli.backup:app",
    "restore": "cli.backup:put_back",
    "doctor": "cli.doctor:doctor",
    "token": "cli.token:token",
    "access": "cli.access:app",
    "certificate": "cli.certificate:app",
    "duplicates": "cli.duplicates:duplicates",
    "class-list": "cli.class_list:class_list",
    "evaluate": "cli.evaluate:app",
    "import": "cli.importing:import_",
    "correction": "cli.correction:app",
    "feed": "cli.feed:app",
    "kek": "cli.kek:app",
    "key": "cli.key:app",
    "log": "cli.log:app",
    "lot": "cli.lot:lot",
    "quality": "cli.quality:quality",
    "notices": "cli.notices:app",
    "projections": "cli.projections:app",
    "record": "cli.record:app",
    "replay": "cli.replay:replay",
    "schedules": "cli.schedules:app",
    "shred": "cli.shred:app",
    "simulate": "cli.simulate:simulate",
    "subscriber": "cli.subscriber:app",
    "witness": "cli.witness:app",
}
"""Where each stands: a function, or a `Typer` with commands of its own."""


class Commands(TyperGroup):
    """The commands by name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return all names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None if there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), attribute)
        mounted = typer.Typer(add_completion=False, callback=vaxledger)
        if isinstance(found, typer.Typer):
            mounted.add_typer(found, name=cmd_name)
        else:
            mounted.command(cmd_name)(found)
        group = typer.main.get_command(mounted)
        assert isinstance(group, TyperGroup)  # it has a callback
        return group.commands[cmd_name]


def vaxledger() -> None:
    """预防接种记录完整性账本 · a tamper-evident ledger of vaccination records."""


app = typer.Typer(
    name="vaxledger",
    cls=Commands,
    callback=vaxledger,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
