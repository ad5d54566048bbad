"""Why a log cannot be recovered like this."""

from ledger.store.errors import StoreError


class RecoveryRefused(StoreError):
    """The log cannot be recovered like this."""


class PartsRunning(RecoveryRefused):
    """Something works on this log; stop it first."""


class NothingSigned(RecoveryRefused):
    """No checkpoint of this log is known; say with `--checkpoint` what was signed last."""


class TailMissing(RecoveryRefused):
    """No copy has this entry, which was signed.

    Attributes:
        position: The first one that is missing.
        signed: Entries that were signed.
    """

    def __init__(self, position: int, signed: int) -> None:
        self.position, self.signed = position, signed
        super().__init__(position=position, signed=signed)


class CopiesDiffer(RecoveryRefused):
    """What the copies have is not what was signed.

    Attributes:
        size: Size of the tree, or position of the entry, at which that shows.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(size=size)


class SuccessionNotNeeded(RecoveryRefused):
    """Nothing that was signed is lost, or copies have all of it: the old origin can go on."""


class OriginUnusable(RecoveryRefused):
    """A log goes on under a name of its own, such as a URL without scheme, that it has not had."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__(origin=origin)


class OtherOrigin(RecoveryRefused):
    """The log in this database has another name: set `VAXLEDGER_ORIGIN` to it, and start again.

    Attributes:
        origin: The name that its newest entry stands under.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__(origin=origin)
