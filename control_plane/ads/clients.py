"""The connected clients and what each of them has acknowledged. The publisher waits on it; status and metrics show it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from control_plane.ads.signal import Signal
from control_plane.ads.snapshot import Snapshot
from control_plane.ads.subscription import Received, Request, Subscription, Verdict
from control_plane.ads.types import WHOLE_SET, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Nack:
    """A client rejected resources of one type."""

    node_id: str
    role: Role
    type_url: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientState:
    """One connected client, as an immutable value."""

    node_id: str
    role: Role
    acked: tuple[tuple[str, str], ...]
    """(type URL, version) of what it runs, sorted."""
    nacks: tuple[Nack, ...]
    """Types whose last response it rejected."""


class Observer(Protocol):
    """Receives the events of streams."""

    def connected(self, role: Role, node_id: str) -> None:
        """A client identified itself."""

    def disconnected(self, role: Role, node_id: str) -> None:
        """Its stream ended."""

    def acknowledged(self, role: Role, node_id: str, type_url: str) -> None:
        """A response was accepted."""

    def refused(self, nack: Nack) -> None:
        """A response was rejected."""


@dataclass(eq=False, slots=True, kw_only=True)
class Client:
    """One stream's client and its subscriptions, by type URL."""

    serial: int
    role: Role
    node_id: str
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def subscription(self, type_url: str) -> Subscription:
        """Return the subscription of a type, a new one the first time."""
        return self.subscriptions.setdefault(type_url, Subscription(whole_set=type_url in WHOLE_SET))

    def verdict(self, type_url: str, view: Snapshot) -> Verdict:
        """Return the client's verdict on one type of a snapshot. A type without a subscription counts as accepted."""
        subscription = self.subscriptions.get(type_url)
        return Verdict.ACKED if subscription is None else subscription.verdict(view.of_type(type_url))

    def state(self, view: Snapshot) -> ClientState:
        """Describe the client."""
        acked, nacks = [], []
        for type_url, subscription in sorted(self.subscriptions.items()):
            if subscription.verdict(view.of_type(type_url)) is Verdict.ACKED:
                acked.append((type_url, view.of_type(type_url).version))
            elif subscription.acked_version:
                acked.append((type_url, subscription.acked_version))
            if subscription.nack:
                nacks.append(self.nack(type_url))
        return ClientState(node_id=self.node_id, role=self.role, acked=tuple(acked), nacks=tuple(nacks))

    def nack(self, type_url: str) -> Nack:
        """Return the client's NACK of a type."""
        return Nack(node_id=self.node_id, role=self.role, type_url=type_url, message=self.subscription(type_url).nack)


class Clients:
    """The connected clients."""

    def __init__(self, observer: Observer) -> None:
        self.changed = Signal()
        self._observer = observer
        self._connected: dict[int, Client] = {}
        self._serials = count(1)

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._connected.values()))

    def of(self, role: Role) -> tuple[Client, ...]:
        """Return the clients of a role, in the order in which they connected."""
        return tuple(client for client in self if client.role is role)

    def join(self, role: Role, node_id: str) -> Client:
        """Add a client that just identified itself."""
        client = Client(serial=next(self._serials), role=role, node_id=node_id)
        self._connected[client.serial] = client
        self._observer.connected(role, node_id)
        self.changed.fire()
        return client

    def leave(self, client: Client) -> None:
        """Remove a client whose stream ended."""
        del self._connected[client.serial]
        self._observer.disconnected(client.role, client.node_id)
        self.changed.fire()

    def receive(self, client: Client, type_url: str, request: Request) -> None:
        """Process a client's request, and wake those that wait for its verdict."""
        received = client.subscription(type_url).receive(request)
        if received is Received.ACKED:
            self._observer.acknowledged(client.role, client.node_id, type_url)
        elif received is Received.REJECTED:
            self._observer.refused(client.nack(type_url))
        self.changed.fire()

    async def until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Wait until a condition on the clients holds; return False if it does not within the time."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True
