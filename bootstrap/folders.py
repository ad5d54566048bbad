"""Where an installation keeps what must not lie in its databases."""

from pathlib import Path

from bootstrap.keks import KekFolder
from bootstrap.settings import Settings

OUTSIDE = "outside"
"""In the data directory: the newest checkpoint and the shred list, outside both databases."""


def secrets_folder(settings: Settings) -> Path:
    """Where the installation's secrets lie."""
    return settings.data_dir / "secrets"


def outside_path(settings: Settings) -> Path:
    """The file outside the databases that holds the newest checkpoint."""
    return settings.data_dir / OUTSIDE / "checkpoint"


def kek_folder(settings: Settings) -> KekFolder:
    """Where the versions of the key-encryption key lie."""
    return KekFolder(secrets_folder(settings) / "kek")


def spool_folder(settings: Settings) -> Path:
    """Where notices lie that no provider takes, until somebody fetches them."""
    return settings.data_dir / "notices"


def ready_mark(data_dir: Path, worker: str) -> Path:
    """The empty file that a worker makes when it is ready, and its supervisor removes before."""
    return data_dir / f"{worker}.ready"


def founding_mark(settings: Settings) -> Path:
    """Stands from the first step of `vaxledger init` to its last, with the plan's digest."""
    return settings.data_dir / "founding"
