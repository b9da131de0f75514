"""A Redis that stores sessions of several gateways."""

from dataclasses import dataclass

from control_plane.ir.cluster import Cluster
from control_plane.ir.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStore:
    """A Redis, and Envoy's internal listener by which ext_proc reaches it. Only Envoy knows its password."""

    cluster: Cluster
    address: str
    """`unix:///path` or `127.0.0.1:15002`: where Envoy listens."""
    url: str
    """Where ext_proc finds it."""
    answer_timeout_seconds: float
    """Timeout of an answer of Redis."""
    user: str = ""
    """Empty: the default user."""
    password: Secret | None = None
    """None: no password."""
