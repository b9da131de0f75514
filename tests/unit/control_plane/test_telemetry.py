import json
import logging
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog
from prometheus_client import CollectorRegistry

from control_plane import telemetry as module
from control_plane.ads import Nack
from control_plane.ads.types import LISTENER, Role
from control_plane.errors import Problem
from control_plane.reload import Compiled, Report, Result
from control_plane.status import ConfigState
from control_plane.telemetry import Telemetry, serving_metrics
from process_log import configure_logging
from tests.ads.world import generation

REPORT = Report(
    result=Result.PUBLISHED,
    seconds=0.25,
    state=ConfigState.OK,
    tried_version="a",
    loaded_at=datetime(2026, 1, 1, tzinfo=UTC),
    problems=(),
    warnings=(),
    served=Compiled(snapshot=generation("a")),
    published_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    logging.basicConfig(handlers=[], force=True)


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def test_every_bounded_series_exists_from_the_start() -> None:
    registry = Telemetry(version="1").registry
    assert [value(registry, module.RELOADS, outcome=o) for o in ("published", "unchanged", "invalid", "rejected")] == [0] * 4
    assert value(registry, module.NACKS, type="lds") == 0
    assert value(registry, module.CLIENTS, role="ext_proc") == 0
    assert value(registry, module.BUILD_INFO, version="1") == 1


def test_a_publication_is_counted_and_timed() -> None:
    telemetry = Telemetry(version="1")
    telemetry.reloaded(REPORT)
    assert value(telemetry.registry, module.RELOADS, outcome="published") == 1
    assert value(telemetry.registry, module.VALID) == 1
    assert value(telemetry.registry, module.LAST_SUCCESS) == REPORT.published_at.timestamp()
    assert value(telemetry.registry, f"{module.PUBLISH_DURATION}_sum") == 0.25


def test_an_invalid_file_shows_as_such_and_changes_no_success() -> None:
    telemetry = Telemetry(version="1")
    telemetry.reloaded(REPORT)
    telemetry.reloaded(replace(REPORT, result=Result.INVALID, state=ConfigState.INVALID))
    assert value(telemetry.registry, module.RELOADS, outcome="invalid") == 1
    assert value(telemetry.registry, module.VALID) == 0
    assert value(telemetry.registry, f"{module.PUBLISH_DURATION}_count") == 1


def test_clients_and_their_verdicts_are_counted() -> None:
    telemetry = Telemetry(version="1")
    for node in ("one", "two"):
        telemetry.connected(Role.ENVOY, node)
    telemetry.disconnected(Role.ENVOY, "one")
    telemetry.acknowledged(Role.ENVOY, "two", LISTENER)
    telemetry.acknowledged(Role.ENVOY, "two", "a type/that clients make up")
    telemetry.refused(Nack(node_id="two", role=Role.ENVOY, type_url=LISTENER, message="no"))
    assert value(telemetry.registry, module.CLIENTS, role="envoy") == 1
    assert value(telemetry.registry, module.ACKS, type="lds") == 1
    assert value(telemetry.registry, module.ACKS, type="other") == 1
    assert value(telemetry.registry, module.NACKS, type="lds") == 1


def test_problems_and_warnings_are_logged_one_by_one(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    problem = Problem(path="agents", code="x", message="is wrong", line=3, file="c.yaml")
    Telemetry(version="1").reloaded(replace(REPORT, problems=(problem,), warnings=(replace(problem, message="is odd"),)))
    published, wrong, odd = lines(capfd)
    assert published["event"] == "config_published"
    assert (wrong["event"], wrong["message"], wrong["line"], wrong["level"]) == ("config_problem", "is wrong", 3, "error")
    assert (odd["event"], odd["message"], odd["level"]) == ("config_warning", "is odd", "warning")


def test_the_text_of_an_exception_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    try:
        raise KeyError("sk-secret")
    except KeyError as error:
        structlog.get_logger().error("config_load_failed", error=error)
        logging.getLogger("library").exception("it failed")
    ours, theirs = lines(capfd)
    assert ours["error"] == theirs["error"] == "KeyError"
    assert "test_telemetry.py" in str(ours["stack"])
    assert "sk-secret" not in str([ours, theirs])


def test_metrics_are_served_until_the_end() -> None:
    with serving_metrics(Telemetry(version="1").registry, "127.0.0.1:0") as port:
        url = f"http://127.0.0.1:{port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert b"plano_config_valid" in answer.read()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
