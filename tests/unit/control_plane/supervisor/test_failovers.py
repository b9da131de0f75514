"""Failovers between models, from the metrics that ext_proc really serves."""

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from control_plane.supervisor.failovers import FAILOVERS, ask_ext_proc, read_failovers
from control_plane.supervisor.upstreams import Failover
from ext_proc.attempt.record import AttemptRecord
from ext_proc.telemetry import names
from ext_proc.telemetry.attempt_metrics import AttemptMetrics


def counted(*records: AttemptRecord) -> str:
    registry = CollectorRegistry()
    metrics = AttemptMetrics(lambda _listener, _kind: None, registry)
    for record in records:
        metrics.record(record)
    return generate_latest(registry).decode()


def failed_over(to: str, reason: str) -> AttemptRecord:
    return AttemptRecord(model=to, outcome="completed", failed_over_from="openai/gpt-4.1", failed_over_for=reason)


def test_both_mean_the_same_metric() -> None:
    assert names.FAILOVERS == FAILOVERS


def test_the_most_frequent_first() -> None:
    text = counted(failed_over("b", "rate_limited"), failed_over("c", "upstream_error"), failed_over("c", "upstream_error"))
    assert read_failovers(text) == (
        Failover(from_model="openai/gpt-4.1", to_model="c", reason="upstream_error", count=2),
        Failover(from_model="openai/gpt-4.1", to_model="b", reason="rate_limited", count=1),
    )


def test_none_yet() -> None:
    assert read_failovers(counted()) == ()


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(200, text=FAILOVERS + "{no metrics")])
async def test_an_ext_proc_that_does_not_say(answer: httpx.Response) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: answer)) as client:
        assert await ask_ext_proc(client, "http://127.0.0.1:9092/metrics") is None
