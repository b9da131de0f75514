"""What operators see and do: the status of upstreams in trouble and well again, who failed over and why; a key is rolled."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.deployment.queries import defects, names, queries, read
from tests.kit.faults import FaultyUpstream, faulty
from tests.kit.plano_up import Config, Running, plano_up
from tests.kit.stub_upstream import Answer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-operations"), pytest.mark.timeout(240)]

RAIN = {"messages": [{"role": "user", "content": "Will it rain?"}]}
FIRST, SECOND = "openai/gpt-4.1", "openai/gpt-4o-mini"
CHAIN = f"chain/{FIRST}(chat_completions)"
EJECTION_SECONDS = 4
LABELS = {
    *("envoy_cluster_name", "envoy_http_conn_manager_prefix", "envoy_local_http_ratelimit_prefix"),
    "envoy_response_code_class",
}
OF_OTHERS = {
    *("envoy_tracing_opentelemetry_spans_sent", "envoy_http_jwt_authn_jwks_fetch_failed"),
    *("envoy_listener_ssl_certificate_expiration_unix_time_seconds", "envoy_listener_ssl_handshake"),
}
"""Served where requests are traced, callers have tokens or TLS is spoken: tests of those look at them."""
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}},
}


@dataclass(slots=True)
class Stage:
    gateway: Running
    one: FaultyUpstream
    """An instance of agent `weather`."""
    two: FaultyUpstream
    """The other one."""
    first: FaultyUpstream
    """A model."""
    second: FaultyUpstream
    """The model that stands in for it."""

    async def upstream(self, name: str) -> dict[str, Any]:
        """Return what the status says of an upstream."""
        upstreams = (await self.gateway.site.status())["upstreams"]
        return next(dict(upstream) for upstream in upstreams if upstream["name"] == name)

    async def weather(self, fact: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return what the status says of agent `weather` once it shows a fact; it is asked meanwhile."""
        while not fact(upstream := await self.upstream("agent/weather")):
            await self.ask(2)
        return upstream

    async def ask(self, times: int) -> None:
        """Ask the agent: it answers each time."""
        for _ in range(times):
            assert (await self.gateway.post("travel", RAIN)).status_code == 200


def config(one: FaultyUpstream, two: FaultyUpstream, first: FaultyUpstream, second: FaultyUpstream) -> Config:
    outliers = {"consecutive_errors": 2, "ejection_time": f"{EJECTION_SECONDS}s"}
    return {
        "agents": [
            {
                "id": "weather",
                "url": [f"http://127.0.0.1:{instance.port}" for instance in (one, two)],
                "resilience": {"outlier_detection": outliers, "load_balancing": "round_robin"},
            }
        ],
        "model_providers": [
            {"model": FIRST, "base_url": f"http://127.0.0.1:{first.port}", "access_key": "$KEY", "fallbacks": [SECOND]},
            {"model": SECOND, "base_url": f"http://127.0.0.1:{second.port}", "access_key": "$KEY"},
        ],
        "model_prices": {SECOND: {"input": 1, "output": 2, "cached_input": 0.5}},
        "ratelimits": [
            {"model": SECOND, "selector": {"key": "x-user", "value": "*"}, "limit": {"tokens": 1000, "unit": "second"}}
        ],
        "listeners": [
            {"type": "agent", "name": "travel", "agents": [{"id": "weather", "description": "Tells the weather."}]},
            {"type": "model", "name": "models"},
        ],
    }


def with_key(folder: Path, key: str) -> Path:
    """Write the environment file beside the configuration."""
    (folder / ".env").write_text(f"KEY={key}\n")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with (
        faulty("one", "two", "first", "second") as upstreams,
        plano_up(config(*upstreams), with_key(tmp_path_factory.mktemp("operations"), "old")) as gateway,
    ):
        yield Stage(gateway, *upstreams)


def states(upstream: dict[str, Any]) -> list[str]:
    return sorted(instance["state"] for instance in upstream["instances"])


async def test_an_instance_that_is_down_is_ejected_and_comes_back(stage: Stage) -> None:
    async with asyncio.timeout(90):
        before = await stage.weather(lambda upstream: states(upstream) == ["healthy", "healthy"])
        assert before["breakers"]["requests"].items() >= {"open": False, "overflows": 0}.items()
        await stage.two.down()
        await stage.ask(8)

        seen = await stage.weather(lambda upstream: states(upstream) == ["ejected", "healthy"])
        (ejected,) = (instance for instance in seen["instances"] if instance["state"] == "ejected")
        assert (ejected["address"], ejected["errors"] > 0) == (f"127.0.0.1:{stage.two.port}", True)
        assert (seen["answers"] >= before["answers"] + 8, seen["failed"]) == (True, 0)
        assert seen["retries_by_reason"] == {"no_answer": seen["retries"]}
        assert seen["attempts_per_answer"] > 1
        while not re.search(r"agent/weather +1 healthy, 1 ejected +closed", (await stage.gateway.site.plano("status")).out):
            await stage.ask(2)  # the ejection was over before the status asked

        await stage.two.up()
        await stage.weather(lambda upstream: states(upstream) == ["healthy", "healthy"])
        stage.two.script(200)
        await stage.ask(4)
        assert stage.two.received


async def test_failovers_between_models_by_reason(stage: Stage) -> None:
    async with asyncio.timeout(60):
        before, counted = await stage.upstream(CHAIN), await failovers(stage)
        stage.first.script(503)
        stage.second.script(Answer(body=json.dumps(COMPLETION).encode()))
        for _ in range(3):
            answer = await stage.gateway.post("models", RAIN | {"model": FIRST})
            assert answer.headers["x-plano-model"] == SECOND
        chain = await stage.upstream(CHAIN)
        assert {name: chain[name] - before[name] for name in ("answers", "failed", "retries", "retries_that_helped")} == {
            "answers": 3,
            "failed": 0,
            "retries": 6,
            "retries_that_helped": 3,
        }
        assert chain["retries_by_reason"]["503"] - before["retries_by_reason"].get("503", 0) == 6
        assert chain["attempts_per_answer"] == round((chain["answers"] + chain["retries"]) / chain["answers"], 3)
        assert await failovers(stage) - counted == 3


async def failovers(stage: Stage) -> int:
    """Return how often the second model stood in, for the reason that the first one had failed."""
    found = (await stage.gateway.site.status())["failovers"]
    expected = {"from_model": FIRST, "to_model": SECOND, "reason": "upstream_error"}
    return sum(entry["count"] for entry in found if entry.items() >= expected.items())


@contextmanager
def paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_an_envoy_that_does_not_answer(stage: Stage) -> None:
    async with asyncio.timeout(60):
        with paused(stage.gateway.process("envoy")["pid"]):
            shown = await stage.gateway.site.plano("status")
        assert shown.code == 1
        assert "upstreams are not known: Envoy does not answer" in shown.out
        assert (await stage.gateway.site.status())["upstreams"]


async def test_a_key_is_rolled_in_the_environment_file(stage: Stage) -> None:
    async def key_for(model: str, upstream: FaultyUpstream) -> str:
        upstream.script(Answer(body=json.dumps(COMPLETION).encode()))
        while not upstream.received:  # its fallback answers as long as a test before has left it ejected
            assert (await stage.gateway.post("models", RAIN | {"model": model})).status_code == 200
        return upstream.received[-1].headers["authorization"]

    async with asyncio.timeout(60):
        for model, upstream in ((FIRST, stage.first), (SECOND, stage.second)):
            assert await key_for(model, upstream) == "Bearer old"
        with_key(stage.gateway.site.config.parent, "new")
        for model, upstream in ((FIRST, stage.first), (SECOND, stage.second)):
            while await key_for(model, upstream) != "Bearer new":
                pass  # each question takes its time


async def test_metrics_that_the_documentation_names(stage: Stage) -> None:
    text = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(envoy_[a-z_]+)`", text)) - LABELS - OF_OTHERS
    stage.second.script(Answer(body=json.dumps(COMPLETION).encode()))
    assert named
    async with asyncio.timeout(30):
        while named - await metrics_after_a_request(stage):
            pass  # an answer is counted once it is over


async def metrics_after_a_request(stage: Stage) -> set[str]:
    for listener in ("travel", "models"):
        await stage.gateway.post(listener, RAIN | {"model": SECOND})
    served = (await stage.gateway.http.get(f"{stage.gateway.override_url('admin_port')}/stats?format=prometheus")).text
    return set(re.findall(r"^# TYPE (\S+) ", served, re.MULTILINE))


async def test_queries_of_the_dashboard_and_the_alerts(stage: Stage) -> None:
    """Each reads metrics, labels and values that a gateway serves which has seen failovers, refused keys and failed chains."""
    stage.first.script(503)
    for answer in (503, 401, Answer(body=json.dumps(COMPLETION).encode())):
        stage.second.script(answer)
        await stage.gateway.post("models", RAIN | {"model": FIRST})
    await stage.ask(1)
    async with asyncio.timeout(60):
        while await missing(stage):
            await stage.gateway.post("models", RAIN | {"model": SECOND})  # an answer is counted once it is over
        stage.first.script(Answer(body=json.dumps(COMPLETION).encode()))
        while not stage.first.received:  # until it is no longer ejected
            await stage.gateway.post("models", RAIN | {"model": FIRST})


async def missing(stage: Stage) -> list[str]:
    paths = {"admin_port": "/stats?format=prometheus", "metrics_port": "/metrics", "control_plane_metrics_port": "/metrics"}
    answers = [await stage.gateway.http.get(f"{stage.gateway.override_url(port)}{path}") for port, path in paths.items()]
    served, jobs = read(*(answer.text for answer in answers)), ("envoy", "ext_proc", "control_plane")
    return [
        defect for query, shown in queries() if not names(query) & OF_OTHERS for defect in defects(query, served, jobs, shown)
    ]
