"""Sends spans to a collector through Envoy's egress listener, in batches, in the background.

Envoy has the connections, the timeout and the retries. A batch that fails after these is dropped.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Literal

from ext_proc.ports import Egress, EgressResponse
from ext_proc.tracing.queue import SpanQueue
from ext_proc.tracing.settings import TracingSettings
from ext_proc.tracing.span import Span

Outcome = Literal["sent", "failed", "rejected", "dropped"]

_LAST_SECONDS: Final = 2.0
"""Time limit of the last export when a worker ends."""


Count = Callable[[Outcome, int], None]


class SpanExporter:
    """Sends the spans of a queue."""

    def __init__(self, queue: SpanQueue, settings: TracingSettings, egress: Egress, count: Count) -> None:
        self._queue = queue
        self._settings = settings
        self._egress = egress
        self._count = count
        self._counted = 0

    async def run(self) -> None:
        """Send until cancelled, then send the rest."""
        try:
            while True:
                await self._queue.wait(self._settings.interval_seconds)
                await self._send_all()
        finally:
            try:
                async with asyncio.timeout(_LAST_SECONDS):
                    await self._send_all()
            except TimeoutError:
                self._count("failed", len(self._queue))

    async def _send_all(self) -> None:
        while spans := self._queue.take():
            await self._send(spans)
        dropped, self._counted = self._queue.dropped - self._counted, self._queue.dropped
        if dropped:
            self._count("dropped", dropped)

    async def _send(self, spans: Sequence[Span]) -> None:
        # Imported here, because it is only needed for exporting.
        from ext_proc.tracing import otlp

        message = otlp.encode_spans(spans, self._settings.resource)
        is_grpc = self._settings.protocol == "grpc"
        answer = await self._egress.post(
            self._settings.route,
            self._settings.path,
            headers=_GRPC_HEADERS if is_grpc else _HTTP_HEADERS,
            body=otlp.frame(message) if is_grpc else message,
            timeout_seconds=self._settings.timeout_seconds,
        )
        if not _is_taken(answer):
            self._count("failed", len(spans))
            return
        rejected = min(len(spans), otlp.count_rejected(otlp.unframe(answer.body) if is_grpc else answer.body))
        if rejected:
            self._count("rejected", rejected)
        self._count("sent", len(spans) - rejected)


def _is_taken(answer: EgressResponse) -> bool:
    return answer.status == 200 and not answer.local_reply and answer.headers.get("grpc-status", "0") == "0"


# Not traced: tracing the export of traces would never end.
_UNTRACED: Final = {"traceparent": f"00-{1:032x}-{1:016x}-00"}

_HTTP_HEADERS: Final = {"content-type": "application/x-protobuf", "accept": "application/x-protobuf", **_UNTRACED}
_GRPC_HEADERS: Final = {"content-type": "application/grpc", "te": "trailers", **_UNTRACED}
