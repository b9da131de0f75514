"""Gateways over upstreams that fail: agent `weather` with several instances, or as the first of a chain."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from control_plane import ir
from control_plane.ir import names
from tests.kit import gateways
from tests.kit.decider import to_route
from tests.kit.faults import FaultyUpstream
from tests.kit.lab import Lab, lab
from tests.kit.stub_upstream import Answer, always

AGENT = names.agent("weather")
CHAIN = names.chain(AGENT)

RETRY = ir.Retry(
    on=("connect-failure", "refused-stream", "reset", "retriable-status-codes"),
    statuses=(429, 500, 502, 503, 504),
    attempts=2,
    base_backoff_seconds=0.01,
    max_backoff_seconds=2,
)
OUTLIERS = ir.OutlierDetection(consecutive_errors=2, ejection_seconds=1, max_ejection_percent=50)


def endpoint(upstream: FaultyUpstream, **changes: object) -> ir.Endpoint:
    """Make the endpoint of one upstream."""
    return ir.Endpoint(host="127.0.0.1", port=upstream.port, **changes)  # type: ignore[arg-type]


def with_instances(
    gateway: ir.Gateway, endpoints: Sequence[ir.Endpoint], *, route: dict[str, object] | None = None, **changes: object
) -> ir.Gateway:
    """Give agent `weather` these instances; `route` and other changes are for its route and its cluster."""
    agents, models = gateway.listeners
    agent, *others = gateway.clusters
    changed = replace(agent, endpoints=tuple(endpoints), **changes)  # type: ignore[arg-type]
    made = replace(agents.routes[0], **({"retry": RETRY} | (route or {})))  # type: ignore[arg-type]
    return replace(gateway, clusters=(changed, *others), listeners=(replace(agents, routes=(made,)), models))


def with_chain(
    gateway: ir.Gateway, upstreams: Sequence[FaultyUpstream], *, route: dict[str, object] | None = None, **changes: object
) -> ir.Gateway:
    """Make agent `weather` a chain of agents named as the upstreams, each with a key and a host of its own."""
    agents, models = gateway.listeners
    clusters = [
        gateways.cluster(
            names.agent(upstream.name),
            endpoint(upstream),
            **{
                "host_header": f"{upstream.name}.example",
                "outlier_detection": OUTLIERS,
                "injected_headers": (gateways.injected(names.agent(upstream.name), "x-key", f"key of {upstream.name}"),),
            }
            | changes,
        )
        for upstream in upstreams
    ]
    chain = ir.Chain(name=CHAIN, members=tuple(ir.ChainMember(cluster=names.agent(u.name), agent=u.name) for u in upstreams))
    changed = {"cluster": CHAIN, "retry": replace(RETRY, attempts=len(upstreams))} | (route or {})
    made = replace(agents.routes[0], **changed)  # type: ignore[arg-type]
    return replace(
        gateway,
        clusters=(*gateway.clusters, *clusters),
        chains=(chain,),
        listeners=(replace(agents, routes=(made,)), models),
    )


@asynccontextmanager
async def instances(endpoints: Sequence[ir.Endpoint], **changes: object) -> AsyncIterator[Lab]:
    """Run Envoy with agent `weather` on these instances."""
    change = lambda gateway: with_instances(gateway, endpoints, **changes)  # type: ignore[arg-type]  # noqa: E731
    async with lab(lambda _asked: to_route(AGENT, agent="weather"), always(Answer()), change=change) as made:
        yield made


@asynccontextmanager
async def chain(upstreams: Sequence[FaultyUpstream], **changes: object) -> AsyncIterator[Lab]:
    """Run Envoy with agent `weather` as a chain."""
    change = lambda gateway: with_chain(gateway, upstreams, **changes)  # type: ignore[arg-type]  # noqa: E731
    async with lab(lambda _asked: to_route(AGENT, agent="weather"), always(Answer()), change=change) as made:
        yield made
