"""`host:port`, `unix:///path` and names of internal listeners -> Envoy addresses."""

import ipaddress
from typing import Final

from control_plane.xds import api

_UNIX: Final = "unix://"


def parse(text: str) -> api.core.Address:
    """Return the address that `unix:///path`, `host:port` or `[v6]:port` names."""
    if text.startswith(_UNIX):
        return pipe(text.removeprefix(_UNIX))
    host, _, port = text.rpartition(":")
    return tcp(host.removeprefix("[").removesuffix("]"), int(port))


def pipe(path: str) -> api.core.Address:
    """Return the address of a Unix socket."""
    return api.core.Address(pipe=api.core.Pipe(path=path))


def tcp(host: str, port: int) -> api.core.Address:
    """Return a TCP address."""
    return api.core.Address(socket_address=api.core.SocketAddress(address=host, port_value=port))


def internal(listener: str) -> api.core.Address:
    """Return the address of one of Envoy's internal listeners."""
    return api.core.Address(envoy_internal_address=api.core.EnvoyInternalAddress(server_listener_name=listener))


def is_ip(host: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
