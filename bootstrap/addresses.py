"""Where the running installation of a data directory is, for commands beside it.

Embedded servers choose their own ports and passwords. `serve` writes them to a file that only its
owner can read, so that `vaxledger tail` and the like need no settings.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.settings import Settings

_NAME = "addresses.json"


class NotServingError(BootstrapError):
    """Nothing serves from this data directory; start it with `vaxledger serve`."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs and credentials of a running installation.

    `superuser_url` is there in an embedded installation only; the demo plays the attacker with it.
    """

    http_url: str
    database_url: str
    keys_url: str
    nats_url: str
    nats_monitor_url: str
    nats_user: str | None = None
    nats_password: str | None = None
    superuser_url: str | None = None

    def save(self, data_dir: Path) -> None:
        """Write the file, whole or not at all, mode 0600."""
        draft = data_dir / f"{_NAME}.{os.getpid()}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file)
        draft.replace(data_dir / _NAME)

    @classmethod
    def load(cls, data_dir: Path) -> "Addresses":
        """Read what the last `serve` wrote.

        Raises:
            NotServingError: there is no such file.
        """
        try:
            return cls(**json.loads((data_dir / _NAME).read_text()))
        except FileNotFoundError as error:
            raise NotServingError(data_dir) from error

    def settings(self, base: Settings) -> Settings:
        """The settings of a process that joins this installation."""
        return base.model_copy(
            update={
                "database_url": self.database_url,
                "keys_url": self.keys_url,
                "nats_url": self.nats_url,
                "nats_monitor_url": self.nats_monitor_url,
                "nats_user": self.nats_user,
                "nats_password": self.nats_password,
            }
        )
