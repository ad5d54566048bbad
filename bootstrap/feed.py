"""Where the feed is, by the settings."""

from bootstrap.settings import Settings
from client.feed import FeedServer


def feed_server(settings: Settings) -> FeedServer:
    """Return the feed's server as the installation's own user; its URL must be set."""
    assert settings.nats_url is not None
    return FeedServer(
        settings.nats_url,
        user=settings.nats_user or "",
        password=settings.nats_password or "",
        monitor_urls=tuple((settings.monitor_url or "").split(",")),
        replicas=settings.nats_replicas,
    )
