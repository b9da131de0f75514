"""What is run for a configuration: no secrets in arguments, all ports claimed, listeners with URLs that can be opened."""

from dataclasses import replace
from pathlib import Path

import pytest

from control_plane import ir
from control_plane.config.model import PlanoConfig
from control_plane.reading import Reading
from control_plane.supervisor.launch import build_launch
from control_plane.supervisor.request import UpRequest
from control_plane.supervisor.run_dir import RunDir
from control_plane.supervisor.summary import summarize
from control_plane.supervisor.supervisor import Launch
from protos import filter_config_pb2 as pb
from tests.kit import gateways
from tests.kit.gateways import gateway

RUN_DIR = RunDir(Path("/run/plano"), Path("/tmp/plano-x"))


def requested(read: Reading) -> UpRequest:
    file = Path("/etc/plano_config.yaml")
    return UpRequest(config_file=file, run_dir=RUN_DIR.path, workers=3, timeout_seconds=7, summary=summarize(read))


def launched(read: Reading, env: dict[str, str] | None = None) -> Launch:
    return build_launch(requested(read), RUN_DIR, open_files=1024, envoy=Path("/bin/envoy"), env=env or {})


def reading(**ports: int) -> Reading:
    built = gateway()
    listeners = {"type": "agent", "name": "agents", "port": 8001, "agents": [{"id": "weather", "description": "weather"}]}
    agents = [{"id": "weather", "url": [{"url": "http://127.0.0.1:9000"}]}]
    config = PlanoConfig.model_validate({"version": "v0.4.0", "listeners": [listeners], "agents": agents, "overrides": ports})
    return Reading(config=config, gateway=built, warnings=())


def with_listener(read: Reading, **changes: object) -> Reading:
    built = read.gateway
    first = replace(built.listeners[0], **changes)  # type: ignore[arg-type]  # checked by the tests that use it
    return replace(read, gateway=replace(built, listeners=(first, *built.listeners[1:])))


def test_three_processes_with_their_sockets_logs_and_ports() -> None:
    launch = launched(reading(metrics_port=19092, admin_port=19901))
    assert "--xds unix:///tmp/plano-x/xds.sock" in " ".join(launch.control_plane.argv)
    assert "--status /run/plano/status.json" in " ".join(launch.control_plane.argv)
    assert "--listen unix:///tmp/plano-x/ext_proc-{worker}.sock --workers 3" in " ".join(launch.ext_proc.argv)
    assert "--metrics 127.0.0.1:19092" in " ".join(launch.ext_proc.argv)
    assert launch.envoy.argv[:4] == ("/bin/envoy", "--config-path", "/run/plano/bootstrap.yaml", "--disable-hot-restart")
    assert "--file-flush-interval-msec 1000" in " ".join(launch.envoy.argv)
    assert [spec.log.name for spec in (launch.control_plane, launch.ext_proc, launch.envoy)] == [
        "control_plane.log",
        "ext_proc.log",
        "envoy.log",
    ]
    assert launch.admin_socket == "/tmp/plano-x/admin.sock"
    assert launch.stats_url == "http://127.0.0.1:19901/stats/prometheus"
    assert launch.metrics_url == "http://127.0.0.1:19092/metrics"


def test_secrets_are_not_in_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    read = reading()
    secrets = [header.value.reveal() for cluster in read.gateway.clusters for header in cluster.injected_headers]
    assert secrets
    launch = launched(read)
    arguments = " ".join((*launch.control_plane.argv, *launch.ext_proc.argv, *launch.envoy.argv))
    assert not [secret for secret in secrets if secret in arguments]


def test_only_the_control_plane_inherits_what_may_be_a_key() -> None:
    env = {"PATH": "/bin", "LC_ALL": "C", "OPENAI_API_KEY": "sk-1", "MY_SECRET": "2", "AWS_SECRET_ACCESS_KEY": "3"}
    launch = launched(reading(), env)
    assert launch.envoy.environment == {"PATH": "/bin", "LC_ALL": "C"}
    ours = {"PYTHONSAFEPATH": "1", "PLANO_LOG_FILE": "/run/plano/ext_proc.log"}
    assert launch.ext_proc.environment == {"PATH": "/bin", "LC_ALL": "C"} | ours
    assert launch.control_plane.environment == env | ours | {"PLANO_LOG_FILE": "/run/plano/control_plane.log"}


def test_listeners_with_what_they_serve() -> None:
    launch = launched(reading())
    assert [(view.name, view.url, view.serves) for view in launch.listeners] == [
        ("agents", "http://127.0.0.1:8001", ("weather",)),
        ("models", "http://127.0.0.1:12000", ("openai/gpt-4o", "fast")),
    ]


def test_models_of_plano_itself_are_not_offered() -> None:
    read = reading()

    def hide(config: pb.FilterConfig) -> None:
        for model in config.models:
            model.internal = True

    hidden = replace(read, gateway=gateways.reconfigured(read.gateway, hide))
    assert launched(hidden).listeners[1].serves == ()


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("::", "http://[::1]:8001"),
        ("::1", "http://[::1]:8001"),
        ("10.1.2.3", "http://10.1.2.3:8001"),
    ],
)
def test_urls_can_be_opened(address: str, url: str) -> None:
    launch = launched(with_listener(reading(), address=address))
    assert launch.listeners[0].url == url


def test_every_port_is_claimed() -> None:
    claims = summarize(reading(metrics_port=19092, control_plane_metrics_port=19093, admin_port=19901)).claims
    assert [(claim.port, claim.owner) for claim in claims] == [
        (8001, 'listener "agents"'),
        (12000, 'listener "models"'),
        (19901, "Envoy's statistics, overrides.admin_port"),
        (19092, "metrics, overrides.metrics_port"),
        (19093, "the control plane's metrics, overrides.control_plane_metrics_port"),
    ]


def test_internal_traffic_has_no_port() -> None:
    arguments = " ".join(launched(reading()).control_plane.argv)
    egress = "unix:///tmp/plano-x/egress.sock"
    assert f"--egress-address {egress} --egress-url {egress} --access-log /run/plano/access.log" in arguments
    assert "--max-connections 448" in arguments


def test_the_control_plane_is_told_what_envoys_bootstrap_needs() -> None:
    arguments = " ".join(launched(reading()).control_plane.argv)
    assert "--bootstrap /run/plano/bootstrap.yaml --admin unix:///tmp/plano-x/admin.sock" in arguments
    assert arguments.endswith("--ext-proc unix:///tmp/plano-x/ext_proc-{worker}.sock --workers 3")


def test_a_request_survives_its_way_to_the_supervisor() -> None:
    request = requested(reading())
    assert UpRequest.from_json(request.to_json()) == request


def test_kinds() -> None:
    kinds = [view.kind for view in launched(reading()).listeners]
    assert kinds == [ir.ListenerKind.AGENT, ir.ListenerKind.MODEL]
