"""The operator's page and its figures: who sees them, and that they are what Prometheus gets."""

import re

import pytest

from commands.principal import Principal, Role
from tests.integration.api.conftest import County

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
