"""What the ledger refuses: one tree, whose class docstrings are the sentences."""


class LedgerError(Exception):
    """The ledger refused its input.

    The sentence is the first line of the class docstring unless a closer one is given where the
    error is raised; the facts travel as keyword fields.

    Attributes:
        message: The sentence, without the facts.
        fields: The facts by name, such as ``size=8``.
    """

    def __init__(self, message: str = "", **fields: object) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.fields = fields
        super().__init__(self.message)

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{self.message} ({facts})" if facts else self.message


class EntryError(LedgerError):
    """This is not a canonical entry."""


class TooDeepError(EntryError):
    """JSON is nested too deeply."""


class PolicyError(LedgerError):
    """This is not a usable trust policy."""


class KeyMaterialError(LedgerError):
    """This is not an acceptable key."""


class SealError(LedgerError):
    """The sealed value does not open."""


class ErasedError(SealError):
    """The key of this person was destroyed; the value cannot be opened any more."""


class VerificationError(LedgerError):
    """The evidence does not hold."""


class NoteError(VerificationError):
    """This is not a well-formed or a trusted signed note."""


class ProofError(VerificationError):
    """The proof does not hold."""


class TileError(VerificationError):
    """This is not a tile or bundle of the tree."""


class StatementError(VerificationError):
    """The signed statement is malformed, or the entry is not what it says.

    Field ``pointer`` names the first member that is wrong, as a JSON pointer.
    """


class EnvelopeError(VerificationError):
    """The author's envelope does not hold."""


class NotWitnessedError(VerificationError):
    """Included, not yet witnessed: the log signed it, too few witnesses have."""
