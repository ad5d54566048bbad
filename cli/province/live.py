"""Streaming a simulated province into the installation that is being served here."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

from bootstrap.addresses import Addresses
from bootstrap.log_keys import installation_secrets
from bootstrap.policy import POLICY_NAME
from bootstrap.settings import Settings
from cli.demo.actors import Place
from cli.province.stream import Streamed, stream
from client.trust import Trust
from domain.schedules.schedule import Schedule
from simulation.province import Province

_SHOW_SECONDS = 0.5


def here(settings: Settings) -> Place:
    """Return the installation, with the secrets that its operator and development issuer use.

    Raises:
        NotServingError: If none is being served from this data directory.
        OSError: If its files cannot be read.
    """
    addresses = Addresses.load(settings.data_dir)
    trust = Trust.load(settings.data_dir / POLICY_NAME)
    return Place(addresses.http_url, trust, installation_secrets(settings))


async def live(
    place: Place,
    province: Province,
    schedule: Schedule,
    rate: float,
    show: Callable[[int], None],
) -> Streamed:
    """Stream until the province's years are over, or until SIGINT or SIGTERM.

    Args:
        place: Where.
        province: Who lives there.
        schedule: By which the clinics vaccinate.
        rate: Events a second.
        show: Told now and then how many writes there are.

    Raises:
        ClientError: The first write that the server refused or did not prove.
    """
    told, ended = Streamed(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)

    async def keep_showing() -> None:
        while True:
            show(told.writes)
            await asyncio.sleep(_SHOW_SECONDS)

    showing = asyncio.create_task(keep_showing())
    try:
        await stream(place, province, schedule, rate, told, is_over=ended.is_set)
    finally:
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return told
