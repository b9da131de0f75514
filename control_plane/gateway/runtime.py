"""Settings of the environment in which the gateway runs, as opposed to its configuration file."""

from dataclasses import dataclass
from typing import Final

_UNIX: Final = "unix://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Addresses of internal traffic and of the access log."""

    egress_address: str
    """Where Envoy's internal listener listens: `unix:///path` or `127.0.0.1:15001`."""
    egress_url: str
    """Where ext_proc finds it: `unix:///path` or `http://host:port`."""
    access_log_path: str
    """A file, or /dev/stdout."""
    embedder_address: str = ""
    """Where Envoy finds the embedder of ext_proc: `unix:///path` or `host:port`; empty: there is none."""
    config_folder: str = ""
    """Where the configuration file is: Python filters are looked for there."""
    max_connections: int = 50_000
    """Of clients: what open files permit."""

    @property
    def sessions_address(self) -> str:
        """Envoy's address for calls to a Redis: `unix:///path/sessions.sock` or `127.0.0.1:15002`."""
        return _next_to(self.egress_address)

    @property
    def sessions_url(self) -> str:
        """The same as a URL for ext_proc: `unix:///path/sessions.sock` or `redis://host:15002`."""
        url = _next_to(self.egress_url)
        return url if url.startswith(_UNIX) else f"redis://{url.partition('://')[2]}"


def _next_to(address: str) -> str:
    """Return the socket `sessions.sock` in the same folder, or the next port."""
    if address.startswith(_UNIX):
        return f"{address.rpartition('/')[0]}/sessions.sock"
    host, _, port = address.rstrip("/").rpartition(":")
    return f"{host}:{int(port) + 1}"
