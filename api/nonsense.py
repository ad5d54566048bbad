"""How often an account may send what cannot be read: refusing it takes longer than reading good."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from api.errors import AskedTooOften, MalformedJson, NestedTooDeep
from api.limiting import Limiter
from commands.errors import MalformedStatement
from commands.principal import Principal


@contextmanager
def bounded(limiter: Limiter, caller: Principal) -> Iterator[None]:
    """Count what turns out to be nonsense; once there was too much of it, read nothing.

    Raises:
        AskedTooOften: There was.
    """
    limiter.check(caller.subject)
    try:
        yield
    except (MalformedJson, NestedTooDeep, MalformedStatement):
        with suppress(AskedTooOften):  # the next will be told
            limiter.take(caller.subject)
        raise
