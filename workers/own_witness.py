"""The installation's own witness: one for the start, with keys, state and a process of its own.

It runs on the same machine as the log, so it guards against accidents and against whoever has the
database alone, not against the operator. Regulators run theirs elsewhere, and a policy that names
those takes its place (`VAXLEDGER_POLICY`).
"""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from bootstrap.policy import POLICY_NAME
from bootstrap.settings import Settings
from bootstrap.witness import WitnessFolder, WitnessUnusableError, read_logs, write_lines
from client.sources import TRUST_FILE
from ledger.policy import Group, Policy, Witness
from workers.witness import run

FOLDER = "witness"

_HOST = "127.0.0.1"
_PORT = "port"
_NAMES = ("own-ed25519", "own-mldsa44")
_GROUP = "own"

_log = structlog.get_logger("witness")


def serve_own(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Serve the witness of an installation, made at its first start, until told to stop.

    A witness whose folder was damaged signs nothing more, and the rest of the house goes on: it is
    missed in `/readyz`, and a person decides.

    Crash points: the witness is made whole or not at all; the policy that names its address is
    written after it listens there, and whoever reads an older one asks in vain until then.

    Args:
        settings: Of the installation; its log's keys lie in the data directory already.
        stop: Set by whoever wants an end.
        ready: Called when it listens and the policy says where.
    """
    path = settings.data_dir / FOLDER
    if not path.exists():
        WitnessFolder.create(path, f"{settings.origin}/witness")
    try:
        folder = WitnessFolder.open(path)
    except WitnessUnusableError as error:
        _log.critical("witness-unusable", path=path, reason=error.reason)
        ready()
        stop.wait()
        return
    with _listen(path / _PORT) as listener:
        url = f"http://{_HOST}:{listener.getsockname()[1]}"
        _write_policy(settings.data_dir, folder, url)
        _log.info("witness-ready", name=folder.cosigner.name, url=url)
        run(folder, listener, stop, settings.data_dir / TRUST_FILE, ready)


def _listen(kept: Path) -> socket.socket:
    """Listen where the last run did, else on any free port, which is kept for the next one."""
    try:
        return socket.create_server((_HOST, int(kept.read_text())))
    except (OSError, ValueError, OverflowError):
        listener = socket.create_server((_HOST, 0))
        write_lines(kept, str(listener.getsockname()[1]))
        return listener


def _write_policy(data_dir: Path, folder: WitnessFolder, url: str) -> None:
    keys = folder.cosigner.verifier_keys()
    policy = Policy(
        logs=read_logs((data_dir / TRUST_FILE).read_bytes()),
        witnesses=tuple(Witness(name, key, url) for name, key in zip(_NAMES, keys, strict=True)),
        groups=(Group(_GROUP, len(_NAMES), _NAMES),),
        quorum=_GROUP,
    )
    write_lines(data_dir / POLICY_NAME, *policy.encode().decode().splitlines())
