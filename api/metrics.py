"""What is counted of the requests, and how far the log and its views are: for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from client.credentials import name_of
from client.feed_status import FeedStatus, SubscriberStatus

MEDIA_TYPE = CONTENT_TYPE_LATEST
_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


_FEED = {
    "position": "Last position in the feed.",
    "messages": "Messages in the feed; fewer than its position if some were lost.",
    "checkpoint_size": "Entries under the newest checkpoint in the feed.",
    "checkpoint_time_seconds": "When that checkpoint was published, in Unix time; 0 for never.",
    "alarms": "Alarms that the feed keeps.",
    "problems": "Settings of the feed that are not as they must be.",
}
_SUBSCRIBER = {
    "floor": "Position up to which everything is acknowledged.",
    "waiting": "Messages that were never sent.",
    "unacknowledged": "Messages that were sent and not acknowledged.",
    "redelivered": "Messages that were sent more than once and are not acknowledged.",
    "acknowledged": "Messages that it has acknowledged; its rate is the subscriber's.",
    "parked": "Messages that are not sent any more.",
    "acknowledged_time_seconds": "When it last acknowledged, in Unix time; 0 for never.",
    "drifted": "Settings of its consumer that are not as they must be.",
}


def known_method(method: str) -> str:
    """A method as a label: whatever a stranger may choose is none of its own."""
    return method if method in _METHODS else "other"


class Metrics:
    """Metrics of one app, in a registry of their own.

    Args:
        queue: Events that wait to be appended.
        published: Entries under the newest checkpoint.
        projected: Entries that every view shows.
    """

    def __init__(
        self,
        *,
        queue: Callable[[], int],
        published: Callable[[], int],
        projected: Callable[[], int],
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "vaxledger_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "vaxledger_http_request_seconds",
            "Time until the last byte of the answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        gauges = (
            ("append_queue", "Events that wait to be appended.", queue),
            ("published_position", "Entries under the newest checkpoint.", published),
            ("projected_position", "Entries that every view shows.", projected),
        )
        for name, text, read in gauges:
            gauge = Gauge(f"vaxledger_{name}", text, registry=self._registry)
            gauge.set_function(lambda read=read: float(read()))  # type: ignore[misc]  # bound now

        self._feed_up = self._gauge("feed_up", "Whether the feed answers.")
        self._feed = {name: self._gauge(f"feed_{name}", text) for name, text in _FEED.items()}
        self._subscriber = {
            name: self._gauge(f"subscriber_{name}", text, "subscriber")
            for name, text in _SUBSCRIBER.items()
        }

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"vaxledger_{name}", text, labels, registry=self._registry)

    def show_feed(self, status: FeedStatus | None) -> None:
        """Show the feed as it was found; None where it does not answer or there is none."""
        self._feed_up.set(status is not None)
        for gauge in self._subscriber.values():
            gauge.clear()
        if status is None:
            return
        for name, value in _feed_values(status).items():
            self._feed[name].set(value)
        for one in status.subscribers:
            label = name_of(one.durable.name) or one.durable.name
            for name, value in _subscriber_values(one).items():
                self._subscriber[name].labels(label).set(value)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request, its method as `known_method` says it."""
        counted = self._counted.get((method, route, status))
        if counted is None:
            counted = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
            self._counted[method, route, status] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)


def _feed_values(status: FeedStatus) -> dict[str, float]:
    at = status.checkpoint_at
    return {
        "position": status.position,
        "messages": status.messages,
        "checkpoint_size": status.checkpoint_size,
        "checkpoint_time_seconds": at.timestamp() if at is not None else 0,
        "alarms": status.alarms,
        "problems": len(status.problems),
    }


def _subscriber_values(one: SubscriberStatus) -> dict[str, float]:
    durable = one.durable
    at = durable.acknowledged_at
    return {
        "floor": durable.floor,
        "waiting": durable.waiting,
        "unacknowledged": durable.unacknowledged,
        "redelivered": durable.redelivered,
        "acknowledged": durable.acknowledged,
        "parked": one.parked,
        "acknowledged_time_seconds": at.timestamp() if at is not None else 0,
        "drifted": len(durable.drift),
    }
