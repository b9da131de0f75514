"""Follows the control plane's FilterConfig over ADS (state of the world), and answers with ACK or NACK.

The last good configuration stays if the control plane is unavailable or sends an unusable one.
https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio

from process_log import get_logger
from protos import discovery_pb2 as ads
from protos import discovery_pb2_grpc
from protos.contract.discovery import FILTER_CONFIG_NAME, FILTER_CONFIG_TYPE_URL
from protos.filter_config_pb2 import FilterConfig

_EOF: Final = grpc.aio.EOF  # type: ignore[attr-defined]
NODE_CLUSTER: Final = "ext_proc"
_FIRST_DELAY_SECONDS: Final = 0.1
_LAST_DELAY_SECONDS: Final = 2.0
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    # Every worker waits for the control plane when all are started together.
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


class ConfigRejected(Exception):
    """The configuration cannot be used; the message is sent to the control plane."""


class ConfigSource:
    """Passes each new configuration to `apply`, which may raise ConfigRejected."""

    def __init__(self, target: str, node_id: str, apply: Callable[[FilterConfig], None]) -> None:
        self._target = target
        self._node = ads.Node(id=node_id, cluster=NODE_CLUSTER)
        self._apply = apply
        self._version = ""
        """Version of the last configuration that was applied; empty before the first."""
        self._log = get_logger()

    async def follow(self) -> None:
        """Follow until cancelled: reconnects with growing delays, and at once after a stream that delivered a configuration."""
        async with grpc.aio.insecure_channel(self._target, options=_OPTIONS) as channel:
            stub = discovery_pb2_grpc.AggregatedDiscoveryServiceStub(channel)  # type: ignore[no-untyped-call]
            delay = _FIRST_DELAY_SECONDS
            while True:
                received = await self._follow_stream(stub)
                delay = _FIRST_DELAY_SECONDS if received else min(delay * 2, _LAST_DELAY_SECONDS)
                await asyncio.sleep(delay)

    async def _follow_stream(self, stub: discovery_pb2_grpc.AggregatedDiscoveryServiceStub) -> int:
        received = 0
        call = stub.StreamAggregatedResources(wait_for_ready=True)
        try:
            await call.write(self._subscription())
            while (response := await call.read()) is not _EOF:
                received += 1
                await call.write(self._answer(response))
            self._log.warning("control_plane_closed_stream", status=str(await call.code()))
        except grpc.aio.AioRpcError as error:
            self._log.warning("control_plane_lost", status=error.code().name)
        except asyncio.InvalidStateError:
            self._log.warning("control_plane_lost", status="stream ended while answering")
        finally:
            call.cancel()
        return received

    def _subscription(self) -> ads.DiscoveryRequest:
        return ads.DiscoveryRequest(
            version_info=self._version, node=self._node, resource_names=[FILTER_CONFIG_NAME], type_url=FILTER_CONFIG_TYPE_URL
        )

    def _answer(self, response: Any) -> ads.DiscoveryRequest:
        request = self._subscription()
        request.response_nonce = response.nonce
        try:
            self._receive(response)
        except ConfigRejected as rejected:
            self._refuse(request, str(rejected))
        except Exception as error:  # noqa: BLE001 - a bug must not affect requests under the last good one
            self._log.exception("config_failed", error=error)
            self._refuse(request, f"it could not be applied: {type(error).__name__}")
        request.version_info = self._version
        return request

    def _refuse(self, request: ads.DiscoveryRequest, reason: str) -> None:
        self._log.error("config_rejected", nonce=request.response_nonce, reason=reason)
        request.error_detail.code = grpc.StatusCode.INVALID_ARGUMENT.value[0]
        request.error_detail.message = reason

    def _receive(self, response: Any) -> None:
        if response.type_url != FILTER_CONFIG_TYPE_URL:
            raise ConfigRejected(f"not subscribed to {response.type_url!r}")
        if self._version and response.version_info == self._version:
            return
        for resource in response.resources:
            config = FilterConfig()
            if not resource.Unpack(config):
                raise ConfigRejected(f"unexpected resource of type {resource.type_url!r}")
            self._apply(config)
        # No resource: there is no configuration any more, or not yet. The current one stays.
        self._version = response.version_info
