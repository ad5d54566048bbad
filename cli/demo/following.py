"""Following the feed as an integrator would, and comparing what came with the signed log."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from bootstrap.addresses import Addresses
from cli.demo.stage import Mismatch
from cli.demo.tally import Tally
from client.feed import FeedServer
from client.subscribe import Subscription
from ledger.entry import Entry
from ledger.frontier import Frontier
from ledger.treehead import Checkpoint

_DOSE = "vaccination-record.dose-administered.v1"


@dataclass(slots=True)
class Followed:
    """What the subscriber received.

    Attributes:
        leaves: Tree over the leaf hashes in the order in which they came.
        tally: What the entries say.
        dose: One of the doses that were given, far enough in to have many entries around it.
    """

    leaves: Frontier = field(default_factory=Frontier)
    tally: Tally = field(default_factory=Tally)
    dose: tuple[int, Entry] | None = None


async def follow(
    addresses: Addresses, checkpoint: Checkpoint, received: Callable[[], None]
) -> Followed:
    """Follow the feed from its first message up to what a checkpoint covers.

    The subscriber recomputes each leaf hash from the bytes that NATS brought; in the end these
    must make the very root that the log has signed.

    Args:
        addresses: Where the feed is.
        checkpoint: A signed checkpoint, from the log itself.
        received: Told of each message.

    Raises:
        Mismatch: A sequence, the count or the root differs.
        ClientError: A message is not what its entry makes it.
    """
    server = FeedServer(
        addresses.nats_url, addresses.nats_user or "", addresses.nats_password or ""
    )
    followed = Followed()
    async with aclosing(Subscription(server).events(checkpoint.size)) as events:
        async for event in events:
            if event.position != followed.leaves.size + 1:
                raise Mismatch(f"position {event.position} came after {followed.leaves.size}")
            followed.leaves.append(event.leaf)
            followed.tally.take(event.entry)
            if (
                followed.dose is None
                and event.entry.topic == _DOSE
                and event.position >= checkpoint.size // 4
            ):
                followed.dose = event.position, event.entry
            received()
    if followed.leaves.size != checkpoint.size:
        raise Mismatch(f"{followed.leaves.size} messages for {checkpoint.size} entries")
    if followed.leaves.root() != checkpoint.root:
        raise Mismatch("the leaf hashes of the feed do not make the signed root")
    return followed
