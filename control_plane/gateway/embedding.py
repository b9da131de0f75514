"""The embedding model: one of `model_providers`, or the built-in one beside the ext_proc workers."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from control_plane import ir
from control_plane.config.model import NO_EMBEDDINGS, PlanoConfig, Resilience
from control_plane.gateway.models import ProviderEntry, build_model, find_entry
from control_plane.gateway.resilience import settings_of
from control_plane.gateway.retries import model_retry
from control_plane.gateway.runtime import Runtime
from control_plane.ir import names
from protos import filter_config_pb2 as pb

EMBEDDINGS_API: Final = "embeddings"

_BUILT_IN_PATH: Final = "/v1/embeddings"
_LONGEST_SECONDS: Final = 30.0
"""Descriptions are embedded in the background, and may take longer than a question."""
_CIRCUIT_BREAKER: Final = ir.CircuitBreaker(max_pending_requests=64, max_requests=64)
"""More concurrent requests would exceed the timeout; then the built-in router decides."""


@dataclass(frozen=True, slots=True)
class ChosenEmbedding:
    """An embedding model and its upstream."""

    plan: pb.Embedding
    cluster: str
    resilience: Resilience

    @property
    def route(self) -> ir.Route:
        """The egress route to it. One retry is cheaper than a decision without it."""
        return ir.Route(
            name=self.plan.route,
            cluster=self.cluster,
            response_timeout_seconds=_LONGEST_SECONDS,
            idle_timeout_seconds=_LONGEST_SECONDS,
            retry=model_retry(self.resilience, 1),
            keeps_credentials=False,
        )


def choose_embedding(config: PlanoConfig, entries: tuple[ProviderEntry, ...], runtime: Runtime) -> ChosenEmbedding | None:
    """Return the embedding model of a checked configuration; None if it is not needed."""
    overrides = config.overrides
    name, seconds = overrides.agent_embedding_model, overrides.embedding_timeout
    if name == NO_EMBEDDINGS or not config.offers_choices or (name is None and not runtime.embedder_address):
        return None
    if name is None:
        built_in = pb.Embedding(
            route=names.embedding(""), path=_BUILT_IN_PATH, upstream_model="", timeout_seconds=seconds, built_in=True
        )
        return ChosenEmbedding(built_in, names.EMBEDDER, overrides.resilience)
    entry = find_entry(entries, name)
    assert entry is not None, "the checks refuse any other"
    model = build_model(entry, {})
    way = next(route for route in model.routes if route.api == EMBEDDINGS_API)
    path = way.path.replace("{model}", quote(model.upstream_model, safe=""))
    plan = pb.Embedding(
        route=names.embedding(model.name), path=path, upstream_model=model.upstream_model, timeout_seconds=seconds
    )
    return ChosenEmbedding(plan, way.route, settings_of(entry.entry.resilience, overrides))


def build_embedder(runtime: Runtime, connect_timeout_seconds: float) -> ir.Cluster:
    """Build the cluster of the built-in model."""
    return ir.Cluster(
        name=names.EMBEDDER,
        endpoints=(_endpoint(runtime.embedder_address),),
        host_header="embedder",
        connect_timeout_seconds=connect_timeout_seconds,
        circuit_breaker=_CIRCUIT_BREAKER,
    )


def _endpoint(address: str) -> ir.Endpoint:
    if address.startswith("unix://"):
        return ir.Endpoint(host="embedder", port=0, socket_path=address.removeprefix("unix://"))
    host, _, port = address.rpartition(":")
    return ir.Endpoint(host=host.strip("[]"), port=int(port))
