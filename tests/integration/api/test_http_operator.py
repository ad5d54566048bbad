"""The operator's page and its figures: who sees them, and that they are what Prometheus gets."""

import re

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from commands.principal import Principal, Role
from tests.drafts import id_number
from tests.integration.api.conftest import County, register

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def bearer(county: County) -> dict[str, str]:
    who = Principal("operator", Role.OPERATOR, county.operator.organisation, "")
    return {"Authorization": f"Bearer {county.served.token(who)}"}


def test_the_operator_sees_what_prometheus_gets(county: County, bearer):
    head = county.served.caught_up()
    page = county.served.http.get("/operator", headers=bearer)
    assert page.status_code == 200
    told = county.served.http.get("/metrics").text
    metrics = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    assert float(metrics["vaxledger_log_size"]) >= head
    assert f"{head:,}" in page.text
    workers = {name for name in metrics if name.startswith("vaxledger_worker_behind")}
    shown = set(re.findall(r'<th scope="row">([a-z: _-]+)</th>', page.text))
    for name in workers:
        assert name.split('"')[1] in shown
    assert float(metrics["vaxledger_disk_free_bytes"]) > 0
    assert float(metrics['vaxledger_key_age_seconds{key="log"}']) >= 0
    assert float(metrics['vaxledger_key_age_seconds{key="key-encryption"}']) >= 0
    assert metrics["vaxledger_halted"] == "0.0"


def test_a_feed_that_is_not_there_leaves_the_rest(county: County, bearer):
    page = county.served.http.get("/operator", headers=bearer).text
    assert "NATS 没有回答，或未配置。" in page
    assert "integrator" in page


@pytest.mark.parametrize("who", ["clinic", "cdc", "school", "regulator"])
def test_nobody_else_sees_it_or_sends_messages_again(county: County, who: str):
    headers = getattr(county, who).bearer | OWN
    for answer in (
        county.served.http.get("/operator", headers=headers),
        county.served.http.post("/operator/subscribers/zj/retry", headers=headers),
    ):
        assert answer.status_code == 403
        assert "integrator" not in answer.text


def test_another_site_sends_nothing_again(county: County, bearer):
    path = "/operator/subscribers/zj/retry"
    for site in ("cross-site", "same-site"):
        answer = county.served.http.post(path, headers=bearer | {"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    assert county.served.http.post(path, headers=bearer | OWN).status_code == 404, "no feed here"


LABELS = {
    "method", "route", "status", "le", "subscriber", "worker", "key", "state", "witness", "kind",
}  # fmt: skip


def test_prometheus_reads_all_of_it_and_nobody_is_in_it(county: County):
    child = register(county.clinic, number=id_number(), name="王小量")
    county.clinic.get(f"/v1/records/{child.record}")
    county.served.http.get("/v1/records/王小量")
    text = county.served.http.get("/metrics")
    assert text.headers["Content-Type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(text.text))
    names = [one.name for one in families]
    assert len(names) == len(set(names)), "each is told once"
    assert all(re.fullmatch("vaxledger_[a-z_]+", name) for name in names)
    assert [one.name for one in families if not one.documentation] == []
    assert {one.type for one in families} <= {"counter", "gauge", "histogram"}
    samples = [sample for one in families for sample in one.samples]
    keys = [(sample.name, *sorted(sample.labels.items())) for sample in samples]
    assert len(keys) == len(set(keys)), "no series twice"
    assert {label for sample in samples for label in sample.labels} <= LABELS
    assert all(sample.value == sample.value for sample in samples), "a number each"
    told = {value for sample in samples for value in sample.labels.values()}
    assert "/v1/records/{record}" in told
    assert not [value for value in told if re.search(r"[0-9a-f]{8}-|\d{6}|[^\x20-\x7e]", value)]
    for histogram in (one for one in families if one.type == "histogram"):
        _is_a_histogram(histogram)


def _is_a_histogram(family: Metric) -> None:
    """Its buckets grow to the count of its route."""
    buckets: dict[str, list[float]] = {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            buckets.setdefault(sample.labels["route"], []).append(sample.value)
    counts = {
        sample.labels["route"]: sample.value
        for sample in family.samples
        if sample.name.endswith("_count")
    }
    assert {route: found[-1] for route, found in buckets.items()} == counts
    assert all(found == sorted(found) for found in buckets.values())
