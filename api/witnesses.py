"""How it stands with the witnesses: for `/readyz` and for Prometheus."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.policy import Policy
from ledger.store.witness_standing import WitnessStanding

FAILING_SECONDS = 10.0
"""A witness that fails for longer than this is said to."""
OLD_SECONDS = 150.0
"""A cosignature is renewed each minute, also of a log that does not grow."""


def describe(
    policy: Policy, standings: Sequence[WitnessStanding], now: datetime
) -> Mapping[str, Any]:
    """Return the check of all witnesses that a policy lets us ask.

    Args:
        policy: The policy in force.
        standings: What is known of witnesses, those of earlier policies too.
        now: The time.
    """
    known = {one.name: one for one in standings}
    found = [_describe(name, known.get(name), now) for name in _asked(policy)]
    return {"ok": all(one["ok"] for one in found), "witnesses": found}


def _describe(name: str, standing: WitnessStanding | None, now: datetime) -> dict[str, Any]:
    if standing is None:
        return {"witness": name, "ok": False, "problem": "never-asked"}
    age = _age(standing.cosigned_at, now)
    failing = _age(standing.failing_since, now)
    is_failing = failing is not None and failing > FAILING_SECONDS
    is_current = age is not None and age <= OLD_SECONDS
    return {
        "witness": name,
        "ok": is_current and not is_failing and standing.alarm is None,
        "size": standing.cosigned,
        "age_seconds": age,
        "problem": standing.problem,
        "alarm": standing.alarm,
    }


def _asked(policy: Policy) -> Iterable[str]:
    """Return the names of those whom a policy lets us ask, in its order."""
    return dict.fromkeys(one.key.name for one in policy.witnesses if one.url is not None)


def witness_metrics(policy: Policy, standings: Iterable[WitnessStanding], now: datetime) -> bytes:
    """Return the metrics of all witnesses that are asked, in Prometheus's text format.

    The age of a cosignature of a former one would grow for ever, and alarm for nothing.

    Args:
        policy: The policy in force.
        standings: What is known of witnesses, those of earlier policies too.
        now: The time.
    """
    asked = set(_asked(policy))
    registry = CollectorRegistry()
    registry.register(_Standings([one for one in standings if one.name in asked], now))
    return generate_latest(registry)


class _Standings(Collector):
    def __init__(self, standings: Sequence[WitnessStanding], now: datetime) -> None:
        self._standings = standings
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield age of the last cosignature, its size, refusals and alarms, by witness."""
        label = ("witness",)
        age = GaugeMetricFamily(
            "vaxledger_witness_cosignature_age_seconds",
            "Time since the last cosignature that was had.",
            labels=label,
        )
        size = GaugeMetricFamily(
            "vaxledger_witness_cosigned_size", "Size of the last cosigned checkpoint.", labels=label
        )
        refusals = CounterMetricFamily(
            "vaxledger_witness_refusals", "Requests that the witness refused.", labels=label
        )
        alarms = CounterMetricFamily(
            "vaxledger_witness_alarms", "Refusals that mean a fork or a rollback.", labels=label
        )
        for one in self._standings:
            if one.cosigned_at is not None and one.cosigned is not None:
                age.add_metric((one.name,), _age(one.cosigned_at, self._now) or 0.0)
                size.add_metric((one.name,), one.cosigned)
            refusals.add_metric((one.name,), one.refusals)
            alarms.add_metric((one.name,), one.alarms)
        yield from (age, size, refusals, alarms)


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((now - moment).total_seconds(), 3)
