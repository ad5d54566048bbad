"""A witness on disk: its name, its keys, what it cosigned, and the logs that it watches.

    name            one line, a URL without scheme
    ed25519.seed    32 bytes in hex, mode 0600; so is
    mldsa44.seed
    witness.vkey    the public keys, for other people's policies
    state.sqlite3   what it cosigned last of each log
    logs            `log <vkey>` lines of tlog-policy, edited by whoever runs the witness

The state must never be older than a cosignature that was given: whoever restores the folder from a
backup has made a witness that may cosign a fork. So a lost state ends the witness, and
``WitnessFolder.create`` makes another one.
"""

import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bootstrap.durable import sync_folder, write_whole
from bootstrap.errors import BootstrapError
from ledger.errors import LedgerError, PolicyError
from ledger.policy import Log, Policy
from ledger.signature import VerifierKey
from ledger.store.witness_state import WitnessState
from ledger.witness import Cosigner

LOGS = "logs"
PUBLIC_KEYS = "witness.vkey"

_NAME, _STATE = "name", "state.sqlite3"
_ED25519, _MLDSA44 = "ed25519.seed", "mldsa44.seed"
_SEED_BYTES = 32
_MAX_NAME_BYTES = 255


class WitnessExistsError(BootstrapError):
    """There is something in this folder already; a witness is made in a new one."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


class WitnessUnusableError(BootstrapError):
    """This folder holds no usable witness; make a new one with `vaxledger witness init`."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__()
        self.folder = folder
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WitnessFolder:
    """An opened witness.

    Attributes:
        path: The folder.
        cosigner: Its name and keys.
        state: What it cosigned.
    """

    path: Path
    cosigner: Cosigner
    state: WitnessState

    @classmethod
    def create(cls, path: Path, name: str) -> None:
        """Make a new witness, whole or not at all.

        Args:
            path: The folder, which must be missing or empty.
            name: Name of the witness in notes: a URL without scheme, at most 255 bytes.

        Raises:
            WitnessExistsError: If something is there.
            WitnessUnusableError: If the name cannot stand in a note.
            OSError: If the folder cannot be written.
        """
        path = path.absolute()
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        seeds = {
            _ED25519: secrets.token_bytes(_SEED_BYTES),
            _MLDSA44: secrets.token_bytes(_SEED_BYTES),
        }
        try:
            cosigner = Cosigner(name, *seeds.values())
        except LedgerError as error:
            raise WitnessUnusableError(path, error.message) from error
        if len(name.encode()) > _MAX_NAME_BYTES:
            raise WitnessUnusableError(path, "a name has at most 255 bytes")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        try:
            for file, seed in seeds.items():
                write_lines(draft / file, seed.hex(), mode=0o600)
            write_lines(draft / _NAME, name)
            write_lines(draft / PUBLIC_KEYS, *(key.text() for key in cosigner.verifier_keys()))
            write_lines(draft / LOGS, "# log <vkey>")
            WitnessState.create(draft / _STATE)
            sync_folder(draft)
            draft.rename(path)  # refused where something is
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if path.exists():
                raise WitnessExistsError(path) from error
            raise
        sync_folder(path.parent)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a witness; its state must be there.

        Raises:
            WitnessUnusableError: If a part is missing or damaged.
        """
        try:
            name = (path / _NAME).read_text(encoding="utf-8").strip()
            seeds = [bytes.fromhex((path / file).read_text()) for file in (_ED25519, _MLDSA44)]
            cosigner = Cosigner(name, *seeds)
            return cls(path, cosigner, WitnessState(path / _STATE))
        except (OSError, ValueError, LedgerError) as error:
            raise WitnessUnusableError(path, str(error)) from error

    def watch(self, keys: Iterable[VerifierKey]) -> None:
        """Replace the list of logs."""
        write_lines(self.path / LOGS, *(f"log {key.text()}" for key in keys))


class LogList:
    """The keys of the logs that a witness watches, read again whenever the file has changed.

    Args:
        path: The file.

    Raises:
        WitnessUnusableError: If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = (0, 0)
        self._keys: tuple[VerifierKey, ...] = ()
        self.keys()

    def keys(self) -> tuple[VerifierKey, ...]:
        """Return the keys as the file has them now; raises as the class does."""
        try:
            found = self._path.stat()
            version = (found.st_mtime_ns, found.st_ino)
            if version != self._version:
                self._keys = tuple(log.key for log in read_logs(self._path.read_bytes()))
                self._version = version
        except (OSError, LedgerError, ValueError) as error:
            raise WitnessUnusableError(self._path, str(error)) from error
        return self._keys


def read_logs(raw: bytes) -> tuple[Log, ...]:
    """Read a list of logs: a policy, its `log` lines alone, or verifier keys, one a line.

    Raises:
        LedgerError: If it is neither.
        ValueError: If a log's name is too long to be cosigned.
    """
    start = raw.lstrip()
    if not start or start.startswith((b"#", b"log ", b"log\t")):
        logs = _parse_policy(raw).logs
    else:
        logs = tuple(Log(VerifierKey.parse(line)) for line in raw.decode("utf-8").split())
    if any(len(log.key.name.encode()) > _MAX_NAME_BYTES for log in logs):
        raise ValueError("the name of a log has at most 255 bytes")
    return logs


def _parse_policy(raw: bytes) -> Policy:
    try:
        return Policy.parse(raw)
    except PolicyError:
        return Policy.parse(raw + b"quorum none\n")  # what a list of logs lacks


def write_lines(path: Path, *lines: str, mode: int = 0o644) -> None:
    """Replace a text file, public if nothing else is said: readers see the old or the new one."""
    write_whole(path, "".join(f"{line}\n" for line in lines), mode)
