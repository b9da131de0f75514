"""Checks that ports are free before the start: Envoy uses SO_REUSEPORT, so a second gateway would get no error."""

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from control_plane.supervisor.errors import CannotStart

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class PortClaim:
    """A TCP port that the gateway will listen on."""

    owner: str
    """`listener "travel"`, `Envoy's admin interface`."""
    address: str
    port: int


def check_ports(claims: Iterable[PortClaim]) -> None:
    """Raise CannotStart with every port that is in use."""
    problems = [problem for claim in claims if (problem := _problem(claim))]
    if problems:
        raise CannotStart("\n".join(problems))


def _problem(claim: PortClaim) -> str | None:
    family = socket.AF_INET6 if ":" in claim.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((claim.address, claim.port))
        except OSError as error:
            return f"port {claim.port} ({claim.owner}, on {claim.address}): {_in_words(error)}"
    return None


def _in_words(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "address already in use; stop what listens there, or configure another port"
    if error.errno == errno.EACCES:
        return "not permitted; ports below 1024 need privileges"
    return error.strerror or str(error)
