"""`vaxledger log`: the signed log itself, for its operator and for whoever keeps a copy."""

import typer

from cli import log_keys
from cli.export import export
from cli.recover import recover_log
from cli.resume import resume_log

app = typer.Typer(
    name="log",
    help="签名日志：导出与维护。The signed log: copies and upkeep.",
    no_args_is_help=True,
)
app.command("export")(export)
app.command("recover")(recover_log)
app.command("resume")(resume_log)
app.command("rotate-key")(log_keys.rotate_key)
app.command("retire-key")(log_keys.retire_key)
app.command("follow-keys")(log_keys.follow)


@app.callback()
def log() -> None:
    """签名日志：导出与维护。The signed log: copies and upkeep."""
