"""docker-compose.yaml against the code: commands, ports, environment, mounts, images."""

import re

import pytest
import yaml

from control_plane.__main__ import main as control_plane_commands
from control_plane.config import load
from demos.travel_booking.agents.__main__ import AGENTS as CODE
from demos.travel_booking.agents.__main__ import build_parser
from demos.travel_booking.agents.settings import VARIABLES
from ext_proc.cli import main as ext_proc
from tests.deployment.compose import AGENTS, ROOT, bootstrap, compose, options, port, service

CONFIG = ROOT / "deploy/plano/plano_config.yaml"
SERVICES = sorted(compose()["services"])
PUBLISHED = {"envoy": {8001, 12000}, "prometheus": {9090}, "grafana": {3000}, "jaeger": {16686}}


def bootstrap_sockets(cluster: str) -> list[str]:
    clusters = {found["name"]: found for found in bootstrap()["static_resources"]["clusters"]}
    members = clusters[cluster]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    return [f"unix://{member['endpoint']['address']['pipe']['path']}" for member in members]


def networks(name: str) -> set[str]:
    return set(service(name)["networks"])


def environment(name: str) -> dict[str, str]:
    return dict(service(name).get("environment", {}))


def volumes(name: str) -> set[str]:
    return {mount.partition(":")[0] for mount in service(name).get("volumes", [])}


def test_commands_parse() -> None:
    control_plane = service("control-plane")["command"]
    assert control_plane[:4] == ["python", "-m", "control_plane", "serve"]
    # The files that it names are the container's: that they are mounted is tested below.
    arguments = [re.sub("^--config=.*", f"--config={CONFIG}", word) for word in control_plane[4:]]
    control_plane_commands.commands["serve"].make_context("serve", arguments)
    command = service("ext-proc")["command"]
    assert command[:3] == ["python", "-m", "ext_proc"]
    ext_proc.make_context("ext_proc", command[3:])


@pytest.mark.parametrize(("name", "agent_id"), AGENTS.items())
def test_agents_serve_where_the_configuration_says(name: str, agent_id: str) -> None:
    command = service(name)["command"]
    assert command[:3] == ["python", "-m", "demos.travel_booking.agents"]
    arguments = build_parser().parse_args(command[3:])
    urls = {agent["id"]: agent["url"] for agent in yaml.safe_load(CONFIG.read_text())["agents"]}
    assert (arguments.agent, arguments.host) == (agent_id, "0.0.0.0")
    assert urls[agent_id] == f"http://{name}:{arguments.port}"
    assert arguments.port == CODE[agent_id].port


def test_envoy_finds_the_control_plane_and_both_workers() -> None:
    assert bootstrap_sockets("xds") == [options("control-plane")["xds"]]
    listen, workers = options("ext-proc")["listen"], int(options("ext-proc")["workers"])
    assert bootstrap_sockets("ext_proc") == [listen.replace("{worker}", str(worker)) for worker in range(workers)]


def test_ext_proc_finds_the_control_plane_and_the_egress_listener() -> None:
    control_plane = options("control-plane")
    assert options("ext-proc")["xds"] == control_plane["xds"]
    assert control_plane["egress-url"] == control_plane["egress-address"]
    assert options("ext-proc")["embedder"] == control_plane["embedder"]


SOCKETS = {"xds": {"control-plane", "ext-proc", "envoy"}, "ext_proc": {"ext-proc", "envoy"}, "egress": {"ext-proc", "envoy"}}
"""Volumes of sockets -> who may have them: whoever speaks ADS reads all keys, whoever reaches egress calls any provider."""


def test_only_the_gateways_own_parts_can_speak_to_each_other() -> None:
    for volume, expected in SOCKETS.items():
        assert {name for name in SERVICES if volume in volumes(name)} == expected
        options_of_volume = compose()["volumes"][volume]["driver_opts"]
        assert {"uid=10001", "gid=10001", "mode=0700"} <= set(options_of_volume["o"].split(","))
    for name in ("control-plane", "ext-proc", "envoy"):
        assert service(name)["user"] == "10001:10001"
    inside = [options("control-plane")[option] for option in ("xds", "egress-address", "embedder")]
    for address in (*inside, options("ext-proc")["listen"]):
        volume = address.removeprefix("unix:///run/plano/").partition("/")[0]
        assert f"{volume}:/run/plano/{volume}" in service("ext-proc")["volumes"], f"{address} is on no volume"


def test_agents_reach_envoys_model_listener_and_nothing_else_of_the_gateway() -> None:
    for name in AGENTS:
        assert networks(name) == {"models", "internet"}
    assert {name for name in SERVICES if "models" in networks(name)} == {"envoy", *AGENTS}
    assert {name for name in SERVICES if "internet" in networks(name)} == set(AGENTS)
    listeners = {listener["type"]: listener["address"] for listener in yaml.safe_load(CONFIG.read_text())["listeners"]}
    assert listeners == {"agent": service("envoy")["networks"]["clients"]["ipv4_address"], "model": "0.0.0.0"}


def test_metrics_are_on_a_network_of_prometheus_alone() -> None:
    assert {name for name in SERVICES if "monitoring" in networks(name)} == {"control-plane", "ext-proc", "envoy", "prometheus"}
    assert compose()["networks"]["monitoring"]["internal"] is True
    for name in ("control-plane", "ext-proc"):
        assert networks(name) == {"monitoring"}


def test_traces_have_a_network_of_envoy_and_jaeger_alone() -> None:
    assert {name for name in SERVICES if "traces" in networks(name)} == {"envoy", "jaeger"}
    assert compose()["networks"]["traces"]["internal"] is True
    assert {name for name in SERVICES if "dashboards" in networks(name)} == {"prometheus", "grafana", "jaeger"}


def test_only_clients_ports_are_published() -> None:
    published = {}
    for name in SERVICES:
        pairs = [text.rsplit(":", 2) for text in service(name).get("ports", [])]
        assert all(pair[-1] == pair[-2] for pair in pairs)
        if pairs:
            published[name] = {int(pair[-1]) for pair in pairs}
    assert published == PUBLISHED
    for name in ("prometheus", "grafana", "jaeger"):
        assert all(text.startswith("127.0.0.1:") for text in service(name)["ports"])


def test_published_ports_are_the_configurations_listeners() -> None:
    listeners = yaml.safe_load(CONFIG.read_text())["listeners"]
    assert {listener["port"] for listener in listeners} == PUBLISHED["envoy"]


def test_agents_know_the_model_listener() -> None:
    listeners = {listener["type"]: listener["port"] for listener in yaml.safe_load(CONFIG.read_text())["listeners"]}
    for name in AGENTS:
        environment = service(name)["environment"]
        assert environment["LLM_GATEWAY_ENDPOINT"] == f"http://envoy:{listeners['model']}/v1"
        assert environment.keys() <= set(VARIABLES.values())


def test_the_configuration_loads_with_the_environment_that_is_given() -> None:
    text, given = CONFIG.read_text(encoding="utf-8"), service("control-plane")["environment"]
    keys = set(re.findall(r"\$(\w+)", text))
    assert keys == {name for name in given if not name.startswith("OTEL_")}
    loaded = load(text, env=given | dict.fromkeys(keys, "a-key"), file=CONFIG.name)
    assert loaded.config.tracing
    assert loaded.config.tracing.opentracing_grpc_endpoint == given["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert [agent.id for agent in loaded.config.agents] == list(AGENTS.values())


def test_provider_keys_go_to_the_control_plane_alone() -> None:
    holders = [name for name in SERVICES if "OPENAI_API_KEY" in service(name).get("environment", {})]
    assert holders == ["control-plane"]
    assert "sk-" not in (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")


def test_the_configuration_is_the_demos_but_for_the_agents_hosts() -> None:
    ours, demos = (yaml.safe_load(path.read_text()) for path in (CONFIG, ROOT / "demos/travel_booking/plano_config.yaml"))
    for ours_agent, demos_agent in zip(ours["agents"], demos["agents"], strict=True):
        assert port(ours_agent.pop("url")) == port(demos_agent.pop("url"))
    for listener in ours["listeners"]:
        del listener["address"]
    assert ours == demos


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists(name: str) -> None:
    for mount in service(name).get("volumes", []):
        source, target, *mode = mount.split(":")
        if source in compose()["volumes"]:
            continue
        assert (ROOT / source).exists()
        assert mode == ["ro"]
        words = [*service(name).get("command", []), *(f"{key}={value}" for key, value in environment(name).items())]
        inside = [word for word in words if f"={target}" in word]
        assert inside, f"nothing uses {target}"


def test_the_configuration_is_where_the_command_looks() -> None:
    source, target, _ = service("control-plane")["volumes"][0].split(":")
    inside = options("control-plane")["config"].removeprefix(f"{target}/")
    assert ROOT / source / inside == CONFIG


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_checked_restarted_and_wait_for_what_exists(name: str) -> None:
    assert service(name)["healthcheck"]["test"][0] == "CMD"
    assert service(name)["restart"] == "unless-stopped"
    for other, condition in service(name).get("depends_on", {}).items():
        assert other in SERVICES
        assert condition["condition"] in ("service_started", "service_healthy")


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_locked_down(name: str) -> None:
    assert service(name)["read_only"] is True
    assert service(name)["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service(name)["security_opt"]
    assert service(name)["logging"]["options"]["mode"] == "non-blocking"
    assert {"max-size", "max-file"} <= service(name)["logging"]["options"].keys()
