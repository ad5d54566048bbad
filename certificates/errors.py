"""What this package refuses: one tree, whose class docstrings are the sentences.

No error repeats what a credential says of a person: texts reach logs.
"""


class CertificateError(Exception):
    """The credential, list or key was refused.

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


class CborError(CertificateError):
    """This is not CBOR in its deterministic form."""


class Base45Error(CertificateError):
    """This is not Base45 text."""


class ContainerError(CertificateError):
    """This is not the text of a credential."""


class ClaimsError(CertificateError):
    """These are not the claims of a credential."""


class KeyRefused(CertificateError):
    """This is not an acceptable key."""


class SignatureRefused(CertificateError):
    """The signature does not hold."""


class UnknownIssuer(CertificateError):
    """No key that the trust list names may sign this."""


class TrustListError(CertificateError):
    """This is not a usable trust list."""


class StatusListError(CertificateError):
    """This is not a usable status list."""


class CodeTooLarge(CertificateError):
    """The credential does not fit one scannable code."""
