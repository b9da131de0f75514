"""Builds all xDS resource names and stat prefixes. They are public: dashboards, access logs and patches rely on them.

Names are path-like, and never derived from a position in a list.
"""

from urllib.parse import quote


def listener(name: str) -> str:
    """Name of a listener, of its route configuration and of its stat prefix."""
    return f"listener/{name}"


def jwks(url: str) -> str:
    """Name of the cluster by which Envoy gets an issuer's keys."""
    return f"jwks/{quote(url, safe='')}"


def certificate(listener_name: str) -> str:
    """Name of the secret that a listener proves itself by; with `/client_ca`, of the authorities of its clients."""
    return f"listener/{listener_name}/certificate"


EGRESS_LISTENER = "listener/(egress)"
"""The listener of Python's own calls. Parentheses cannot occur in a configured name."""


ATTEMPTS_LISTENER = "listener/(attempts)"
"""Envoy's internal listener for all attempts of chains of models. No socket leads to it."""


def agent(agent_id: str) -> str:
    """Name of an agent's route and of its cluster."""
    return f"agent/{agent_id}"


def filter_(filter_id: str) -> str:
    """Name of a filter's route and of its cluster."""
    return f"filter/{filter_id}"


def model(name: str, variant: str = "") -> str:
    """Name of a model's route and of its cluster; `variant` distinguishes APIs that authenticate differently."""
    return f"model/{name}({variant})" if variant else f"model/{name}"


def chain(name: str, variant: str = "") -> str:
    """Name of a chain and of its route: of a model or an alias for one client API, or of an agent (`agent/<id>`)."""
    return f"chain/{name}({variant})" if variant else f"chain/{name}"


def preference(name: str) -> str:
    """Name that distinguishes chains of a preference from those of models and aliases; it may have any characters."""
    return f"(preference)/{quote(name, safe='')}"


def ranked(api: str) -> str:
    """Name of the chain, and of its route, for preferences in requests of a client API."""
    return f"chain/(ranked)({api})"


def source(kind: str) -> str:
    """Name of the route and of the cluster of a source of prices (`cost`) or latencies (`latency`)."""
    return f"source/{kind}"


COLLECTOR = "tracing/collector"
"""Cluster and egress route of the collector."""

EMBEDDER = "(embedder)"
"""Cluster of the built-in embedding model."""


def embedding(model: str) -> str:
    """Name of the egress route to the embedding model; the built-in one has no name of its own."""
    return f"embedding/{model or '(built-in)'}"


SESSION_STORE = "store/sessions"
"""Cluster of the Redis with sessions."""

SESSION_STORE_LISTENER = "listener/(sessions)"
"""Envoy's internal listener for it."""


def continued(chain: str) -> str:
    """Name of the route of streams that can be resumed: on a listener, and on the egress listener."""
    return f"continued/{chain}"


def orchestrated(listener_name: str) -> str:
    """Name of the route of requests that several agents of a listener answer."""
    return f"orchestrated/{listener_name}"


def resumed(model: str, client_api: str) -> str:
    """Name of the chain, and of its route, by which one model resumes a stream of a client API."""
    return f"resumed/{model}({client_api})"


def target(cluster: str, api: str = "") -> str:
    """Name of the cluster by which chains reach an upstream in one API."""
    return f"target/{cluster}[{api}]" if api else f"target/{cluster}"


UNAVAILABLE = "(unavailable)"
"""The cluster that replaces a model whose instances are all ejected."""


def failover_target(target_name: str) -> str:
    """Name of the cluster, and of the attempts listener's route, to a target; it fails if all instances are ejected."""
    return f"failover/{target_name}"


def stream(chain_name: str) -> str:
    """Name of the route by which requests for a stream reach a chain."""
    return f"{chain_name}/stream"


def secret(cluster: str, header: str) -> str:
    """Name of the secret that a cluster sends in a header."""
    return f"secret/{cluster}/{header}"
