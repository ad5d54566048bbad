"""The trust policy of the installation: which witnesses are asked, and how many are needed."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import structlog

from bootstrap.durable import write_whole
from bootstrap.errors import BootstrapError
from bootstrap.settings import Settings
from ledger.errors import LedgerError
from ledger.policy import Log, Policy
from ledger.signature import VerifierKey

POLICY_NAME = "policy"
"""In the data directory: what our own witness writes, and commands on this machine trust."""

_PUBLIC = 0o644
_log = structlog.get_logger("policy")


class PolicyUnusableError(BootstrapError):
    """The trust policy cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__()
        self.path = path
        self.reason = reason


class PolicyFile:
    """A policy file, read again whenever it has changed.

    Args:
        settings: They name the file; where they do not, it is that of our own witness, which may
            come later or never.

    Raises:
        PolicyUnusableError: If a file that was named cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._path = settings.policy or settings.data_dir / POLICY_NAME
        self._version: tuple[int, int] | None = None
        self._policy = Policy()
        if settings.policy is None:
            self.current()
            return
        try:
            self._read()
        except (OSError, LedgerError) as error:
            raise PolicyUnusableError(self._path, str(error)) from error

    def current(self) -> Policy:
        """Return the policy as the file has it; a file that cannot be read changes nothing."""
        try:
            self._read()
        except FileNotFoundError:
            pass  # our own witness has not made it yet
        except (OSError, LedgerError) as error:
            _log.error("policy-not-read", path=self._path, reason=str(error))
        return self._policy

    def _read(self) -> None:
        found = self._path.stat()
        version = (found.st_mtime_ns, found.st_ino)
        if version != self._version:
            self._version = version  # also of one that is malformed: that is said once
            self._policy = Policy.parse(self._path.read_bytes())


def keep_log_keys(data_dir: Path, origin: str, keys: Iterable[VerifierKey]) -> None:
    """Bring the policy of our own witness up to date with the keys that sign now, if there is one.

    Whole or not at all; where the policy cannot be read, its witness writes it at its next start.
    """
    path = data_dir / POLICY_NAME
    try:
        policy = Policy.parse(path.read_bytes())
    except (FileNotFoundError, LedgerError):
        return
    changed = with_log_keys(policy, origin, keys)
    if changed != policy:
        write_whole(path, changed.encode().decode(), _PUBLIC)


def with_log_keys(policy: Policy, origin: str, keys: Iterable[VerifierKey]) -> Policy:
    """Return a policy whose keys of one log are those that sign it now.

    Raises:
        PolicyError: If a witness has one of them.
    """
    urls = {log.key.public: log.url for log in policy.logs}
    others = [log for log in policy.logs if log.key.name != origin]
    own = [Log(key, urls.get(key.public)) for key in keys]
    return replace(policy, logs=(*own, *others))
