"""What `plano up` and `plano status` print, held as a whole where it can be."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from control_plane.errors import Problem
from control_plane.report.running import running_text, serves
from control_plane.report.status import duration, status_json, status_text
from control_plane.status import ClientStatus, ConfigState, Status
from control_plane.supervisor.instance import Instance, ListenerView, Phase, ProcessState, ProcessView
from control_plane.supervisor.overview import ListenerHealth, Overview
from control_plane.supervisor.upstreams import Breaker, Failover, InstanceState, Upstream, UpstreamInstance

TRAVEL = ListenerView(name="travel", kind="agent", url="http://127.0.0.1:8001", serves=("weather", "flight"))
ENVOY = ProcessView(name="envoy", state=ProcessState.RUNNING, pid=12, started_at=1000.0, restarts=1, last_exit="exit code 1")
RESTING = ProcessView(name="ext_proc", state=ProcessState.RESTARTING, pid=None, started_at=None, restarts=3, last_exit=None)


@pytest.fixture(autouse=True)
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_plane.report.status.time", SimpleNamespace(time=lambda: 1000.0 + 3700))


def instance(*processes: ProcessView) -> Instance:
    return Instance(
        pid=10,
        start_mark="",
        phase=Phase.HEALTHY,
        started_at=1.0,
        config_file="/etc/plano_config.yaml",
        sockets="/run/plano",
        admin_socket="/run/plano/admin.sock",
        stats_url="http://127.0.0.1:9901/stats/prometheus",
        metrics_url="http://127.0.0.1:9092/metrics",
        listeners=(TRAVEL,),
        processes=processes,
    )


def overview(*processes: ProcessView, is_up: bool = True, status: Status | None = None) -> Overview:
    health = (ListenerHealth(listener=TRAVEL, healthy=is_up),)
    return Overview(run_dir="/run/plano", instance=instance(*processes), listeners=health, status=status)


def status(state: ConfigState, *problems: Problem) -> Status:
    envoy = ClientStatus(node_id="plano", role="envoy", acked={"cds": "0123456789", "lds": "abc"}, refused={})
    worker = ClientStatus(node_id="ext_proc-0", role="ext_proc", acked={}, refused={"filter_config": "too large"})
    return Status(
        config_file="/etc/plano_config.yaml",
        state=state,
        version="v1",
        tried_version="v2",
        loaded_at="2026-01-01T00:00:00+00:00",
        published_at="2026-01-01T00:00:00+00:00",
        problems=problems,
        clients=(envoy, worker),
    )


def test_running() -> None:
    assert list(running_text(instance(), run_dir="/run/plano", stop_with="Ctrl-C")) == [
        "Plano is running.",
        "",
        "  listener  url                    serves",
        "  travel    http://127.0.0.1:8001  agents: weather, flight",
        "",
        "  metrics                  http://127.0.0.1:9092/metrics",
        "  Envoy's metrics          http://127.0.0.1:9901/stats/prometheus",
        "  Envoy's admin interface  unix:///run/plano/admin.sock",
        "  run dir, logs            /run/plano",
        "  configuration            /etc/plano_config.yaml",
        "",
        "Stop with Ctrl-C.",
    ]


def test_many_models_are_counted() -> None:
    many = ListenerView(name="models", kind="model", url="", serves=tuple(f"p/m{n}" for n in range(1000)))
    assert serves(many) == "models: p/m0, p/m1, p/m2, p/m3, p/m4, p/m5 and 994 more"
    assert serves(ListenerView(name="models", kind="model", url="", serves=())) == "models: none"


def test_healthy() -> None:
    lines = list(status_text(overview(ENVOY, status=status(ConfigState.OK))))
    assert lines[0] == "Plano is healthy (healthy, pid 10)."
    assert "  envoy    running  12   1h 1m   1         exit code 1" in lines
    assert "  travel    healthy  http://127.0.0.1:8001  agents: weather, flight" in lines
    assert "  state          ok: the file is served as it is" in lines
    assert "  plano       envoy     cds 01234567, lds abc  -" in lines
    assert "  ext_proc-0  ext_proc  -                      filter_config: too large" in lines


def test_a_resting_process_is_not_healthy() -> None:
    shown = overview(ENVOY, RESTING)
    assert not shown.healthy
    lines = list(status_text(shown))
    assert lines[0] == "Plano is not healthy (healthy, pid 10)."
    assert "  ext_proc  restarting  -    -       3         -" in lines


def test_a_deaf_listener_is_not_healthy() -> None:
    assert not overview(ENVOY, is_up=False).healthy


def test_an_invalid_file_is_shown_with_its_problems_while_the_last_good_one_serves() -> None:
    problem = Problem(path="agents[0].url", code="bad-url", message="needs a scheme", line=3, file="plano.yaml")
    shown = overview(ENVOY, status=status(ConfigState.INVALID, problem))
    assert shown.healthy
    lines = list(status_text(shown))
    assert "  state          invalid: the last good configuration is served" in lines
    assert "    plano.yaml:3: agents[0].url: needs a scheme [bad-url]" in lines


def test_json() -> None:
    answer = json.loads(status_json(overview(ENVOY, status=status(ConfigState.OK))))
    assert (answer["running"], answer["healthy"], answer["pid"], answer["phase"]) == (True, True, 10, "healthy")
    assert answer["processes"][0]["restarts"] == 1
    assert answer["listeners"] == [
        {"name": "travel", "kind": "agent", "url": TRAVEL.url, "serves": ["weather", "flight"], "healthy": True}
    ]
    assert answer["config"]["state"] == "ok"
    assert answer["config"]["clients"][0]["acked"] == {"cds": "0123456789", "lds": "abc"}


def test_upstreams_that_are_known_and_that_are_not() -> None:
    upstream = Upstream(
        name="agent/weather",
        instances=(UpstreamInstance(address="10.0.0.1:80", state=InstanceState.EJECTED, requests=1, errors=2),),
        breakers={"requests": Breaker(open=True, remaining=0, overflows=3)},
        requests=3,
        answers=2,
        failed=0,
        retries=1,
        retries_that_helped=1,
        attempts_per_answer=1.5,
    )
    failover = Failover(from_model="a", to_model="b", reason="rate_limited", count=1)
    shown = replace(overview(ENVOY), upstreams=(upstream,), failovers=(failover,))
    answer = json.loads(status_json(shown))
    assert answer["upstreams"][0]["instances"] == [{"address": "10.0.0.1:80", "state": "ejected", "requests": 1, "errors": 2}]
    assert answer["upstreams"][0]["breakers"] == {"requests": {"open": True, "remaining": 0, "overflows": 3}}
    assert answer["failovers"] == [{"from_model": "a", "to_model": "b", "reason": "rate_limited", "count": 1}]
    assert any(line.startswith("  agent/weather  1 ejected ") for line in status_text(shown))
    unknown = json.loads(status_json(overview(ENVOY)))
    assert (unknown["upstreams"], unknown["failovers"]) == (None, None)


def test_nothing_runs() -> None:
    nothing = Overview(run_dir="/run/plano", instance=None)
    assert list(status_text(nothing)) == ["Nothing runs in /run/plano."]
    assert json.loads(status_json(nothing))["running"] is False


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (61, "1m 1s"), (3600, "1h 0m"), (90_000, "1d 1h"), (-3, "0s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
