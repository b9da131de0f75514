"""An ADS server for one client at a time: tests tell it what to send, and read what the client answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from protos import discovery_pb2 as ads
from protos import discovery_pb2_grpc
from protos.contract.discovery import FILTER_CONFIG_TYPE_URL
from protos.filter_config_pb2 import FilterConfig


class AdsStub(discovery_pb2_grpc.AggregatedDiscoveryServiceServicer):
    """Sends `current` to each client that subscribes, then whatever `send` puts in line."""

    def __init__(self, current: ads.DiscoveryResponse | None = None) -> None:
        self.current = current
        self.requests: asyncio.Queue[ads.DiscoveryRequest] = asyncio.Queue()
        self._to_send: asyncio.Queue[ads.DiscoveryResponse] = asyncio.Queue()

    async def StreamAggregatedResources(self, request_iterator: AsyncIterator[ads.DiscoveryRequest], context: Any) -> None:
        async def remember() -> None:
            async for request in request_iterator:
                self.requests.put_nowait(request)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(remember())
            if self.current is not None:
                await context.write(self.current)
            while True:
                await context.write(await self._to_send.get())

    def send(self, response: ads.DiscoveryResponse) -> None:
        self._to_send.put_nowait(response)

    async def next_request(self) -> ads.DiscoveryRequest:
        async with asyncio.timeout(10):
            return await self.requests.get()


def response(config: FilterConfig, nonce: str = "n1") -> ads.DiscoveryResponse:
    """Wrap a configuration, under its own version."""
    message = ads.DiscoveryResponse(version_info=config.version, type_url=FILTER_CONFIG_TYPE_URL, nonce=nonce)
    resource = message.resources.add()
    resource.type_url = FILTER_CONFIG_TYPE_URL
    resource.value = config.SerializeToString()
    return message


@asynccontextmanager
async def serving_ads(stub: AdsStub, address: str) -> AsyncIterator[AdsStub]:
    """Serve the stub at an address."""
    server = grpc.aio.server()
    discovery_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(stub, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(address)
    await server.start()
    try:
        yield stub
    finally:
        await server.stop(0)
