"""One ADS stream: a reader that processes requests, and a writer that sends the responses that are due.

The writer follows its client's pace and always sends the newest view, so a slow client delays no other and skips old versions.
Within one pass it sends one view in make-before-break order, whatever order the client subscribed in.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from control_plane.ads.clients import Client, Clients
from control_plane.ads.redaction import without_secrets
from control_plane.ads.snapshot import NOTHING, Snapshot
from control_plane.ads.subscription import Request, Response
from control_plane.ads.types import CLUSTER, ENDPOINT, SENDING_ORDER, Role
from control_plane.ads.views import Views
from protos import discovery_pb2 as pb

MAX_TYPES: Final = 32
"""Types that one stream may subscribe to. Envoy knows about a dozen."""

Send = Callable[[pb.DiscoveryResponse], Awaitable[None]]


class ProtocolError(Exception):
    """A client violates the protocol."""


class Stream:
    """Serves one client until it disconnects."""

    def __init__(self, views: Views, clients: Clients, send: Send) -> None:
        self._views = views
        self._clients = clients
        self._send = send
        self._news = asyncio.Event()
        self._sent_view = NOTHING

    async def serve(self, requests: AsyncIterator[pb.DiscoveryRequest]) -> None:
        """Answer requests and follow the view until the client ends the stream.

        Raises:
            ProtocolError: A request cannot be understood.
        """
        first = await anext(requests, None)
        if first is None:
            return
        client = self._clients.join(_role(first.node.cluster), first.node.id)
        try:
            with self._views.following(self._news):
                await self._exchange(client, first, requests)
        except ExceptionGroup as group:
            broken = group.subgroup(ProtocolError)
            if broken is None:
                raise
            raise broken.exceptions[0] from None
        finally:
            self._clients.leave(client)

    async def _exchange(self, client: Client, first: pb.DiscoveryRequest, requests: AsyncIterator[pb.DiscoveryRequest]) -> None:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(self._write(client))
            self._take(client, first)
            async for request in requests:
                self._take(client, request)
            writer.cancel()

    def _take(self, client: Client, message: pb.DiscoveryRequest) -> None:
        if not message.type_url:
            raise ProtocolError("an aggregated discovery request must name its type_url")
        if message.type_url not in client.subscriptions and len(client.subscriptions) >= MAX_TYPES:
            raise ProtocolError(f"no more than {MAX_TYPES} resource types on one stream")
        self._clients.receive(client, message.type_url, _request(message))
        self._news.set()

    async def _write(self, client: Client) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            view = self._views.of(client.role)
            self._expect_rewarming(client, view)
            for type_url in sorted(client.subscriptions, key=_position):
                due = client.subscription(type_url).due(view.of_type(type_url))
                if due is not None:
                    await self._send(_message(type_url, due))

    def _expect_rewarming(self, client: Client, view: Snapshot) -> None:
        """Have the endpoints of changed clusters sent again.

        A changed cluster warms up until it receives endpoints, even unchanged ones, and its renewed request looks like an ACK.
        https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#resource-warming
        """
        before, after = self._sent_view.of_type(CLUSTER).values, view.of_type(CLUSTER).values
        self._sent_view = view
        if before is not after and ENDPOINT in client.subscriptions:
            client.subscription(ENDPOINT).forget(name for name, value in after.items() if before.get(name) != value)


def _role(cluster: str) -> Role:
    return Role.EXT_PROC if cluster == Role.EXT_PROC else Role.ENVOY


def _position(type_url: str) -> int:
    return SENDING_ORDER.index(type_url) if type_url in SENDING_ORDER else len(SENDING_ORDER)


def _request(message: pb.DiscoveryRequest) -> Request:
    return Request(
        version=message.version_info,
        names=frozenset(message.resource_names),
        nonce=message.response_nonce,
        error=without_secrets(message.error_detail.message or "no reason given") if message.HasField("error_detail") else None,
    )


def _message(type_url: str, response: Response) -> pb.DiscoveryResponse:
    message = pb.DiscoveryResponse(version_info=response.version, type_url=type_url, nonce=response.nonce)
    for value in response.values.values():
        message.resources.add(type_url=type_url, value=value)
    return message
