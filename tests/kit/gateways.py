"""Gateways as values for tests: a working one of one agent and one model, to be changed with `dataclasses.replace`."""

from collections.abc import Callable
from dataclasses import replace

from control_plane import ir
from control_plane.ir import names
from control_plane.ir.secret import Secret
from protos import filter_config_pb2 as pb

WEATHER = pb.Agent(id="weather", description="Tells the weather.", route=names.agent("weather"), default=True)
RETRY = ir.Retry(on=("connect-failure", "reset", "retriable-status-codes"), statuses=(503, 429), attempts=1)


def cluster(name: str, *endpoints: ir.Endpoint, **changes: object) -> ir.Cluster:
    """Make a cluster of plaintext endpoints."""
    values = {"host_header": "upstream.example", "connect_timeout_seconds": 1.0} | changes
    return ir.Cluster(name=name, endpoints=endpoints, **values)  # type: ignore[arg-type]  # checked by the tests that use it


def route(name: str, **changes: object) -> ir.Route:
    """Make a route to the cluster of the same name."""
    values: dict[str, object] = {
        "cluster": name,
        "response_timeout_seconds": 5.0,
        "idle_timeout_seconds": 60.0,
        "retry": RETRY,
        "keeps_credentials": True,
    } | changes
    return ir.Route(name=name, **values)  # type: ignore[arg-type]  # checked by the tests that use it


def injected(cluster_name: str, header: str, value: str) -> ir.InjectedHeader:
    """Make a credential of a cluster."""
    return ir.InjectedHeader(header=header, secret_name=names.secret(cluster_name, header), value=Secret(value))


def listener(name: str, kind: ir.ListenerKind, port: int, *routes: ir.Route) -> ir.Listener:
    """Make a listener on loopback whose decisions see the headers: the stub decider reads what to do from them."""
    return ir.Listener(
        name=name, kind=kind, address="127.0.0.1", port=port, routes=routes, decision_timeout_seconds=10, shows_headers=True
    )


def gateway(
    *,
    agent_port: int = 8001,
    model_port: int = 12000,
    upstream_port: int = 9000,
    egress: str = "unix:///tmp/egress.sock",
    access_log: str = "/dev/null",
) -> ir.Gateway:
    """Make a gateway: listener `agents` with agent `weather`, listener `models` with model `openai/gpt-4o`."""
    agent, model = names.agent("weather"), names.model("openai/gpt-4o")
    endpoint = ir.Endpoint(host="127.0.0.1", port=upstream_port)
    model_route = route(model, keeps_credentials=False, default_headers=(("x-version", "1"),))
    return ir.Gateway(
        listeners=(
            listener("agents", ir.ListenerKind.AGENT, agent_port, route(agent)),
            listener("models", ir.ListenerKind.MODEL, model_port, model_route),
        ),
        egress=ir.Egress(address=egress, url=egress, routes=(route(agent), model_route)),
        clusters=(
            cluster(agent, endpoint),
            cluster(model, endpoint, injected_headers=(injected(model, "authorization", "Bearer sk-gateway"),)),
        ),
        filter_config=pb.FilterConfig(
            listeners=[
                pb.Listener(name="agents", kind="AGENT", agents=[WEATHER]),
                pb.Listener(name="models", kind="MODEL"),
            ],
            models=[
                pb.Model(
                    name="openai/gpt-4o",
                    upstream_model="gpt-4o",
                    provider="openai",
                    default=True,
                    routes=[pb.ModelRoute(api="chat_completions", route=model, path="/v1/chat/completions")],
                )
            ],
            aliases=[pb.Alias(name="fast", model="openai/gpt-4o")],
            egress_url=egress,
            max_request_bytes=1 << 20,
        ),
        max_request_bytes=1 << 20,
        limits=ir.Limits(),
        internal_cidrs=("127.0.0.0/8", "::1/128"),
        access_log_path=access_log,
    )


def reconfigured(gateway: ir.Gateway, change: Callable[[pb.FilterConfig], None]) -> ir.Gateway:
    """Return a gateway whose ext_proc is told something else."""
    config = pb.FilterConfig()
    config.CopyFrom(gateway.filter_config)
    change(config)
    return replace(gateway, filter_config=config)
