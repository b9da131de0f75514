"""Reads the state of upstreams from Envoy's admin interface: one request for instances, one for statistics."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import httpx
import orjson

from control_plane.supervisor.upstreams import Breaker, InstanceState, Upstream, UpstreamInstance

_KINDS: Final = "agent|chain|filter|model|source|store|target"
_RESOURCES: Final = {
    # (open, how much is left, how often something was refused)
    "connections": ("cx_open", "remaining_cx", "upstream_cx_overflow"),
    "pending_requests": ("rq_pending_open", "remaining_pending", "upstream_rq_pending_overflow"),
    "requests": ("rq_open", "remaining_rq", "upstream_rq_active_overflow"),
    "retries": ("rq_retry_open", "remaining_retries", "upstream_rq_retry_overflow"),
}
_LIMITS: Final = "circuit_breakers.default."
_COUNTED: Final = r"upstream_rq_(?:total|completed|5xx|retry|retry_success)"
_RETRIED: Final = r"retry\.upstream_rq_(?:\d+|completed)"
_BROKEN: Final = "|".join(
    rf"circuit_breakers\.default\.(?:{is_open}|{left})|{overflow}" for is_open, left, overflow in _RESOURCES.values()
)
_STAT: Final = rf"^cluster\.((?:{_KINDS})/.+?)\.({_COUNTED}|{_RETRIED}|{_BROKEN})$"
_OURS: Final = re.compile(f"(?:{_KINDS})/")
_NAMED: Final = re.compile(_STAT)
_PATIENCE_SECONDS: Final = 5.0

Stats = Mapping[str, int]
"""Statistics of one cluster, by what follows its name; those that were never used are missing."""


async def ask_envoy(admin: httpx.AsyncClient) -> tuple[Upstream, ...] | None:
    """Return all upstreams by name; None if Envoy does not answer. `admin` is a client of its admin interface."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            clusters = await _get(admin, "/clusters", format="json")
            stats = await _get(admin, "/stats", format="json", usedonly="", filter=_STAT)
    except (TimeoutError, httpx.HTTPError, orjson.JSONDecodeError):
        return None
    return read_upstreams(clusters, stats)


async def _get(client: httpx.AsyncClient, url: str, **parameters: str) -> Mapping[str, Any]:
    answer = await client.get(url, params=parameters)
    answer.raise_for_status()
    parsed: Mapping[str, Any] = orjson.loads(answer.content)
    return parsed


def read_upstreams(clusters: Mapping[str, Any], stats: Mapping[str, Any]) -> tuple[Upstream, ...]:
    """Combine Envoy's clusters and their statistics."""
    known = _by_cluster(stats.get("stats", ()))
    found = {cluster["name"]: cluster.get("host_statuses", ()) for cluster in clusters.get("cluster_statuses", ())}
    return tuple(_upstream(name, hosts, known.get(name, {})) for name, hosts in sorted(found.items()) if _OURS.match(name))


def _by_cluster(stats: Iterable[Mapping[str, Any]]) -> Mapping[str, Stats]:
    found: dict[str, dict[str, int]] = {}
    for stat in stats:
        if match := _NAMED.match(stat.get("name", "")):
            found.setdefault(match[1], {})[match[2]] = int(stat.get("value", 0))
    return found


def _upstream(name: str, hosts: Iterable[Mapping[str, Any]], stats: Stats) -> Upstream:
    answers, retries = stats.get("upstream_rq_completed", 0), stats.get("upstream_rq_retry", 0)
    return Upstream(
        name=name,
        instances=tuple(_instance(host) for host in hosts if "envoy_internal_address" not in host.get("address", {})),
        breakers={resource: _breaker(stats, *names) for resource, names in _RESOURCES.items()},
        requests=stats.get("upstream_rq_total", 0),
        answers=answers,
        failed=stats.get("upstream_rq_5xx", 0),
        retries=retries,
        retries_that_helped=stats.get("upstream_rq_retry_success", 0),
        retries_by_reason=_reasons(stats, retries),
        attempts_per_answer=round((answers + retries) / answers, 3) if answers else None,
    )


def _breaker(stats: Stats, is_open: str, left: str, overflow: str) -> Breaker:
    opened, remaining = bool(stats.get(_LIMITS + is_open)), stats.get(_LIMITS + left, 0)
    # 0 remaining although it is closed: Envoy does not report what remains of a budget.
    return Breaker(open=opened, remaining=remaining if opened or remaining else None, overflows=stats.get(overflow, 0))


def _reasons(stats: Stats, retries: int) -> Mapping[str, int]:
    """Envoy counts failed attempts by status; those without a status had no answer."""
    prefix = "retry.upstream_rq_"
    statuses = {key.removeprefix(prefix): value for key, value in sorted(stats.items()) if key.startswith(prefix)}
    silent = retries - statuses.pop("completed", 0)
    reasons = {**statuses, "no_answer": silent}
    return {reason: count for reason, count in reasons.items() if count > 0}


def _instance(host: Mapping[str, Any]) -> UpstreamInstance:
    counters = {stat["name"]: int(stat.get("value", 0)) for stat in host.get("stats", ())}
    return UpstreamInstance(
        address=_address(host.get("address", {})),
        state=_state(host.get("health_status", {})),
        requests=counters.get("rq_total", 0),
        errors=counters.get("rq_error", 0),
    )


def _address(address: Mapping[str, Any]) -> str:
    socket = address.get("socket_address")
    if socket is None:
        return str(address.get("pipe", {}).get("path", ""))
    host = socket["address"]
    return f"[{host}]:{socket['port_value']}" if ":" in host else f"{host}:{socket['port_value']}"


def _state(health: Mapping[str, Any]) -> InstanceState:
    if health.get("pending_dynamic_removal"):
        return InstanceState.LEAVING
    if health.get("failed_active_health_check") or health.get("eds_health_status", "HEALTHY") not in ("HEALTHY", "DEGRADED"):
        return InstanceState.UNHEALTHY
    return InstanceState.EJECTED if health.get("failed_outlier_check") else InstanceState.HEALTHY
