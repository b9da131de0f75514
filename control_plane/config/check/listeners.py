"""Checks listeners: at most one model listener, fields that match the type, and ports without conflicts."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding, warning
from control_plane.config.model import LOOPBACK, Listener, Overrides, PlanoConfig

_OF_AGENTS: Final = frozenset({"orchestration"})
_OF_MODELS: Final = frozenset({"continues_streams", "gates_streams"})
"""Fields that only model listeners have."""


def check_listener_names(config: PlanoConfig) -> Iterator[Finding]:
    """Find duplicate names of listeners."""
    seen: set[str] = set()
    for index, listener in enumerate(config.listeners):
        path = ("listeners", index, "name")
        if listener.name in seen:
            message = f"`{listener.name}` is the name of another listener, too; names must differ"
            yield Finding(path, "duplicate-listener", message, needs=(path,))
        seen.add(listener.name)


def check_listener_kinds(config: PlanoConfig) -> Iterator[Finding]:
    """Find listeners with nothing to serve, or with fields of another type."""
    model_listener: str | None = None
    for index, listener in enumerate(config.listeners):
        if listener.type == "model":
            if model_listener is not None:
                message = f"there can be one model listener, and `{model_listener}` is one already"
                yield Finding(("listeners", index, "type"), "two-model-listeners", message)
            model_listener = model_listener or listener.name
            yield from _model_listener(index, config)
        elif listener.type == "prompt":
            message = "prompt listeners are accepted and not served yet"
            yield warning(("listeners", index, "type"), "no-effect-yet", message)
        yield from _agents(index, listener)


def _model_listener(index: int, config: PlanoConfig) -> Iterator[Finding]:
    if not config.model_providers:
        yield warning(("listeners", index), "no-providers", "has no models to serve: there are no `model_providers`")


def _agents(index: int, listener: Listener) -> Iterator[Finding]:
    if listener.type == "agent":
        if not listener.agents:
            yield Finding(("listeners", index, "agents"), "no-agents", "an agent listener needs at least one entry in `agents`")
        if listener.input_filters:
            message = "has no effect on an agent listener; put it at its `agents`"
            yield warning(("listeners", index, "input_filters"), "no-effect-yet", message)
        for field in sorted(_OF_MODELS & listener.model_fields_set):
            yield warning(("listeners", index, field), "no-effect-yet", "has no effect on an agent listener")
        return
    for field in sorted(_OF_AGENTS & listener.model_fields_set):
        yield warning(("listeners", index, field), "no-effect-yet", f"has no effect on a listener of type {listener.type}")
    if listener.agents:
        message = f"belongs to a listener of type agent, and this one is of type {listener.type}"
        yield Finding(("listeners", index, "agents"), "misplaced-agents", message)


def check_ports(config: PlanoConfig) -> Iterator[Finding]:
    """Find ports that two listeners share, or that the gateway itself needs."""
    reserved = _reserved(config.overrides)
    for index, listener in enumerate(config.listeners):
        path = ("listeners", index, "port")
        if listener.port in reserved:
            field = reserved[listener.port]
            message = f"{listener.port} is taken by the gateway itself (overrides.{field})"
            yield Finding(path, "port-clash", message, needs=(path, ("overrides", field)))
        for place, other in enumerate(config.listeners[:index]):
            if other.port == listener.port and _overlap(other.address or LOOPBACK, listener.address or LOOPBACK):
                message = f"{listener.port} is also the port of listener `{other.name}`{_hint(listener, other)}"
                wheres = tuple(("listeners", at, field) for at in (place, index) for field in ("port", "address"))
                yield Finding(path, "port-clash", message, needs=wheres)
                break


def check_exposure(config: PlanoConfig) -> Iterator[Finding]:
    """Find listeners that are reachable from other machines without requiring a key."""
    for index, listener in enumerate(config.listeners):
        is_public = listener.address and not ipaddress.ip_address(listener.address).is_loopback
        if is_public and listener.auth is None and listener.type != "prompt":
            message = (
                f"{listener.address}:{listener.port} is reachable from other machines without a key: any client can use "
                "the keys of your providers; set `auth`, or omit `address`"
            )
            yield warning(("listeners", index, "address"), "open-to-everybody", message)


def check_reserved_ports(config: PlanoConfig) -> Iterator[Finding]:
    """Find ports that two parts of the gateway would share."""
    seen: dict[int, str] = {}
    for field in _RESERVED:
        port: int = getattr(config.overrides, field)
        if port in seen:
            yield Finding(("overrides", field), "port-clash", f"{port} is also {seen[port]}")
        seen.setdefault(port, field)


_RESERVED = ("metrics_port", "control_plane_metrics_port", "admin_port")


def _reserved(overrides: Overrides) -> dict[int, str]:
    return {getattr(overrides, field): field for field in reversed(_RESERVED)}


def _overlap(one: str, other: str) -> bool:
    return one == other or any(ipaddress.ip_address(address).is_unspecified for address in (one, other))


def _hint(listener: Listener, other: Listener) -> str:
    if not {"model"} & {listener.type, other.type}:
        return ""
    return "; a model listener has 12000 unless it is given another `port`"
