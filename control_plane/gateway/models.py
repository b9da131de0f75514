"""`model_providers` -> clusters, routes and models. An entry is one cluster, or two if its APIs authenticate differently."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from control_plane.config.credentials import takes_clients_credentials
from control_plane.config.model import Instance, Listener, ModelProvider, Overrides
from control_plane.config.providers import (
    Api,
    Auth,
    Provider,
    chosen_apis,
    own_ids,
    quirk_rules,
    resolve_provider,
    upstream_path,
    version_at,
)
from control_plane.gateway.resilience import hash_header, idle_timeout, response_timeout, settings_of, whole_timeout
from control_plane.gateway.retries import model_retry
from control_plane.gateway.upstream import build_cluster, parse_upstream
from control_plane.ir import AwsSigning, Chain, Cluster, InjectedHeader, Route, names
from control_plane.ir.secret import Secret
from protos import filter_config_pb2 as pb
from protos.contract.apis import UPSTREAM_ONLY
from protos.contract.passthrough import PASSTHROUGH
from protos.contract.quirks import Quirks, Rule, encode_rules, resolve, rules_for

HOSTED_ORCHESTRATOR = "plano/Plano-Orchestrator"
"""Plano's own hosted model: used when it is configured as the orchestration model without an entry in `model_providers`."""


_BEDROCK_SERVICE = "bedrock"
"""What signatures call Amazon Bedrock's runtime: https://docs.aws.amazon.com/general/latest/gr/bedrock.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The APIs of one entry with the same authentication: one cluster and one route."""

    name: str
    apis: Mapping[str, Api]
    auth: Auth
    default_headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """An entry of `model_providers` and its provider in the catalogue."""

    entry: ModelProvider
    provider: Provider
    is_internal: bool = False

    @property
    def name(self) -> str:
        """The name of the entry in resources, logs and metrics."""
        return self.entry.name or self.entry.model

    def rules(self, api: str) -> tuple[Rule, ...]:
        """Return the quirk rules of its models in an API; those of the entry have precedence."""
        rules = (*quirk_rules(self.provider), Rule(quirks=self.entry.quirks.given if self.entry.quirks else {}))
        return rules_for(rules, "" if self.entry.is_wildcard else self.entry.upstream_model, api)

    def quirks(self, api: str) -> Quirks:
        """Return the quirks of its model in an API; for a wildcard, those of all models."""
        return resolve(self.rules(api), "", api)

    @property
    def takes_tools_elsewhere(self) -> bool:
        """Whether some of its models accept tools only in another of its APIs than Chat Completions."""
        return any(rule.quirks.get("tools_api") in self.provider.apis for rule in self.rules("chat_completions"))

    def checks_answers(self, overrides: Overrides) -> bool:
        """Tell if its answers are looked at even where it has no fallbacks."""
        own = self.entry.checks_answers
        return overrides.checks_answers if own is None else own

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Where its API is."""
        return self.entry.instances or (Instance(url=self.provider.base_url or ""),)

    @property
    def keeps_credentials(self) -> bool:
        """Whether the client's own credentials go to the provider."""
        return takes_clients_credentials(self.entry)

    def cluster_of(self, api: str) -> str:
        """Return the name of its cluster for an API."""
        return next(group.name for group in self.groups() if api in group.apis)

    def groups(self) -> Iterator[Group]:
        """Yield its APIs, grouped by authentication; the first group has the plain name."""
        ways = sorted({api.auth for api in self.provider.apis.values()}, key=lambda auth: (auth is not Auth.BEARER, auth))
        for way in ways:
            apis = {name: api for name, api in sorted(self.provider.apis.items()) if api.auth is way}
            headers = {header for api in apis.values() for header in api.default_headers}
            variant = "" if way is ways[0] else _variant(apis)
            yield Group(name=names.model(self.name, variant), apis=apis, auth=way, default_headers=tuple(sorted(headers)))


def _variant(apis: Mapping[str, Api]) -> str:
    """Name a group after its main API, the one with the shortest path."""
    return min(apis, key=lambda name: (name in PASSTHROUGH, apis[name].suffix.count("/"), name))


def provider_entries(entries: Iterable[ModelProvider], overrides: Overrides) -> tuple[ProviderEntry, ...]:
    """Pair each entry with its provider; add Plano's hosted orchestrator if it is used without an entry."""
    choosing = {name for name in (overrides.agent_orchestration_model, overrides.llm_routing_model) if name is not None}
    found = tuple(_with_provider(entry, choosing) for entry in entries)
    if all(find_entry(found, name) for name in choosing):
        return found
    return (*found, _with_provider(ModelProvider.model_validate({"model": HOSTED_ORCHESTRATOR}), {HOSTED_ORCHESTRATOR}))


def find_entry(entries: Iterable[ProviderEntry], model: str) -> ProviderEntry | None:
    """Find the entry that `model` means: its name, its model, or the bare id of its model."""
    known = tuple(entries)
    exact = (entry for entry in known if model in (entry.name, entry.entry.model))
    bare = (entry for entry in known if model == entry.entry.upstream_model)
    return next(exact, None) or next(bare, None)


def _with_provider(entry: ModelProvider, choosing: Collection[str]) -> ProviderEntry:
    provider = resolve_provider(entry.model, entry.provider_interface)
    if provider is None:
        raise ValueError(f"no provider for {entry.model!r}: the configuration was not checked")
    provider = version_at(provider, parse_upstream(entry.instances[0].url).path if entry.instances else "")
    if entry.apis:
        provider = replace(provider, apis=chosen_apis(provider, entry.apis))
    is_internal = provider.id == "plano" and not {entry.name, entry.model, entry.upstream_model}.isdisjoint(choosing)
    return ProviderEntry(entry=entry, provider=provider, is_internal=is_internal)


def build_model(
    known: ProviderEntry, chains: Mapping[str, Chain], attempt_routes: Collection[str] = (), *, times_streams: bool = False
) -> pb.Model:
    """Build a model; for the client APIs in `chains` the attempt stage builds the upstream's request.

    `attempt_routes` are the names of the routes on the attempts listener; with `times_streams` requests for a stream have
    a route of their own.
    """
    routes = {
        api: pb.ModelRoute(
            api=api,
            route=group.name,
            stream_route=names.stream(group.name) if times_streams else "",
            path=_path(known, api),
        )
        for group in known.groups()
        for api in group.apis
        if api not in UPSTREAM_ONLY
    }
    for api, chain in chains.items():
        routes[api] = _with_tools(routes[api], chain) if chain.for_tools else _chain_choice(api, chain)
    return pb.Model(
        name=known.name,
        upstream_model="" if known.entry.is_wildcard else known.entry.upstream_model,
        provider=known.entry.provider,
        default=known.entry.default,
        internal=known.is_internal,
        routes=[routes[api] for api in sorted(routes)],
        targets=[
            pb.Target(
                api=api,
                path=_path(known, api),
                stream_path=_path(known, api, is_stream=True) if how.stream_suffix else "",
                quirks=encode_rules(known.rules(api)),
                client_key_header=_key_header(how.auth) if known.keeps_credentials else "",
                **_routes_to(known.cluster_of(api), api, attempt_routes),
            )
            for api, how in sorted(known.provider.apis.items())
            if api not in PASSTHROUGH
        ],
        own_ids=own_ids(known.entry.provider) if known.entry.is_wildcard else (),
    )


def _with_tools(route: pb.ModelRoute, chain: Chain) -> pb.ModelRoute:
    """Add to a plain route the route for requests with tools."""
    more = pb.ModelRoute(tools_route=chain.name, members=_chain_choice(route.api, chain).members)
    more.MergeFrom(route)
    return more


def _routes_to(cluster: str, api: str, routes: Collection[str]) -> dict[str, str]:
    """Return the routes to a target: those of a chain, or else the model's own."""
    own, target = names.failover_target(cluster), names.target(cluster, api)
    if target in routes:
        failover = names.failover_target(target)
        return {"failover_route": failover if failover in routes else target, "route": target}
    return {"failover_route": own, "route": own} if own in routes else {}


def build_chain_choices(chains: Mapping[str, Chain]) -> dict[str, pb.ModelRoute]:
    """Build the routes to chains by client API; body and path are left to the attempt stage."""
    return {api: _chain_choice(api, chain) for api, chain in chains.items()}


def _chain_choice(api: str, chain: Chain) -> pb.ModelRoute:
    stream_route = names.stream(chain.name) if chain.first_byte_timeout_seconds else ""
    is_resumable = any(member.resumed for member in chain.members)
    return pb.ModelRoute(
        api=api,
        route=chain.name,
        stream_route=stream_route,
        by_attempt=True,
        members=[
            pb.Member(model=member.model, api=member.api, resumed=member.resumed, resumed_api=member.resumed_api)
            for member in chain.members
        ],
        continued=names.continued(chain.name) if is_resumable else "",
        silence_seconds=chain.silence_seconds if is_resumable else 0.0,
    )


def _path(known: ProviderEntry, api: str, *, is_stream: bool = False) -> str:
    return upstream_path(known.provider, api, parse_upstream(known.instances[0].url).path, is_stream=is_stream)


def build_model_clusters(known: ProviderEntry, overrides: Overrides) -> Iterator[Cluster]:
    """Build the clusters of one entry."""
    for group in known.groups():
        yield build_cluster(
            group.name,
            known.instances,
            known.entry.resilience,
            overrides,
            host_header=known.entry.http_host,
            injected_headers=tuple(_injected_headers(known.entry, group)),
            takes_client_token=known.keeps_credentials and group.auth is Auth.BEARER,
            aws=_aws(known.entry),
        )


def _aws(entry: ModelProvider) -> AwsSigning | None:
    if entry.aws is None:
        return None
    return AwsSigning(service=_BEDROCK_SERVICE, region=entry.aws.region, profile=entry.aws.profile or "")


def times_streams(known: ProviderEntry, overrides: Overrides) -> bool:
    """Whether streams have a timeout for their first token."""
    return settings_of(known.entry.resilience, overrides).timeouts.first_byte is not None


def build_model_routes(known: ProviderEntry, listener: Listener, overrides: Overrides) -> Iterator[Route]:
    """Build the routes of a model listener to one entry."""
    settings = settings_of(known.entry.resilience, overrides)
    whole_seconds = whole_timeout(settings, listener.timeout)
    for group in known.groups():
        if group.apis.keys() <= UPSTREAM_ONLY:
            continue  # Chains alone lead there.
        route = Route(
            name=group.name,
            cluster=group.name,
            hash_header=hash_header(settings),
            total_timeout_seconds=settings.timeouts.total,
            response_timeout_seconds=whole_seconds,
            idle_timeout_seconds=idle_timeout(settings, listener.idle_timeout, whole_seconds),
            retry=model_retry(settings, listener.max_retries),
            keeps_credentials=known.keeps_credentials,
            default_headers=group.default_headers,
            takes_decided_path=True,
        )
        yield route
        if times_streams(known, overrides):
            seconds = response_timeout(settings, listener.timeout)
            idle_seconds = idle_timeout(settings, listener.idle_timeout, seconds)
            stream = replace(route, response_timeout_seconds=seconds, idle_timeout_seconds=idle_seconds)
            yield replace(stream, name=names.stream(group.name))


def _injected_headers(entry: ModelProvider, group: Group) -> Iterator[InjectedHeader]:
    """Yield the key's header, then the configured headers, which override it."""
    values = {header.lower(): value for header, value in entry.headers.items()}
    if entry.access_key is not None and not entry.passthrough_auth:
        header, value = _credential(group.auth, entry.access_key)
        values = {header: value} | values
    for header, value in sorted(values.items()):
        yield InjectedHeader(header=header, secret_name=names.secret(group.name, header), value=value)


def _credential(auth: Auth, key: Secret) -> tuple[str, Secret]:
    return _key_header(auth), Secret(f"Bearer {key.reveal()}") if auth is Auth.BEARER else key


def _key_header(auth: Auth) -> str:
    return "authorization" if auth is Auth.BEARER else auth.value
