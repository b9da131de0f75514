"""One resource type on one stream, as a pure state machine: requests in, decisions out.

A request subscribes, acknowledges (ACK), rejects (NACK), or is stale. Rules, with "spec" for
https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol :

    first request of the type    answered, unless it proves that a whole set is already there (spec: ACK/NACK and resource type
                                 instance version: servers may skip what the client had seen on a previous stream)
    nonce of the last response   ACK or NACK, and the names are the subscription from now on
    an older nonce               its verdict counts for that older response; its names are ignored (spec: stale nonces)
    no nonce                     the client changed its subscription before the first response: names only
    NACK                         the client keeps its last version; nothing is sent until the content changes
    empty names                  before any name: everything, for types served as whole sets; after a name: nothing
                                 (spec: How the client specifies what resources to return)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from control_plane.ads.snapshot import ResourceSet

WILDCARD = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A discovery request, without its type."""

    version: str = ""
    names: frozenset[str] = frozenset()
    nonce: str = ""
    error: str | None = None
    """The client's error for the response with this nonce; None for an ACK."""


class Received(Enum):
    """The classification of a request."""

    FIRST = auto()
    SUBSCRIBED = auto()
    ACKED = auto()
    REJECTED = auto()
    STALE = auto()


class Verdict(Enum):
    """Whether the client has accepted the resources that it was sent."""

    PENDING = auto()
    ACKED = auto()
    REJECTED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response to send."""

    nonce: str
    version: str
    values: Mapping[str, bytes]


class Subscription:
    """The resources of one type that a client wants, what was sent, and the client's verdict on it."""

    def __init__(self, *, whole_set: bool) -> None:
        self.acked_version = ""
        """The last version that the client acknowledged."""
        self.nack = ""
        """Why the last response was rejected; empty once a later one is accepted."""
        self._whole_set = whole_set
        self._names: frozenset[str] | None = None
        self._wanted_all = False
        self._claimed_version = ""
        self._is_answered = False
        self._nonces = 0
        self._in_flight: dict[str, Response] = {}
        self._sent: dict[str, bytes] = {}
        self._sent_version = ""
        self._acked: dict[str, bytes] = {}
        self._refused: dict[str, bytes] = {}
        self._refused_version: str | None = None
        """Version of the resources that were served when `_refused` was rejected; None if nothing is."""

    def receive(self, request: Request) -> Received:
        """Process a request, and return its classification."""
        if self._names is None:
            self._subscribe(request.names)
            self._claimed_version = request.version
            return Received.FIRST
        if request.nonce == "":
            self._subscribe(request.names)
            return Received.SUBSCRIBED
        response = self._answered_by(request.nonce)
        if request.nonce == str(self._nonces):
            self._subscribe(request.names)
        elif response is None:
            return Received.STALE
        if response is None:
            return Received.SUBSCRIBED
        return self._accept(response) if request.error is None else self._reject(response, request.error)

    def due(self, resources: ResourceSet) -> Response | None:
        """Return the response that is due for these resources; None if there is none."""
        if self._names is None or self._has_already(resources):
            return None
        if resources.version != self._refused_version:
            self._refused, self._refused_version = {}, None
        elif self._whole_set:
            return None
        wanted = self._wanted(resources)
        changed = {n: v for n, v in wanted.items() if self._sent.get(n) != v and self._refused.get(n) != v}
        is_shrunk = self._whole_set and wanted.keys() != self._sent.keys()
        if self._is_answered and not changed and not is_shrunk:
            return None
        return self._send(wanted if self._whole_set else changed, resources.version)

    def verdict(self, resources: ResourceSet) -> Verdict:
        """Return the client's verdict on its part of these resources."""
        if self._names is None:
            return Verdict.ACKED
        wanted = self._wanted(resources)
        if resources.version == self._refused_version and (self._whole_set or any(name in self._refused for name in wanted)):
            return Verdict.REJECTED
        if any(self._acked.get(name) != value for name, value in wanted.items()):
            return Verdict.PENDING
        return Verdict.PENDING if self._whole_set and wanted.keys() != self._acked.keys() else Verdict.ACKED

    def forget(self, names: Iterable[str]) -> None:
        """Send these again although they did not change: the client warms a resource that needs them."""
        for name in names:
            self._sent.pop(name, None)

    def _subscribe(self, names: frozenset[str]) -> None:
        self._wanted_all = WILDCARD in names or (self._whole_set and not names and (self._names is None or self._wanted_all))
        self._names = names - {WILDCARD}
        if not self._wanted_all:
            # A name that was unsubscribed and subscribed again is sent again: the client has dropped it.
            self._sent = {name: value for name, value in self._sent.items() if name in self._names}
            self._acked = {name: value for name, value in self._acked.items() if name in self._names}

    def _wanted(self, resources: ResourceSet) -> Mapping[str, bytes]:
        if self._wanted_all:
            return resources.values
        # In the order of the resources, which are sorted already: sorting the names each time is slow.
        names = self._names or frozenset()
        return {name: value for name, value in resources.values.items() if name in names}

    def _has_already(self, resources: ResourceSet) -> bool:
        """Whether a reconnecting client's first request proves that it has all of these; only a wildcard request can."""
        if self._is_answered or not self._wanted_all or self._claimed_version != resources.version:
            return False
        self._is_answered = True
        self._sent = dict(resources.values)
        self._acked = dict(resources.values)
        self.acked_version = resources.version
        return True

    def _send(self, values: Mapping[str, bytes], version: str) -> Response:
        self._nonces += 1
        response = Response(nonce=str(self._nonces), version=version, values=values)
        self._in_flight[response.nonce] = response
        self._is_answered = True
        self._sent_version = version
        self._sent = dict(values) if self._whole_set else {**self._sent, **values}
        return response

    def _answered_by(self, nonce: str) -> Response | None:
        """Return the response that a nonce belongs to, and forget older ones: they will not be answered."""
        response = self._in_flight.pop(nonce, None)
        if response is not None:
            self._in_flight = {n: r for n, r in self._in_flight.items() if int(n) > int(nonce)}
        return response

    def _accept(self, response: Response) -> Received:
        self.acked_version = response.version
        if self._refused_version is None:
            self.nack = ""
        kept = {} if self._whole_set else self._acked
        self._acked = {**kept, **{name: value for name, value in response.values.items() if self._is_subscribed(name)}}
        return Received.ACKED

    def _reject(self, response: Response, error: str) -> Received:
        self.nack = error
        is_newest = response.nonce == str(self._nonces)
        if self._whole_set and not is_newest:
            return Received.REJECTED  # a newer set is on its way and gets a verdict of its own
        refused = {name: value for name, value in response.values.items() if self._sent.get(name) == value}
        self._refused = {**self._refused, **refused}
        self._refused_version = self._sent_version
        # The next version is sent in full: what a client keeps of a rejected response differs between types.
        self._sent = {name: value for name, value in self._sent.items() if name not in refused}
        self._acked = {name: value for name, value in self._acked.items() if name not in refused}
        return Received.REJECTED

    def _is_subscribed(self, name: str) -> bool:
        return self._wanted_all or name in (self._names or ())
