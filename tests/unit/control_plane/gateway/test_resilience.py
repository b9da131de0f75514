"""What clusters and routes are given: the entry's block over the gateway's over the defaults."""

from typing import Any

import pytest

from control_plane import ir
from control_plane.config.model import Overrides, Resilience
from control_plane.gateway.resilience import (
    build_circuit_breaker,
    build_health_check,
    build_outlier_detection,
    connect_timeout,
    hash_header,
    idle_timeout,
    response_timeout,
    settings_of,
    whole_timeout,
)
from control_plane.gateway.retries import agent_retry, filter_retry, model_retry


def overrides(resilience: dict[str, Any] | None = None, **more: Any) -> Overrides:
    return Overrides.model_validate({"resilience": resilience or {}} | more)


def block(**fields: Any) -> Resilience:
    return Resilience.model_validate(fields)


def test_defaults() -> None:
    settings = settings_of(None, overrides())
    assert build_circuit_breaker(settings) == ir.CircuitBreaker()
    assert build_outlier_detection(settings) == ir.OutlierDetection(
        consecutive_errors=5, ejection_seconds=10.0, max_ejection_percent=50
    )
    assert build_health_check(settings) is None
    assert hash_header(settings) == ""
    assert (settings.retries.backoff.base, settings.retries.backoff.max, settings.retries.attempts) == (0.1, 5.0, 2)
    assert connect_timeout(settings, overrides(upstream_connect_timeout="3s")) == 3.0


def test_blocks_are_layered_field_by_field() -> None:
    shared = {
        "retries": {"attempts": 5, "backoff": {"base": "1s"}},
        "health_check": {"path": "/up"},
        "timeouts": {"idle": "9s"},
    }
    own = block(retries={"backoff": {"max": "2s"}, "on": []}, health_check={"path": "/well", "interval": "1s"})
    settings = settings_of(own, overrides(shared))
    assert (settings.retries.attempts, settings.retries.backoff.base, settings.retries.backoff.max) == (5, 1.0, 2.0)
    assert settings.retries.on == ()
    assert build_health_check(settings) == ir.HealthCheck(path="/well", interval_seconds=1.0)
    assert settings.timeouts.idle == 9.0


def test_an_entry_can_write_a_default_over_the_gateway() -> None:
    settings = settings_of(block(retries={"attempts": 2}), overrides({"retries": {"attempts": 7}}))
    assert settings.retries.attempts == 2


def test_layers_do_not_change_each_other() -> None:
    shared = overrides({"retries": {"attempts": 5}})
    settings_of(block(retries={"attempts": 1}), shared)
    assert shared.resilience.retries.attempts == 5


def test_no_ejection() -> None:
    assert build_outlier_detection(block(outlier_detection={"max_ejection_percent": 0})) is None


@pytest.mark.parametrize(("first_byte", "listener", "expected"), [(None, 30, 30), ("5s", 30, 5), ("60s", 30, 30)])
def test_the_listener_bounds_the_wait_for_an_answer(first_byte: str | None, listener: float, expected: float) -> None:
    settings = block(timeouts={"first_byte": first_byte} if first_byte else {})
    assert response_timeout(settings, listener) == expected


@pytest.mark.parametrize(("idle", "expected"), [(None, 300), ("60s", 60), ("10s", 30)])
def test_silence_is_not_bound_below_the_wait_for_an_answer(idle: str | None, expected: float) -> None:
    settings = block(timeouts={"idle": idle} if idle else {})
    assert idle_timeout(settings, 300, 30) == expected


def test_a_header_chooses_only_in_a_ring() -> None:
    assert hash_header(block(hash_header="X-User", load_balancing="ring_hash")) == "x-user"
    assert hash_header(block(hash_header="X-User")) == ""


def test_what_is_retried_per_kind() -> None:
    settings = block()
    assert agent_retry(settings, None).statuses == (503,)
    assert "reset" in model_retry(settings, None).on
    assert {"5xx", "retriable-status-codes"} <= set(model_retry(settings, None).on)
    assert model_retry(settings, None).statuses == (408, 409, 424, 429)
    assert filter_retry(settings).statuses == ()
    assert "retriable-status-codes" not in filter_retry(settings).on


def test_conditions_of_the_block_win() -> None:
    retry = agent_retry(block(retries={"on": ["reset", 500, 429], "honour_retry_after": False}), 1)
    assert retry == ir.Retry(
        on=("reset", "retriable-status-codes"),
        statuses=(500, 429),
        attempts=1,
        base_backoff_seconds=0.1,
        max_backoff_seconds=5.0,
        honours_retry_after=False,
        on_own_fault=False,
    )


@pytest.mark.parametrize(
    ("written", "max_wait", "waits", "honours"),
    [
        (None, "5s", 2.0, True),
        (None, "1s", 1.0, True),
        ("wait", "5s", 5.0, True),
        (True, "5s", 5.0, True),
        ("failover", "5s", 0.0, True),
        ("ignore", "5s", 0.0, False),
        (False, "5s", 0.0, False),
    ],
)
def test_how_long_a_model_is_waited_for(written: object, max_wait: str, waits: float, honours: bool) -> None:
    more = {} if written is None else {"honour_retry_after": written}
    retry = model_retry(block(retries={"backoff": {"max": max_wait}, **more}), None)
    assert (retry.longest_wait_seconds, retry.honours_retry_after) == (waits, honours)


@pytest.mark.parametrize(
    ("whole", "listener", "models", "expected"),
    [(None, 300, 1, 300), (None, 300, 2, 60), (None, 90, 3, 30), ("200s", 300, 3, 200), ("200s", 30, 3, 30), ("5s", 300, 1, 5)],
)
def test_a_whole_answer_leaves_time_for_the_next_model(
    whole: str | None, listener: float, models: int, expected: float
) -> None:
    settings = block(timeouts={"whole": whole} if whole else {})
    assert whole_timeout(settings, listener, models=models) == expected
