"""The gRPC server for Envoy and the ext_proc workers, on a Unix socket that only its owner can open, or on TCP.

A peer that stops answering pings is removed after a few seconds, so that no publication waits for its ACK.
"""

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from control_plane.ads.clients import Clients
from control_plane.ads.stream import ProtocolError, Stream
from control_plane.ads.views import Views
from protos import discovery_pb2 as pb
from protos import discovery_pb2_grpc as rpc

MAX_MESSAGE_BYTES: Final = 256 * 2**20
"""gRPC's own 4 MiB are too few for the clusters of a thousand agents."""

_OPTIONS: Final = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
    ("grpc.so_reuseport", 0),
)

_log = structlog.get_logger(__name__)


class AdsServer:
    """Serves the view of its role to each client."""

    def __init__(self, views: Views, clients: Clients) -> None:
        self._server = grpc.aio.server(options=_OPTIONS)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # set at import, by version
        rpc.add_AggregatedDiscoveryServiceServicer_to_server(_Servicer(views, clients), self._server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    async def start(self, address: str) -> int:
        """Listen on `unix:///path` or `host:port` and return the port (1 for a Unix socket).

        Raises:
            OSError: The address cannot be listened on.
        """
        path = socket_path(address)
        if path is not None:
            _make_way(path)
        try:
            port = self._listen(address, private=path is not None)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        await self._server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self) -> None:
        """End all streams and close the address."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace=None)

    def _listen(self, address: str, *, private: bool) -> int:
        # A umask: with a later chmod other users could connect in between.
        previous = os.umask(0o177) if private else None
        try:
            return self._server.add_insecure_port(address)
        finally:
            if previous is not None:
                os.umask(previous)


class _Servicer(rpc.AggregatedDiscoveryServiceServicer):
    def __init__(self, views: Views, clients: Clients) -> None:
        self._views = views
        self._clients = clients

    async def StreamAggregatedResources(  # noqa: N802 - the contract's name
        self,
        requests: AsyncIterator[pb.DiscoveryRequest],
        context: "grpc.aio.ServicerContext[pb.DiscoveryRequest, pb.DiscoveryResponse]",
    ) -> None:
        """Serve one stream."""
        try:
            await Stream(self._views, self._clients, context.write).serve(requests)
        except ProtocolError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except ExceptionGroup:
            _log.exception("ads_stream_failed")
            await context.abort(grpc.StatusCode.INTERNAL, "the control plane failed")


def socket_path(address: str) -> Path | None:
    """Return the path of a Unix socket's address, None for TCP."""
    return Path(address.removeprefix("unix://").removeprefix("unix:")) if address.startswith("unix:") else None


def _make_way(path: Path) -> None:
    """Create the folder, and remove a socket that a killed predecessor left."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
