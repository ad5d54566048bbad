"""Files that are the old one or the new one, whoever reads and whatever is killed meanwhile."""

import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write or replace a file, so that it survives a power cut. Raises OSError.

    Args:
        path: The file; its folder exists.
        text: What stands in it then.
        mode: Who may read it, before the umask; only its owner if nothing is said.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_draft(draft, text, mode)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_draft(draft: Path, text: str, mode: int = 0o600) -> None:
    """Write a new file to the disk; its name there is not durable yet. Raises OSError."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Let what was made, renamed or removed in a folder survive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
