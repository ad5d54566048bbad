"""The key-encryption keys: one file a version, outside all databases, and their rotation.

Each crash point below says what is durable and who goes on; running it again is always right.
"""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.durable import sync_folder
from bootstrap.secrets import keep
from ledger.store.keks import Kek
from ledger.store.rewrapping import Rewrapping, wraps_since

_NAME = re.compile(r"[0-9]{4}")

Progress = Callable[[int, int], None]
"""Called with how many keys are done and how many there were to do."""


class KekFolder:
    """A folder of mode 0700 with a file of mode 0600 for each version: 64 hex digits.

    Args:
        folder: Made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> tuple[Kek, ...]:
        """Read all versions, oldest first; the very first start makes version 1."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = self._numbers() or [1]
        # Made by this process or by another that started at the same moment.
        return tuple(self._read(number) for number in numbers)

    def newest_since(self, keys_url: str) -> datetime:
        """Return since when the newest version wraps keys; before its first, when it was made.

        Raises:
            psycopg.Error: If the keys' database cannot be reached, or was not migrated.
        """
        newest = self.load()[-1]
        made_at = self._path(newest.number).stat().st_mtime
        return wraps_since(keys_url, newest) or datetime.fromtimestamp(made_at, UTC)

    def make(self) -> Kek:
        """Make the next version, durably."""
        return self._read(max(self._numbers(), default=0) + 1)

    def destroy(self, kek: Kek) -> None:
        """Remove a version, durably; nothing that it wrapped opens ever again."""
        self._path(kek.number).unlink(missing_ok=True)
        sync_folder(self._folder)

    def _numbers(self) -> list[int]:
        names = (path.name for path in self._folder.iterdir())
        return sorted(int(name) for name in names if _NAME.fullmatch(name))

    def _read(self, number: int) -> Kek:
        return Kek(number, bytes.fromhex(keep(self._path(number), secrets.token_hex(32))))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:04}"


def rotate(
    folder: KekFolder,
    keys_url: str,
    progress: Progress = lambda _done, _total: None,
    at: Callable[[str], None] = lambda _: None,
) -> tuple[Kek, int]:
    """Make a new version and bring every person's key under it; a killed rotation is finished.

    Args:
        folder: The versions.
        keys_url: Libpq URL of the keys' database.
        progress: Told after each batch.
        at: Called at named points, where tests make it fail.

    Returns:
        The newest version, and how many keys were wrapped anew.

    Raises:
        RewrapRunning: If another process does it now.
        KeyUnreadable: If a key opens under no version; what was done before stays done.
    """
    with Rewrapping(keys_url) as work:
        known = folder.load()
        newest = known[-1]
        begun = len(known) > 1 and (not work.is_known(newest) or work.count_others(newest))
        if not begun:
            # The file is durable, the database knows nothing of it. Died here: the next rotation
            # finds a newest version that wraps nothing and goes on with it.
            newest = folder.make()
            known = (*known, newest)
            at("version made")
        # Died after this: the older versions wrap nothing new; the keys under them still open.
        work.close_others(newest)
        at("others closed")
        total, done = work.count_others(newest), 0
        keks = {kek.name: kek for kek in known}
        while batch := work.rewrap(newest, keks):
            done += batch
            progress(done, total)
            at("batch wrapped")
        return newest, done


def retire(
    folder: KekFolder, keys_url: str, at: Callable[[str], None] = lambda _: None
) -> tuple[Kek, ...]:
    """Destroy every version but the newest, so that old backups of the database open nothing.

    Args:
        folder: The versions.
        keys_url: Libpq URL of the keys' database.
        at: Called at named points, where tests make it fail.

    Returns:
        The versions that were destroyed.

    Raises:
        KekInUse: If one of them still wraps a key, or may; nothing was destroyed.
        RewrapRunning: If another process rotates now.
    """
    with Rewrapping(keys_url) as work:
        older = folder.load()[:-1]
        for kek in older:
            work.check_unused(kek)
        for kek in older:
            # Noted first: died after it, the next run destroys the file all the same.
            work.note_retired(kek)
            at("noted")
            folder.destroy(kek)
            at("destroyed")
        return older
