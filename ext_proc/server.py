"""The gRPC shell: ExternalProcessor.Process streams in, sessions inside, health beside them.

A stream ends with the reply that settles its request: to Envoy that means "nothing more to say", and it costs less than to wait
until Envoy resets it. A reset before that is a client that went away. Sessions know no gRPC; here are the loop, the mapping of
errors that nobody foresaw, and the record of what happened.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from ext_proc import wire
from ext_proc.attempt_server import AttemptProcessor
from ext_proc.continue_server import ContinueProcessor
from ext_proc.contract import LISTENER_METADATA, STAGE_ATTEMPT, STAGE_CONTINUE, STAGE_DECIDE_BODY, STAGE_METADATA
from ext_proc.errors import InternalError
from ext_proc.events import Event, Reply
from ext_proc.session import Session
from ext_proc.telemetry.logging import get_logger
from ext_proc.telemetry.metrics import Metrics

_EOF: Final = grpc.aio.EOF  # type: ignore[attr-defined]
SERVICE: Final = "envoy.service.ext_proc.v3.ExternalProcessor"
_METHOD: Final = f"/{SERVICE}/Process"

_OPTIONS: Final = (
    # Envoy bounds bodies (413 beyond max_request_bytes); a second limit here could only contradict it.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_concurrent_streams", 2**31 - 1),
    # Two workers must never share a port by accident.
    ("grpc.so_reuseport", 0),
)

SessionFactory = Callable[[str], Session]


class ExternalProcessor:
    """Serves the streams of Envoy's http_filter."""

    def __init__(
        self,
        new_session: SessionFactory,
        metrics: Metrics,
        attempts: AttemptProcessor | None = None,
        continued: ContinueProcessor | None = None,
    ) -> None:
        self._attempts = attempts
        self._continued = continued
        self._new_session = new_session
        self._metrics = metrics
        self._log = get_logger()

    def handler(self) -> "grpc.GenericRpcHandler[Any, Any]":
        """Return the method table; messages go in and come out serialized where `wire` can do it cheaper."""
        streams, unary = grpc.stream_stream_rpc_method_handler, grpc.unary_unary_rpc_method_handler
        by_stage = {STAGE_DECIDE_BODY: unary(self.process_whole, request_deserializer=wire.decode_request)}
        if self._attempts is not None:
            by_stage[STAGE_ATTEMPT] = streams(self._attempts.process, request_deserializer=wire.decode_request)
        if self._continued is not None:
            by_stage[STAGE_CONTINUE] = streams(self._continued.process, request_deserializer=wire.decode_request)
        return _Process(by_stage, otherwise=streams(self.process, request_deserializer=wire.decode_request))

    async def process_whole(self, message: Any, context: grpc.aio.ServicerContext[Any, bytes]) -> bytes:
        """Serve a transaction of one message: to gRPC a unary call, which costs half of a stream, and Envoy cannot tell."""
        session = self._new_session(_listener(context))
        in_flight = self._metrics.in_flight(session.record.listener)
        in_flight.inc()
        started = time.perf_counter()
        try:
            return await self._answer(session, message)
        except wire.UnexpectedMessage as unexpected:
            await self._give_up(session, context, unexpected)
            raise
        finally:
            in_flight.dec()
            self._finish(session, time.perf_counter() - started)

    async def process(self, _requests: Any, context: grpc.aio.ServicerContext[Any, bytes]) -> None:
        """Serve one stream, which is one HTTP transaction."""
        session = self._new_session(_listener(context))
        in_flight = self._metrics.in_flight(session.record.listener)
        in_flight.inc()
        spent = 0.0
        try:
            while not session.is_decided:
                message = await context.read()
                if message is _EOF:
                    return
                # What lies between two messages is the client's upload, not our work.
                started = time.perf_counter()
                try:
                    answer = await self._answer(session, message)
                finally:  # a client that goes away cancels a decision
                    spent += time.perf_counter() - started
                await context.write(answer)
        except wire.UnexpectedMessage as unexpected:
            await self._give_up(session, context, unexpected)
        finally:
            # Here, because Envoy may reset the stream before the last write has returned.
            in_flight.dec()
            self._finish(session, spent)

    async def _answer(self, session: Session, message: Any) -> bytes:
        event = wire.decode(message)
        return wire.encode(event, await self._handle(session, event))

    async def _handle(self, session: Session, event: Event) -> Reply:
        try:
            return await session.handle(event)
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an answer
            self._metrics.count_error(session.record.listener, "internal")
            self._log.exception("session_failed", error=error, listener=session.record.listener)
            return session.refuse(InternalError("The gateway failed to handle the request."))

    async def _give_up(self, session: Session, context: Any, unexpected: wire.UnexpectedMessage) -> None:
        self._metrics.count_error(session.record.listener, "unexpected_message")
        self._log.error("message_unexpected", listener=session.record.listener, phase=str(unexpected))
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unexpected {unexpected}")

    def _finish(self, session: Session, seconds: float) -> None:
        record = session.record
        outcome = _outcome(session)
        self._metrics.record(record, outcome, seconds)
        code, detail = (record.error.code, record.error.detail) if record.error else (None, "")
        self._log.info(
            "request_decided" if session.is_decided else "request_cancelled",
            request_id=record.request_id,
            listener=record.listener,
            api=record.api,
            agent=record.agent,
            model=record.model,
            route=record.route,
            rung=record.rung,
            reason=record.reason,
            duration_ms=round(seconds * 1000, 3),
            outcome=outcome,
            status=record.status,
            code=code,
            detail=detail,
        )


class _Process(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # untyped at run time
    """Finds the way to serve a call: by the stage that the http_filter names."""

    def __init__(self, by_stage: dict[str, Any], *, otherwise: Any) -> None:
        self._by_stage = by_stage
        self._otherwise = otherwise

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return how to serve a call of Process, None for another method."""
        if handler_call_details.method != _METHOD:
            return None
        stage = _metadata(handler_call_details.invocation_metadata, STAGE_METADATA)
        return self._by_stage.get(stage, self._otherwise)


class Server:
    """A gRPC server on one address, with a health service that Envoy asks."""

    def __init__(self, processor: ExternalProcessor) -> None:
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers((processor.handler(),))
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    async def start(self, address: str) -> int:
        """Listen at `host:port` or `unix:path`; return the port. Not healthy until told so."""
        await self.set_serving(False)
        port = self._server.add_insecure_port(address)
        await self._server.start()
        return port

    async def set_serving(self, is_serving: bool) -> None:
        """Tell health checks whether requests should come here."""
        status = health_pb2.HealthCheckResponse.SERVING if is_serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in ("", SERVICE):
            await self._health.set(service, status)

    async def drain(self, grace_seconds: float) -> None:
        """Finish what is in flight, take nothing new, and stop."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_seconds)


def _outcome(session: Session) -> str:
    if not session.is_decided:
        return "cancelled"
    return f"{session.record.status // 100}xx" if session.record.status else "forwarded"


def _listener(context: grpc.aio.ServicerContext[Any, bytes]) -> str:
    return _metadata(context.invocation_metadata(), LISTENER_METADATA)


def _metadata(metadata: Any, wanted: str) -> str:
    for key, value in metadata or ():
        if key == wanted:
            return value if isinstance(value, str) else value.decode("latin-1")
    return ""
