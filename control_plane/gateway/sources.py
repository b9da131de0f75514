"""`model_metrics_sources` -> a cluster and an egress route for each, and the requests that ext_proc sends."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, urlsplit

from control_plane import ir
from control_plane.config.model import CostSource, Instance, LatencySource, Overrides
from control_plane.gateway.models import ProviderEntry, find_entry
from control_plane.gateway.retries import model_retry
from control_plane.gateway.upstream import build_cluster
from control_plane.ir import names
from protos import filter_config_pb2 as pb

CATALOGUES: Final = {
    "models.dev": "https://models.dev/api.json",
    "digitalocean": "https://api.digitalocean.com/v2/gen-ai/models/catalog",
}
"""Where catalogues of prices are."""

_WHOLE: Final = {"digitalocean": "?limit=200"}
"""Query that requests all entries of a paginated catalogue at once."""
_QUERY_PATH: Final = "/api/v1/query"
_TIMEOUT_SECONDS: Final = 30.0

Source = CostSource | LatencySource


def build_sources(sources: Iterable[Source], entries: tuple[ProviderEntry, ...]) -> list[pb.Source]:
    """Build the sources for ext_proc."""
    return sorted((_build(source, entries) for source in sources), key=lambda source: source.route)


def build_source_clusters(sources: Iterable[Source], overrides: Overrides) -> Iterator[ir.Cluster]:
    """Build the clusters of sources."""
    for source in sources:
        yield build_cluster(names.source(source.type), (Instance(url=_url(source)),), None, overrides)


def build_source_routes(sources: Iterable[Source], overrides: Overrides) -> Iterator[ir.Route]:
    """Build the egress routes to sources, whose requests can be retried."""
    for source in sources:
        yield ir.Route(
            name=names.source(source.type),
            cluster=names.source(source.type),
            response_timeout_seconds=_TIMEOUT_SECONDS,
            idle_timeout_seconds=_TIMEOUT_SECONDS,
            retry=model_retry(overrides.resilience, None),
            keeps_credentials=False,
        )


def _build(source: Source, entries: tuple[ProviderEntry, ...]) -> pb.Source:
    path = urlsplit(_url(source)).path
    interval = float(source.refresh_interval or 0)
    route = names.source(source.type)
    if isinstance(source, LatencySource):
        asked = f"{path.rstrip('/')}{_QUERY_PATH}?query={quote(source.query, safe='')}"
        return pb.Source(feed=source.provider, route=route, path=asked, interval_seconds=interval)
    aliases = {name: _name(model, entries) for name, model in source.model_aliases.items()}
    asked = (path or "/") + _WHOLE.get(source.provider, "")
    return pb.Source(feed=source.provider, route=route, path=asked, interval_seconds=interval, aliases=aliases)


def _url(source: Source) -> str:
    return source.url or CATALOGUES[source.provider]


def _name(model: str, entries: tuple[ProviderEntry, ...]) -> str:
    entry = find_entry(entries, model)
    return entry.name if entry else model
