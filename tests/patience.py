"""What production and libraries bound by seconds may take a minute here.

There somebody waits for an answer, even if it is "not now"; here a slow machine is no failure. The
processes that tests start keep the bounds of production.
"""

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from client import feed
from ledger.store import connections
from ledger.store.writer import Writer

SECONDS = 60


def be_patient() -> None:
    """Widen every bound in this process, before anything is opened."""
    connections.CHECKOUT_SECONDS = float(SECONDS)
    connections._KEEPALIVE["connect_timeout"] = SECONDS
    Writer.__init__.__kwdefaults__["patience"] = float(SECONDS)
    feed._CONNECT_SECONDS = SECONDS
    _default(Client.connect, "connect_timeout")
    _default(JetStreamContext.__init__, "timeout")
    _default(Msg.ack_sync, "timeout")


def _default(function, name: str) -> None:
    """Let an argument that is not given be a minute."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    values = dict(zip(reversed(names), reversed(function.__defaults__), strict=False))
    assert name in values
    values[name] = SECONDS
    function.__defaults__ = tuple(reversed(values.values()))
