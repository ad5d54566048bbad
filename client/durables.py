"""The subscribers' durable consumers: made by an administrator, pulled from, never pushed.

A subscriber is bound to its consumer: it can neither make nor change one, since who may make
consumers may read every division, and who may edit them may starve another's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy

from client import feed
from client.continuity import parse_division, subjects_of
from client.credentials import inbox_prefix_of, name_of

ACCOUNT = "VAXLEDGER"  # at NATS: whose streams these are
DIVISION = "vaxledger-division"  # in the consumer's metadata

ACK_SECONDS = 30.0
MAX_DELIVER = 20
MAX_ACK_PENDING = 1_000
MAX_WAITING = 64

_CHECKED = (
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "max_ack_pending",
    "filter_subject",
    "filter_subjects",
    "deliver_subject",
    "deliver_group",
    "headers_only",
    "inactive_threshold",
    "rate_limit_bps",
    "pause_until",
    "mem_storage",
)


@dataclass(frozen=True, slots=True)
class Durable:
    """A consumer and how far it is.

    Attributes:
        name: Of the consumer.
        division: Zero, two, four or six digits.
        floor: Position up to which everything of its division is acknowledged.
        delivered: Newest position that was sent to it.
        waiting: Messages that were never sent to it.
        unacknowledged: Messages that were sent and not acknowledged.
        redelivered: Those of them that were sent more than once.
        acknowledged: How many messages it has acknowledged, in one go from the first on.
        acknowledged_at: When it last acknowledged; None for never.
        drift: Its settings that are not what an administrator's command makes them.
    """

    name: str
    division: str
    floor: int
    delivered: int
    waiting: int
    unacknowledged: int
    redelivered: int
    acknowledged: int
    acknowledged_at: datetime | None
    drift: tuple[str, ...]


def durable_config(durable: str, division: str, after: int = 0) -> ConsumerConfig:
    """Return the configuration of a subscriber's consumer.

    Args:
        durable: Its name.
        division: Zero, two, four or six digits.
        after: Position behind which it begins.
    """
    return ConsumerConfig(
        durable_name=durable,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_SECONDS,
        max_deliver=MAX_DELIVER,
        max_ack_pending=MAX_ACK_PENDING,
        max_waiting=MAX_WAITING,
        filter_subject=subjects_of(division),
        metadata={DIVISION: division},
    )


def account_of(durable: str, password: str) -> dict[str, Any]:
    """Return a subscriber's account as a server's configuration wants it.

    An account of its own, because permissions alone do not bind the reply that a pull names: the
    server would deliver to any subject of the account, the stream's own and other inboxes too.
    What is imported here is all there is for it: bind to its consumer, pull, acknowledge.
    """
    asked = [
        f"CONSUMER.INFO.{feed.ENTRIES}.{durable}",
        f"CONSUMER.MSG.NEXT.{feed.ENTRIES}.{durable}",
    ]
    granted = {f"{feed.SUBSCRIBER_API}.{one}": f"$JS.API.{one}" for one in asked}
    acknowledged = f"$JS.ACK.{feed.ENTRIES}.{durable}.>"
    granted[acknowledged] = acknowledged
    permissions = {"publish": [*granted], "subscribe": [f"{inbox_prefix_of(durable)}.>"]}
    return {
        "users": [{"user": durable, "password": password, "permissions": permissions}],
        "imports": [
            {"service": {"account": ACCOUNT, "subject": theirs}, "to": ours}
            for ours, theirs in granted.items()
        ],
    }


def exports() -> list[dict[str, str]]:
    """Return what the feed's account exports for subscribers' accounts to import."""
    return [
        {"service": f"$JS.API.CONSUMER.INFO.{feed.ENTRIES}.*"},
        {"service": f"$JS.API.CONSUMER.MSG.NEXT.{feed.ENTRIES}.*", "response_type": "stream"},
        {"service": f"$JS.ACK.{feed.ENTRIES}.*.>"},
    ]


async def durables(js: JetStreamContext) -> list[Durable]:
    """Return every consumer of the entries that stays or is pushed to, by name.

    Subscriptions of our own that end with their connection are left out.

    Raises:
        nats.errors.Error: If the server does not answer or refuses us.
    """
    found: list[ConsumerInfo] = []
    while page := await js.consumers_info(feed.ENTRIES, offset=len(found)):
        found += page
    kept = (one for one in found if one.config.durable_name or one.config.deliver_subject)
    return sorted(map(read_durable, kept), key=lambda one: one.name)


def read_durable(info: ConsumerInfo) -> Durable:
    """Return what the server says of a consumer."""
    assert info.ack_floor is not None
    assert info.delivered is not None
    config = info.config
    return Durable(
        name=info.name,
        division=(config.metadata or {}).get(DIVISION, ""),
        floor=info.ack_floor.stream_seq,
        delivered=info.delivered.stream_seq,
        waiting=info.num_pending or 0,
        unacknowledged=info.num_ack_pending or 0,
        redelivered=info.num_redelivered or 0,
        acknowledged=info.ack_floor.consumer_seq,
        acknowledged_at=info.ack_floor.last_active,
        drift=_drift(info.name, config),
    )


def _drift(name: str, config: ConsumerConfig) -> tuple[str, ...]:
    metadata = config.metadata or {}
    if name_of(name) is None or DIVISION not in metadata:
        return ("name",)  # not made by our command
    try:
        wanted = durable_config(name, parse_division(metadata[DIVISION]))
    except ValueError:
        return ("metadata",)
    return tuple(
        setting
        for setting in _CHECKED
        if feed.plain(getattr(config, setting)) != feed.plain(getattr(wanted, setting))
    )
