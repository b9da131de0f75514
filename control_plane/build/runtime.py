"""What the place where the gateway runs decides, as opposed to its configuration file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where internal traffic and the access log go."""

    egress_address: str
    """Where Envoy's internal listener listens: `unix:///path` or `127.0.0.1:15001`."""
    egress_url: str
    """Where ext_proc finds it: `unix:///path` or `http://host:port`."""
    access_log_path: str
    """A file, or /dev/stdout."""
