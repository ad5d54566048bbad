"""Which log's server is called, and whose answers count: the options that commands share."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from cli.trusting import OriginOption, TokenOption, TrustOption, load_trust, read_secret
from client.http import Caller, Client
from client.signing import AuthorKey

LOCAL = "http://127.0.0.1:8420"
UrlOption = Annotated[str, typer.Option(help="日志服务网址。The log's server.", metavar="URL")]


@dataclass(frozen=True, slots=True)
class Called:
    """The server of a log, as the options of a command name it."""

    url: UrlOption = LOCAL
    token_file: TokenOption = None
    trust: TrustOption = None
    origin: OriginOption = ""

    def caller(self, key: AuthorKey | None = None) -> Caller:
        """Return who calls it, an author if there is a key.

        Raises:
            TrustError: If nothing says which log to trust.
            OSError: If a file cannot be read.
        """
        token = read_secret(self.token_file)
        return Caller(
            self.url,
            token,
            load_trust(self.trust, self.origin),
            key,
            fresh_token=lambda: read_secret(self.token_file),
        )

    def client(self, key: AuthorKey | None = None) -> Client:
        """Return a client; raises as ``caller``."""
        return Client(self.caller(key))


def calling(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a server, which it takes together as its argument ``log``."""
    own, shared = inspect.signature(command), inspect.signature(Called).parameters

    @wraps(command)
    def called(**given: Any) -> None:
        log = Called(**{name: given.pop(name) for name in shared})
        command(**given, log=log)

    parameters = [one for one in own.parameters.values() if one.name != "log"]
    parameters += [one.replace(kind=one.KEYWORD_ONLY) for one in shared.values()]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    called.__dict__["__signature__"] = own.replace(parameters=parameters)
    return called
