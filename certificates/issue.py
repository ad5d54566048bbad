"""Making a credential's text: claims, signature, container."""

from certificates.claims import Credential, encode_claims
from certificates.container import encode_container
from certificates.signing import Signer, sign


def issue(credential: Credential, signer: Signer) -> str:
    """Return the text that a person carries, beginning with ``HC1:``.

    Nothing is random: the same credential and key give the same signature.

    Raises:
        ContainerError: If it is larger than a reader accepts.
    """
    return encode_container(sign(encode_claims(credential), signer))
