"""Spans reach a collector; every process names a write's trace alike."""

from bootstrap.logs import configure_logging
from bootstrap.settings import Settings
from bootstrap.tracing import MOST_WAITING, Tracer
from tests.unit.bootstrap.collecting import collecting

ORIGIN = "log.example.cn/vax"
CALLER = f"00-{'ab' * 16}-{'cd' * 8}-01"


def test_one_write_is_one_trace_over_both_processes():
    with collecting() as collector:
        api, publisher = (Tracer(collector.url, ORIGIN, name, 1.0) for name in ("api", "publisher"))
        api.first(7, "POST /v1/records", (1, 9), 201, CALLER)
        api.step(7, "commit", (1, 5))
        publisher.step(7, "publish", (10, 12))
        for tracer in (api, publisher):
            tracer.close()
    named = {span["name"]: span for span in collector.spans()}
    first, commit, publish = (named[name] for name in ("POST /v1/records", "commit", "publish"))
    assert {first["traceId"]} == {span["traceId"] for span in collector.spans()}
    assert commit["parentSpanId"] == publish["parentSpanId"] == first["spanId"]
    assert first["links"] == [{"traceId": "ab" * 16, "spanId": "cd" * 8}]
    assert {len(span["traceId"]) for span in collector.spans()} == {32}
    assert {len(span["spanId"]) for span in collector.spans()} == {16}
    services = {
        body["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"]
        for body in collector.bodies
    }
    assert services == {"vaxledger-api", "vaxledger-publisher"}


def test_all_processes_choose_the_same_share():
    with collecting() as collector:
        one, other = (Tracer(collector.url, ORIGIN, name, 0.25) for name in ("api", "publisher"))
        chosen = [position for position in range(1, 4_001) if one.chooses(position)]
        assert chosen == [position for position in range(1, 4_001) if other.chooses(position)]
        assert 900 < len(chosen) < 1_100
        for tracer in (one, other):
            tracer.close()
    assert collector.bodies == []


def test_a_collector_that_is_away_costs_the_spans_and_nothing_else():
    with collecting() as collector:
        url = collector.url
    tracer = Tracer(url, ORIGIN, "api", 1.0)
    for position in range(MOST_WAITING + 1):
        tracer.step(position, "commit", (1, 2))
    tracer.close()
    tracer.step(1, "commit", (1, 2))


def test_a_collector_that_stays_away_is_told_of_once_a_minute(tmp_path, capsys):
    with collecting() as collector:
        url = collector.url
    configure_logging("INFO")
    tracer = Tracer(url, ORIGIN, "api", 1.0)
    for position in range(3):
        tracer.step(position, "commit", (1, 2))
        tracer._send()
    tracer.close()
    assert capsys.readouterr().err.count("traces-lost") == 1


def test_nobody_who_did_not_ask_is_traced(tmp_path):
    assert Tracer.of(Settings(data_dir=tmp_path), "api") is None
