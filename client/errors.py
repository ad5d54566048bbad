"""What the client refuses: one tree, whose class docstrings are the sentences."""

from ledger.errors import LedgerError


class ClientError(LedgerError):
    """The client refused what it was given or what it received."""


class MessageError(ClientError):
    """This is not a message of the feed."""


class FeedRefusedError(ClientError):
    """The stream must not be written or read in this state."""


class FeedGapError(ClientError):
    """The feed does not continue where it should."""


class CredentialsError(ClientError):
    """This is not a subscriber's credentials file."""


class RememberedError(ClientError):
    """This is not what a subscriber of this log remembers."""


class AuthorKeyError(ClientError):
    """This is not a usable author key."""


class PersonalError(ClientError):
    """This is not an answer about personal values that opens for us."""


class TrustError(ClientError):
    """This does not say which log to trust, or the checkpoint is another's."""


class ReceiptError(ClientError):
    """The receipt does not prove what was submitted."""


class MassCorrectionError(ClientError):
    """This is not the file of a mass correction."""


class DossierError(ClientError):
    """This is not a dossier of the log that is meant."""


class StateError(ClientError):
    """This is not the state of an interrupted verification, or of another one."""


class UnavailableError(ClientError):
    """The server did not answer usefully within the retries; a write may or may not stand."""


class ProblemError(ClientError):
    """The server refused the request.

    Attributes:
        status: HTTP status code.
        problem: The RFC 9457 document as it came, empty if there was none.
    """

    def __init__(self, status: int, problem: dict[str, object]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(
            str(problem.get("title") or ""), status=status, type=problem.get("type", "about:blank")
        )


class RefutedError(ClientError):
    """The log does not hold.

    Attributes:
        step: Number of the verification step that failed.
        position: First position that is wrong, or None where the error concerns no entry.
        reason: What is wrong, as a short stable slug.
    """

    def __init__(self, step: int, position: int | None, reason: str, **facts: object) -> None:
        self.step = step
        self.position = position
        self.reason = reason
        where = "the log as a whole" if position is None else f"position {position}"
        super().__init__(f"Step {step}, {where}: {reason}.", **facts)
