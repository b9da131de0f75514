"""What operators see: health, metrics with bounded labels, the access log; and that no secret is to be seen anywhere."""

import json
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.stage import SECRETS, Stage
from tests.kit.actor import cut
from tests.kit.plano_up import CHAT
from tests.kit.stub_upstream import Answer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e-stage")]

RAIN = {"messages": [{"role": "user", "content": "Will it rain?"}]}
LISTENERS = ("solo", "travel", "filtered", "models")


async def samples(stage: Stage, port: str = "metrics_port", path: str = "/metrics") -> dict[tuple[str, frozenset[str]], float]:
    """Read metrics: (name, values of the labels) -> value."""
    answer = await stage.gateway.http.get(f"{stage.gateway.override_url(port)}{path}")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize("listener", LISTENERS)
async def test_health(stage: Stage, listener: str) -> None:
    answer = await stage.gateway.http.get(f"{stage.gateway.url(listener)}/healthz")
    assert answer.status_code == 200


async def test_requests_and_decisions_are_counted(stage: Stage) -> None:
    before = await samples(stage)
    for _ in range(3):
        await stage.gateway.post("travel", RAIN)
        await stage.gateway.post("models", RAIN | {"model": "fast"})
    await stage.gateway.post("travel", b"{")
    after = await samples(stage)

    def grown(name: str, *labels: str) -> float:
        return after[name, frozenset(labels)] - before.get((name, frozenset(labels)), 0)

    assert grown("plano_decisions_total", "travel", "weather", "built_in_router") == 3
    assert grown("plano_requests_total", "travel", "chat_completions", "forwarded") == 3
    assert grown("plano_requests_total", "models", "chat_completions", "forwarded") == 3
    assert grown("plano_model_requests_total", "models", "openai/gpt-4o") == 3
    assert grown("plano_request_duration_seconds_count", "travel") == 4
    assert grown("plano_decision_duration_seconds_count", "travel") == 3
    assert after["plano_requests_in_flight", frozenset({"travel"})] == 0


async def test_labels_never_come_from_clients(stage: Stage) -> None:
    async def asked_oddly(word: str) -> None:
        await stage.gateway.post("models", RAIN | {"model": f"nobody/{word}"})
        await stage.gateway.post("models", RAIN | {"model": f"mistral/{word}"})
        await stage.gateway.post("travel", RAIN, f"/v1/{word}")
        await stage.gateway.http.request(word.upper(), f"{stage.gateway.url('travel')}{CHAT}", headers={"host": word})
        await stage.gateway.post("solo", RAIN, x_request_id=word, user_agent=word, x_plano_route=word)

    await asked_oddly("first")
    before = set(await samples(stage)), set(await samples(stage, "admin_port", "/stats?format=prometheus"))
    for word in ("second", "third", "fourth"):
        await asked_oddly(word)
    after = set(await samples(stage)), set(await samples(stage, "admin_port", "/stats?format=prometheus"))
    assert after[0] == before[0]
    # Envoy makes histograms of a cluster at their first use; what clients sent is in none.
    grown = [labels for _, labels in after[1] - before[1]]
    assert not {value for labels in grown for value in labels} & {"second", "third", "fourth"}


async def test_envoys_own_metrics(stage: Stage) -> None:
    await stage.gateway.post("travel", RAIN)
    text = (await stage.gateway.http.get(f"{stage.gateway.override_url('admin_port')}/stats?format=prometheus")).text
    for name in ("envoy_cluster_upstream_rq_total", "envoy_http_downstream_rq_total", "envoy_cluster_upstream_rq_time_bucket"):
        assert name in text
    assert 'envoy_cluster_name="agent/weather"' in text
    assert 'envoy_http_conn_manager_prefix="listener/travel"' in text


async def test_only_statistics_of_the_admin_interface_have_a_port(stage: Stage) -> None:
    url = stage.gateway.override_url("admin_port")
    for path in ("/stats", "/stats/prometheus", "/stats?filter=server.live"):
        assert (await stage.gateway.http.get(f"{url}{path}")).status_code == 200
    for path in ("/", "/config_dump", "/clusters", "/help", "/statsx", "/stats/../config_dump", "/stats/%2e%2e/config_dump"):
        assert (await stage.gateway.http.get(httpx.URL(url, raw_path=path.encode()))).status_code == 404, path
    for path in ("/quitquitquit", "/stats", "/stats/../quitquitquit", "/reset_counters"):
        assert (await stage.gateway.http.post(httpx.URL(url, raw_path=path.encode()))).status_code == 404, path
    socket = stage.gateway.instance()["admin_socket"]
    assert Path(socket).parent.stat().st_mode & 0o077 == 0
    assert (await stage.gateway.admin("GET", "/ready")).status_code == 200


async def test_the_control_planes_metrics(stage: Stage) -> None:
    found = await samples(stage, "control_plane_metrics_port")
    assert any(name.startswith("plano_") for name, _ in found)
    assert not any(secret in str(found) for secret in SECRETS.values())


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        ("travel", {"route": "agent/weather", "agent": "weather", "model": None, "upstream_cluster": "agent/weather"}),
        ("models", {"route": "model/openai/gpt-4o", "agent": None, "model": "openai/gpt-4o", "decision": "alias"}),
    ],
)
async def test_the_access_log(stage: Stage, listener: str, expected: dict[str, object]) -> None:
    request_id = f"r-access-{listener}"
    await stage.gateway.post(listener, RAIN | {"model": "fast"}, f"{CHAT}?secret=1", x_request_id=request_id)
    line = await stage.gateway.logged(
        lambda line: line["request_id"] == request_id and line["listener"] == f"listener/{listener}"
    )
    assert line.items() >= expected.items()
    assert (line["method"], line["path"], line["status"], line["attempts"], line["flags"]) == ("POST", CHAT, 200, 1, "-")
    assert line["upstream_host"].startswith("127.0.0.1:")
    assert line["duration_ms"] >= line["first_byte_ms"] >= 0
    assert line["bytes_received"] > line["bytes_sent"] > 0
    assert "secret" not in str(line)


async def test_the_log_says_who_decided_and_why(stage: Stage) -> None:
    await stage.gateway.post("travel", RAIN, x_request_id="r-decided")
    log = dict(stage.gateway.logs())["ext_proc.log"]
    lines = [json.loads(line) for line in log.splitlines() if '"r-decided"' in line]
    assert [(line["event"], line["listener"], line["agent"], line["rung"]) for line in lines] == [
        ("request_decided", "travel", "weather", "built_in_router")
    ]
    assert lines[0]["reason"].startswith("matched ")


async def test_the_access_log_counts_attempts_and_says_why_it_failed(stage: Stage) -> None:
    stage.provider.plays(cut)
    await stage.gateway.post("models", RAIN | {"model": "fast"}, x_request_id="r-cut", x_envoy_max_retries="2")
    line = await stage.gateway.logged(lambda line: line["request_id"] == "r-cut" and line["listener"] == "listener/models")
    assert (line["status"], line["attempts"]) == (503, 3)
    assert line["flags"] != "-"


def arguments_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


async def test_no_secret_is_to_be_seen_anywhere(stage: Stage) -> None:
    client = "Bearer sk-secret-of-the-client"
    secrets = [*SECRETS.values(), "sk-secret-of-the-client"]
    stage.provider.plays(Answer(401, b"{}"))
    for listener in ("travel", "filtered", "models"):
        await stage.gateway.post(listener, RAIN | {"model": "fast"}, authorization=client, cookie=client)
    assert stage.provider.last.headers["authorization"] == f"Bearer {SECRETS['OPENAI_KEY']}", "there is something to hide"
    await stage.gateway.access_log()
    seen = dict(stage.gateway.logs())
    for path in ("/clusters", "/stats", "/certs", "/config_dump"):
        seen[path] = (await stage.gateway.admin("GET", path, include_eds="", format="json")).text
    status = await stage.gateway.site.status()
    seen["status"] = str(status)
    for pid in [status["pid"], *(process["pid"] for process in status["processes"])]:
        seen[f"arguments of {pid}"] = arguments_of(pid)
    assert {"access.log", "envoy.log", "ext_proc.log", "control_plane.log", "status.json", "bootstrap.yaml"} <= seen.keys()
    assert [name for name, text in seen.items() if any(secret in text for secret in secrets)] == []


async def test_the_run_dir_is_closed_to_others(stage: Stage) -> None:
    run_dir = stage.gateway.site.run_dir
    assert run_dir.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in run_dir.glob("*.json") if file.stat().st_mode & 0o077 and "status" in file.name] == []
