"""What is counted of the requests, and how far the log and its views are: for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

MEDIA_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


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
        gauges = (
            ("append_queue", "Events that wait to be appended.", queue),
            ("published_position", "Entries under the newest checkpoint.", published),
            ("projected_position", "Entries that every view shows.", projected),
        )
        for name, text, read in gauges:
            gauge = Gauge(f"vaxledger_{name}", text, registry=self._registry)
            gauge.set_function(lambda read=read: float(read()))  # type: ignore[misc]  # bound now

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; whatever a stranger may choose is no label of its own."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)
