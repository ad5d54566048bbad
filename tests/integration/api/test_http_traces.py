"""A write is traced from its request to its checkpoint, where a collector is named."""

import warnings
from dataclasses import replace

import httpx

from bootstrap.tokens import DevelopmentIssuerWarning
from tests.integration.api.conftest import County, listening, registration
from tests.integration.api.family import ok
from tests.unit.bootstrap.collecting import collecting


def test_a_write_is_one_trace_and_says_nothing_of_the_child(county: County):
    draft, _ = registration(county.clinic, name="王小踪")
    with collecting() as collector:
        named = {"traces_url": collector.url, "traces_share": 1.0}
        settings = county.served.parts.settings.model_copy(update=named)
        parts = replace(county.served.parts, settings=settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DevelopmentIssuerWarning)
            assert parts.issuer
        views = county.served.views
        with listening(parts, views) as url, httpx.Client(base_url=url, timeout=60) as http:
            clinic = replace(county.clinic, served=replace(county.served, http=http))
            written = ok(clinic.post("/v1/records", draft)).json()
            clinic.get(f"/v1/records/{draft.stream}")
    spans = {span["name"]: span for span in collector.spans()}
    assert spans.keys() == {"POST /v1/records", "commit", "checkpoint"}
    first = spans["POST /v1/records"]
    facts = {one["key"]: one["value"]["intValue"] for one in first["attributes"]}
    assert facts["vaxledger.position"] == str(written["position"])
    assert facts["http.response.status_code"] == "201"
    assert {span["traceId"] for span in spans.values()} == {first["traceId"]}
    assert int(spans["commit"]["endTimeUnixNano"]) <= int(spans["checkpoint"]["endTimeUnixNano"])
    assert "王小踪" not in str(collector.bodies)
    assert str(draft.stream) not in str(collector.bodies)
