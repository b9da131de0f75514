"""Limits of client requests and connections."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of each listener that clients connect to."""

    max_connections: int = 50_000
    """Of clients, to all listeners together."""
    connection_idle_seconds: float = 75.0
    """A connection without a request is closed after this long."""
    upload_idle_seconds: float = 60.0
    """Idle timeout of an incomplete request."""
    client_max_retries: int = 10
    """Maximum of `x-envoy-max-retries` of a trusted client."""
    client_max_timeout_seconds: float = 600.0
    """Maximum of a trusted client's timeouts."""
