"""The pieces of `make demo` that need no gateway: children, configuration, summary."""

import dataclasses
from pathlib import Path

import httpx
import pytest
import yaml

from control_plane.config import load
from demos.travel_booking.__main__ import AGENTS, summary
from demos.travel_booking.agents.__main__ import AGENTS as SERVED
from demos.travel_booking.run.children import Children, DemoFailed
from demos.travel_booking.run.gateway import build_config, free_ports, running_gateway, wait_until_embedded
from demos.travel_booking.run.questions import QUESTIONS

URLS = {agent: f"http://127.0.0.1:{4000 + number}" for number, agent in enumerate(AGENTS)}


def test_children_serve_on_a_port_of_their_own_and_are_stopped(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        url = children.start("apis", ["demos.travel_booking.recorded_apis"], {})
        children.wait_until_healthy()
        assert httpx.get(f"{url}/v1/latest", params={"symbols": "USD"}, trust_env=False).json()["base"] == "EUR"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", trust_env=False)


def test_a_child_that_ends_is_named_with_its_status(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        children.start("provider", ["demos.travel_booking.stand_in_provider"], {"STAND_IN_API_KEY": ""})
        with pytest.raises(DemoFailed, match="provider does not serve: it exited with status 2"):
            children.wait_until_healthy()
    assert "STAND_IN_API_KEY must hold the key" in (tmp_path / "provider.log").read_text()


def test_ports_differ() -> None:
    ports = dataclasses.astuple(free_ports())
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("provider", ["http://127.0.0.1:4010", None])
def test_the_configuration_of_a_run_is_valid(provider: str | None) -> None:
    ports = free_ports()
    text = yaml.safe_dump(build_config(ports, URLS, provider))
    config = load(text, env={"OPENAI_API_KEY": "key"}).config
    assert {agent.id: agent.instances[0].url for agent in config.agents} == URLS
    assert {at.url for found in config.model_providers for at in found.instances} == ({provider} if provider else set())
    assert {found.port for found in config.listeners} == {ports.agents, ports.models}


def test_a_gateway_that_cannot_start_says_why(tmp_path: Path) -> None:
    config = tmp_path / "plano_config.yaml"
    config.write_text("version: v9")
    with pytest.raises(DemoFailed, match="version: should be"), running_gateway(config, tmp_path / "run", {}):
        pytest.fail("it came up")


def test_descriptions_that_are_never_embedded_fail_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "ext_proc.log"
    log.write_text('{"event":"semantic_rung_ready"}\n')
    wait_until_embedded(tmp_path)
    log.write_text('{"event":"embedder_listening"}\n')
    monkeypatch.setattr("demos.travel_booking.run.gateway.EMBEDDED_SECONDS", 0)
    with pytest.raises(DemoFailed, match="not embedded"):
        wait_until_embedded(tmp_path)


def test_every_agent_is_started() -> None:
    assert set(AGENTS) == set(SERVED) == {agent for question in QUESTIONS for agent in question.agent.split(", ")}


@pytest.mark.parametrize(("problems", "status"), [([], 0), (["no answer"], 1)])
def test_summary(capsys: pytest.CaptureFixture[str], problems: list[str], status: int) -> None:
    assert summary([problems, *([[]] * (len(QUESTIONS) - 1))]) == status
    assert ("FAILED" in capsys.readouterr().out) is bool(status)
