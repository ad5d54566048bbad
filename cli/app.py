"""All commands of `vaxledger`, each in a module of its own."""

import typer

from cli import (
    access,
    evaluate,
    feed,
    kek,
    key,
    log,
    projections,
    schedules,
    serving,
    shred,
    subscriber,
    witness,
)
from cli.conformance.command import conformance
from cli.demo.command import demo
from cli.fsck import fsck
from cli.tail import tail
from cli.token import token
from cli.verify import verify

app = typer.Typer(
    name="vaxledger",
    help="预防接种记录完整性账本 · a tamper-evident ledger of vaccination records",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.command("demo")(demo)
app.command("serve")(serving.serve)
app.command("migrate")(serving.migrate)
app.command("api")(serving.api)
app.command("worker")(serving.worker)
app.command("tail")(tail)
app.command("conformance")(conformance)
app.command("verify")(verify)
app.command("fsck")(fsck)
app.command("token")(token)
app.add_typer(access.app, name="access")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(feed.app, name="feed")
app.add_typer(kek.app, name="kek")
app.add_typer(key.app, name="key")
app.add_typer(log.app, name="log")
app.add_typer(projections.app, name="projections")
app.add_typer(schedules.app, name="schedules")
app.add_typer(shred.app, name="shred")
app.add_typer(subscriber.app, name="subscriber")
app.add_typer(witness.app, name="witness")
