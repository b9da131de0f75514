"""The Egress port over httpx, towards Envoy's egress listener."""

from collections.abc import Mapping

from ext_proc.ports import EgressResponse


class HttpxEgress:
    """Calls upstreams through the egress listener at `egress_url` (`unix:///path` or `http://host:port`)."""

    def __init__(self, egress_url: str, *, max_response_bytes: int = 50 * 1024 * 1024) -> None:
        raise NotImplementedError

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        """See `ports.Egress.post`."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close the pooled connections."""
        raise NotImplementedError
