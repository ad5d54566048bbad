"""Backups: the log and the persons' keys apart, each a folder that says what must be in it.

The log's folder opens nothing personal: sealed values stay sealed. The keys' folder opens nothing
either without the key-encryption key, which is a secret of its own and goes to a third folder, if
at all. Read models are in neither: they are made anew from the log, and the one with names in clear
would outlive a shred. A restore never puts anything back behind what this machine remembers: the
checkpoint and the shred list outside the databases stay where they are newer.

Order: the file outside first, then the log, then the keys, then the shred list. So the log's dump
reaches at least as far as the checkpoint beside it, every entry's keys are in the keys' dump, and
whatever was destroyed meanwhile is in the list.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any, Self

from bootstrap.durable import sync_folder, write_whole
from bootstrap.embedded.binaries import postgres_programs
from bootstrap.errors import BootstrapError, ProgramMissingError
from bootstrap.folders import OUTSIDE, secrets_folder
from bootstrap.migrate import migrate_all, migrations_of
from bootstrap.settings import Settings
from ledger.store.restoring import clear, entries_in, keys_in

MANIFEST = "manifest.json"
LOG, KEYS, SECRETS = "log", "keys", "secrets"
_DUMP = "database.dump"
_FORMAT = 1
_SCHEMAS = {LOG: ("ledger",), KEYS: ("keys", "access")}
"""What cannot be made anew, of either database."""
_MODE = 0o700


class BackupError(BootstrapError):
    """The backup was not made, does not hold, or cannot be put back."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__()
        self.reason = reason
        for name, value in facts.items():
            setattr(self, name, value)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of a backup says of itself.

    Attributes:
        part: `log`, `keys` or `secrets`.
        origin: Name of the log.
        at: When the backup began, ISO 8601.
        backup: The same in all folders of one backup: the moment and the log's size.
        size: Entries that the log had before it was dumped; the dump may have more.
        migrations: Those that the databases had, such as `log/0001_ledger.sql`.
        files: SHA-256 in hex by path within the folder.
    """

    part: str
    origin: str
    at: str
    backup: str
    size: int
    migrations: tuple[str, ...]
    files: Mapping[str, str]
    format: int = _FORMAT

    @classmethod
    def load(cls, folder: Path, part: str) -> Self:
        """Read a folder's manifest.

        Raises:
            BackupError: There is none, or it is of another part or format.
        """
        try:
            given: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
            made = cls(**given | {"migrations": tuple(given["migrations"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BackupError("no manifest", folder=folder) from error
        if (made.part, made.format) != (part, _FORMAT):
            raise BackupError("another part or format", folder=folder, part=made.part)
        return made

    def check(self, folder: Path) -> None:
        """Compare every file with its digest.

        Raises:
            BackupError: A file is missing, more or altered.
        """
        found = _digests(folder)
        if found != dict(self.files):
            differing = {name for name, _ in found.items() ^ self.files.items()}
            raise BackupError("files differ", folder=folder, files=sorted(differing))


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the parts of a backup lie, apart from each other.

    Raises:
        BackupError: One lies within another.
    """

    log: Path
    keys: Path
    secrets: Path | None = None

    def __post_init__(self) -> None:
        """Refuse folders that are not apart."""
        given = [one.absolute() for one in (self.log, self.keys, self.secrets) if one is not None]
        for one in given:
            if any(other is not one and other.is_relative_to(one) for other in given):
                raise BackupError("the folders are not apart", folder=one)


def back_up(settings: Settings, folders: Folders, now: datetime) -> Manifest:
    """Write a backup of a running installation; return the log's manifest.

    Crash points: a folder without a manifest is no backup, and the manifest is written last.

    Raises:
        BackupError: A folder is not empty, or a database could not be dumped.
    """
    assert settings.database_url is not None
    assert settings.keys_url is not None
    for folder in (folders.log, folders.keys, folders.secrets):
        if folder is not None:
            _make_empty(folder)
    _copy(settings.data_dir / OUTSIDE, folders.log / OUTSIDE)
    applied = migrations_of(settings.database_url, settings.keys_url)
    size = entries_in(settings.database_url)
    _dump(settings.database_url, folders.log, _SCHEMAS[LOG])
    _dump(settings.keys_url, folders.keys, _SCHEMAS[KEYS])
    _copy(settings.data_dir / OUTSIDE / "shred-list", folders.log / OUTSIDE / "shred-list")
    at = now.isoformat(timespec="seconds")
    backup = f"{at} {size}"

    def seal(folder: Path, part: str) -> Manifest:
        made = Manifest(part, settings.origin, at, backup, size, applied, _digests(folder))
        write_whole(folder / MANIFEST, json.dumps(asdict(made), indent=1))
        return made

    if folders.secrets is not None:
        _copy(secrets_folder(settings), folders.secrets / SECRETS)
        seal(folders.secrets, SECRETS)
    seal(folders.keys, KEYS)
    return seal(folders.log, LOG)


def verify(folders: Folders) -> dict[str, Manifest]:
    """Check every file of a backup and read its dumps to their end.

    Raises:
        BackupError: A part does not hold, or belongs to another backup.
    """
    parts = {LOG: folders.log, KEYS: folders.keys}
    if folders.secrets is not None:
        parts[SECRETS] = folders.secrets
    found = {part: Manifest.load(folder, part) for part, folder in parts.items()}
    for part, manifest in found.items():
        manifest.check(parts[part])
        if manifest.backup != found[LOG].backup:
            raise BackupError("parts of two backups", folder=parts[part])
        if part != SECRETS:
            _run("pg_restore", "--file=/dev/null", str(parts[part] / _DUMP))
    return found


def restore(settings: Settings, folders: Folders) -> int:
    """Put a backup into two databases without entries and keys; return the log's entries then.

    Whether that is all of the log is for the next start to say: the checkpoint that this machine
    has outside the databases stays if there is one, and a log that lies behind it is refused.

    Crash points: each dump is put back in one transaction. What was interrupted between the two
    begins again with empty databases: those that have something are refused.

    Raises:
        BackupError: The backup does not hold, a database is not empty, or other secrets are here.
    """
    assert settings.database_url is not None
    assert settings.keys_url is not None
    found = verify(folders)
    if found[LOG].origin != settings.origin:
        raise BackupError("another log's", origin=found[LOG].origin)
    urls = {LOG: settings.database_url, KEYS: settings.keys_url}
    if entries_in(urls[LOG]) or keys_in(urls[KEYS]):
        raise BackupError("the databases are not empty")
    if folders.secrets is not None:
        _put_secrets_back(folders.secrets / SECRETS, secrets_folder(settings))
    _migrate(settings, found[LOG].migrations)
    for part, url in urls.items():
        clear(url, _SCHEMAS[part])
        dump = (folders.log if part == LOG else folders.keys) / _DUMP
        whole = ("--data-only", "--exit-on-error", "--single-transaction")
        _run("pg_restore", *whole, f"--dbname={url}", str(dump))
    _copy_missing(folders.log / OUTSIDE, settings.data_dir / OUTSIDE)
    return entries_in(settings.database_url)


def _migrate(settings: Settings, names: tuple[str, ...]) -> None:
    """Bring the databases to where those were that were backed up."""
    assert settings.database_url is not None
    assert settings.keys_url is not None
    migrate_all(settings.database_url, settings.keys_url, names)
    applied = migrations_of(settings.database_url, settings.keys_url)
    if set(applied) != set(names):
        differing = sorted(set(applied) ^ set(names))
        raise BackupError("made by another version", migrations=differing)


def _put_secrets_back(kept: Path, folder: Path) -> None:
    """Copy secrets where there are none; those that are here must be the same."""
    if folder.exists():
        ours = _digests(folder)
        if any(ours.get(name, digest) != digest for name, digest in _digests(kept).items()):
            raise BackupError("other secrets are here", folder=folder)
    _copy_missing(kept, folder)


def _dump(url: str, folder: Path, schemas: Sequence[str]) -> None:
    target = folder / _DUMP
    chosen = [f"--schema={schema}" for schema in schemas]
    what = ("--data-only", "--format=custom", f"--file={target}", *chosen)
    _run("pg_dump", *what, f"--dbname={url}")
    target.chmod(0o600)


def _run(program: str, *words: str) -> None:
    done = subprocess.run(  # noqa: S603  the words are ours
        [_program(program), *words], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise BackupError("a program of PostgreSQL failed", program=program, said=last)


def _program(name: str) -> str:
    """A client program: of the embedded PostgreSQL, else the machine's."""
    try:
        return str(postgres_programs(None) / name)
    except ProgramMissingError:
        found = shutil.which(name)
        if found is None:
            raise ProgramMissingError(name, "postgresql-client") from None
        return found


def _make_empty(folder: Path) -> None:
    folder.mkdir(mode=_MODE, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError("the folder is not empty", folder=folder)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder, each file as it stands at one moment; nothing where there is none."""
    if source.is_dir():
        passing = shutil.ignore_patterns("*.lock", ".*", "*.new")
        shutil.copytree(source, target, ignore=passing, dirs_exist_ok=True)
    elif source.exists():
        target.parent.mkdir(mode=_MODE, exist_ok=True)
        shutil.copy2(source, target)


def _copy_missing(source: Path, target: Path) -> None:
    """Copy what is not there yet: what this machine remembers is never replaced by older."""
    target.mkdir(mode=_MODE, parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        there = target / path.relative_to(source)
        if path.is_dir():
            there.mkdir(mode=_MODE, exist_ok=True)
        elif not there.exists():
            shutil.copy2(path, there)
    sync_folder(target)


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            with path.open("rb") as file:
                found[str(path.relative_to(folder))] = file_digest(file, "sha256").hexdigest()
    return found
