"""Who calls: the bearer token of a request, verified once."""

from typing import Annotated

from fastapi import Depends, Request

from api.parts import serving_of
from bootstrap.tokens import TokenRefusedError
from commands.principal import Principal


def caller_of(request: Request) -> Principal:
    """The caller of a request.

    Raises:
        TokenRefusedError: no single `Authorization: Bearer` header, or its token does not hold.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) != 1:
        raise TokenRefusedError
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenRefusedError
    return serving_of(request).parts.tokens.principal(token.strip())


Caller = Annotated[Principal, Depends(caller_of)]
