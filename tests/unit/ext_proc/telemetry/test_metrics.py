import pytest
from prometheus_client import CollectorRegistry

from ext_proc.decide.request import Record
from ext_proc.plan.plan import compile_plan
from ext_proc.ports import EgressResponse
from ext_proc.telemetry import names
from ext_proc.telemetry.metered_egress import MeteredEgress
from ext_proc.telemetry.metrics import Metrics
from tests.kit.filter_configs import filter_config
from tests.kit.transactions import StubEgress


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_records_what_was_decided(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.record(Record("l", api="messages", agent="a", rung="only_agent", decision_seconds=0.002), "forwarded", 0.003)
    value = registry.get_sample_value
    assert value(names.REQUESTS, {"listener": "l", "api": "messages", "outcome": "forwarded"}) == 1
    assert value(names.DECISIONS, {"listener": "l", "agent": "a", "rung": "only_agent"}) == 1
    assert value(f"{names.DECISION_DURATION}_sum", {"listener": "l"}) == 0.002
    assert value(f"{names.REQUEST_DURATION}_sum", {"listener": "l"}) == 0.003


def test_counts_requests_of_callers(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.record(Record("l", caller="team"), "4xx", 0.001)
    metrics.record(Record("l"), "4xx", 0.001)
    assert registry.get_sample_value(names.CALLER_REQUESTS, {"listener": "l", "caller": "team", "outcome": "4xx"}) == 1


def test_counts_what_budgets_refuse(registry: CollectorRegistry) -> None:
    Metrics(registry).record(Record("l", model="a", refused_model="b", refused_route="code"), "forwarded", 0.001)
    assert registry.get_sample_value(names.REFUSED_SWITCHES, {"listener": "l", "from": "a", "to": "b"}) == 1


def test_a_refusal_counts_no_agent_and_no_model(registry: CollectorRegistry) -> None:
    Metrics(registry).record(Record("l"), "4xx", 0.001)
    samples = {sample.name for family in registry.collect() for sample in family.samples}
    assert names.DECISIONS not in samples
    assert names.MODEL_REQUESTS not in samples


def test_says_which_configuration_is_in_use(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.config_updated("v1", None)
    metrics.config_updated("v2", "v1")
    metrics.config_rejected()
    value = registry.get_sample_value
    assert [value(names.CONFIG_VERSION, {"version": version}) for version in ("v1", "v2")] == [0, 1]
    assert [value(names.CONFIG_UPDATES, {"outcome": outcome}) for outcome in ("accepted", "rejected")] == [2, 1]


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (EgressResponse(200, {}, b""), "2xx"),
        (EgressResponse(403, {}, b""), "4xx"),
        (EgressResponse(503, {}, b"", "UF"), "unreachable"),
        (EgressResponse(504, {}, b"", "UT"), "timeout"),
    ],
)
async def test_measures_filters_and_the_orchestrator(
    registry: CollectorRegistry, response: EgressResponse, outcome: str
) -> None:
    inner = StubEgress(status=response.status, answer=response.body, local_reply=response.local_reply)
    egress = MeteredEgress(inner, compile_plan(filter_config()), Metrics(registry))
    for route in ("filter/guard", "model/together/orchestrator"):
        assert await egress.post(route, "/", headers={}, body=b"", timeout_seconds=1) == response
    value = registry.get_sample_value
    assert value(f"{names.FILTER_DURATION}_count", {"filter": "guard", "outcome": outcome}) == 1
    assert value(f"{names.ORCHESTRATOR_DURATION}_count", {"outcome": outcome}) == 1
