"""What routes work with: the running parts, and what only a serving process has."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from anyio import CapacityLimiter
from fastapi import Request

from api.aside import Aside
from api.company import Company
from api.feed_watch import FeedWatch
from api.limiting import Limiter, Rate
from api.metrics import Metrics
from api.proving import Prover
from api.refusals import Refusals
from api.rush import Rush
from api.status_lists import StatusLists
from api.waiting import Milestone
from bootstrap.feed import feed_server
from bootstrap.personal_keys import PersonalKeys
from bootstrap.policy import PolicyFile
from bootstrap.tracing import Tracer
from bootstrap.views import Views
from bootstrap.wiring import Parts
from ledger.store.listening import PROJECTED, PUBLISHED, wakeups

THREADS = 64
"""Commands that run at once; further ones wait in order."""
BULK_THREADS = 32
"""Likewise for lines of batches, so that a long batch never stands before a single write."""
BOOKING_THREADS = 16
"""Likewise for bookings, so that a rush for seats leaves room for doses."""
BATCHES = 8
"""Batches that are taken at once; each holds its body in memory."""


PER_ACCOUNT = Rate(300, 60.0)
"""Searches of one account."""
PER_TARGET = Rate(60, 60.0)
"""Searches for one number or name, whoever asks."""
PER_CITIZEN = Rate(240, 60.0)
"""What a citizen asks of certificates."""
PER_SENDER = Rate(100, 60.0)
"""Bodies and lines of one account that are no JSON of ours: the worst takes 10 ms to refuse."""
PER_UPLOADER = Rate(12, 60.0)
"""Files of one account: the worst workbook takes 0.7 s."""
PER_GUESSER = Rate(30, 600.0)
"""What an account names of certificates, visits and codes that is not there, or not its own."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Everything that a route may use.

    Attributes:
        parts: The write side and the log.
        views: The read side.
        prover: Makes proofs under the newest checkpoint.
        published: How far the newest checkpoint reaches.
        projected: How far every view has followed.
        threads: Bounds the threads that commands run in.
        company: Takes signed writes, those that arrive together in one thread.
        bulk_threads: Likewise for lines of batches.
        rush: Takes bookings, as long as they need not wait too long.
        batches: Bounds the batches under way.
        aside: Where large bodies are read, and rules are asked.
        metrics: Counts requests.
        refusals: Says which of them were refused, or failed.
        feed: Knows how the feed is.
        policy: Which witnesses are asked, and how many are needed.
        statuses: The signed status lists of credentials.
        personal_keys: To whom personal values are sealed, if they are.
        searches: Bounds how often an account searches.
        targets: Bounds how often one person is searched for.
        citizens: Bounds how often a citizen asks of certificates.
        nonsense: Bounds how often an account sends what cannot be read.
        uploads: Bounds how often an account sends a file.
        misses: Bounds how often an account names what is not there, or not its own.
        traces: Where spans go; None where nobody asked for them.
        turns: What answers requests of one kind together, by what answers them.
    """

    parts: Parts
    views: Views
    prover: Prover
    published: Milestone
    projected: Milestone
    threads: CapacityLimiter
    company: Company
    bulk_threads: CapacityLimiter
    rush: Rush
    batches: CapacityLimiter
    aside: Aside
    metrics: Metrics
    refusals: Refusals
    feed: FeedWatch
    policy: PolicyFile
    statuses: StatusLists
    personal_keys: PersonalKeys
    searches: Limiter
    targets: Limiter
    citizens: Limiter
    nonsense: Limiter
    uploads: Limiter
    misses: Limiter
    traces: Tracer | None
    turns: dict[Callable[..., Any], Any] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Parts, views: Views) -> "Serving":
        """Put together what serves; `published` and `projected` are to be followed."""
        url = parts.settings.database_url
        assert url is not None
        prover = Prover(parts.reader)
        published = Milestone(prover.refresh, partial(wakeups, url, PUBLISHED))
        projected = Milestone(views.positions.lowest, partial(wakeups, url, PROJECTED))
        metrics = Metrics(
            queue=lambda: parts.writer.queued,
            published=lambda: published.reached,
            projected=lambda: projected.reached,
        )
        settings = parts.settings
        threads = CapacityLimiter(THREADS)
        return cls(
            parts=parts,
            views=views,
            prover=prover,
            published=published,
            projected=projected,
            threads=threads,
            company=Company(parts.desk, threads),
            bulk_threads=CapacityLimiter(BULK_THREADS),
            rush=Rush(BOOKING_THREADS),
            batches=CapacityLimiter(BATCHES),
            aside=Aside(),
            metrics=metrics,
            refusals=Refusals(),
            feed=FeedWatch(feed_server(settings) if settings.nats_url is not None else None),
            policy=PolicyFile(settings),
            statuses=StatusLists(
                views.credentials, lambda: parts.credential_keys, parts.services.clock
            ),
            personal_keys=PersonalKeys(settings.personal_keys),
            searches=Limiter(PER_ACCOUNT, time.monotonic),
            targets=Limiter(PER_TARGET, time.monotonic),
            citizens=Limiter(PER_CITIZEN, time.monotonic),
            nonsense=Limiter(PER_SENDER, time.monotonic),
            uploads=Limiter(PER_UPLOADER, time.monotonic),
            misses=Limiter(PER_GUESSER, time.monotonic),
            traces=Tracer.of(settings, "api"),
        )


def serving_of(request: Request) -> Serving:
    """What the app that got this request serves with."""
    serving: Serving = request.app.state.serving
    return serving
