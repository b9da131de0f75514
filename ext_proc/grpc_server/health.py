"""The service grpc.health.v1.Health, for Envoy's health checks.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from collections.abc import Iterable, Mapping
from typing import Final

from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from ext_proc.grpc_server.call import Call, Method
from ext_proc.grpc_server.status import Abort, Status

SERVICE: Final = "grpc.health.v1.Health"


class Health:
    """The serving status of some services, which is the same for all."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(services)
        self._is_serving = False
        self._watching: set[_Watch] = set()

    @property
    def methods(self) -> Mapping[str, Method]:
        """Check and Watch, by their paths."""
        return {
            f"/{SERVICE}/Check": lambda call: _Check(call, self),
            f"/{SERVICE}/Watch": lambda call: _Watch(call, self),
        }

    def set_serving(self, is_serving: bool) -> None:
        """Set the status, and notify watches."""
        if is_serving != self._is_serving:
            self._is_serving = is_serving
            for watch in tuple(self._watching):
                watch.tell()

    def end(self) -> None:
        """Set not serving, and end the watches, which would keep their connections open."""
        self.set_serving(False)
        for watch in tuple(self._watching):
            watch.leave()
        self._watching.clear()

    def status(self, service: str) -> int | None:
        """Return the status of a service; None if it is unknown."""
        if service not in self._services:
            return None
        return int(HealthCheckResponse.SERVING if self._is_serving else HealthCheckResponse.NOT_SERVING)

    def watched(self, watch: "_Watch") -> None:
        """Register a watch."""
        self._watching.add(watch)

    def unwatched(self, watch: "_Watch") -> None:
        """Remove a watch."""
        self._watching.discard(watch)


class _Check:
    """A unary check."""

    def __init__(self, call: Call, health: Health) -> None:
        self._call = call
        self._health = health

    def receive(self, message: bytes) -> None:
        status = self._health.status(_service(message))
        if status is None:
            raise Abort(Status.NOT_FOUND, "no such service")
        self._call.answer(_answer(status))

    def end(self) -> None:
        raise Abort(Status.INVALID_ARGUMENT, "no message")

    def cancel(self) -> None:
        """Nothing to cancel."""

    def resume(self) -> None:
        """Nothing to resume."""


class _Watch:
    """A watch: sends the status now, and after each change."""

    def __init__(self, call: Call, health: Health) -> None:
        self._call = call
        self._health = health
        self._service: str | None = None

    def receive(self, message: bytes) -> None:
        self._service = _service(message)
        self._health.watched(self)
        self.tell()

    def tell(self) -> None:
        """Send the status."""
        status = self._health.status(self._service or "")
        self._call.send(_answer(HealthCheckResponse.SERVICE_UNKNOWN if status is None else status))

    def leave(self) -> None:
        """End it."""
        self._call.finish(Status.UNAVAILABLE, "draining")

    def end(self) -> None:
        if self._service is None:
            raise Abort(Status.INVALID_ARGUMENT, "no message")

    def cancel(self) -> None:
        self._health.unwatched(self)

    def resume(self) -> None:
        """Nothing to resume: messages are small."""


def _service(message: bytes) -> str:
    try:
        service: str = HealthCheckRequest.FromString(message).service
    except DecodeError:
        raise Abort(Status.INVALID_ARGUMENT, "not a HealthCheckRequest") from None
    return service


def _answer(status: int) -> bytes:
    answer: bytes = HealthCheckResponse(status=status).SerializeToString()
    return answer
