"""Begins and ends ext_proc's spans, and exports them according to the current configuration.

A request that is not sampled costs one comparison.
"""

import asyncio
from collections.abc import Mapping

from ext_proc.ports import Egress
from ext_proc.tracing.exporter import Count, SpanExporter
from ext_proc.tracing.queue import SpanQueue
from ext_proc.tracing.settings import TracingSettings
from ext_proc.tracing.span import Kind, Span, begin_span, read_context


class Tracer:
    """The spans of one worker."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._settings: TracingSettings | None = None
        self._egress: Egress | None = None
        self._queue: SpanQueue | None = None
        self._changed = asyncio.Event()

    def follow(self, settings: TracingSettings | None, egress: Egress) -> None:
        """Apply the tracing settings of a configuration."""
        if settings == self._settings and egress is self._egress:
            return
        self._settings, self._egress = settings, egress
        self._queue = SpanQueue(settings.queue_size, batch=settings.batch_size) if settings else None
        self._changed.set()

    @property
    def captures_content(self) -> bool:
        """Whether spans contain text of messages and tools."""
        return self._settings is not None and self._settings.captures_content

    async def run(self) -> None:
        """Export until cancelled."""
        while True:
            self._changed.clear()
            queue, settings, egress = self._queue, self._settings, self._egress
            if queue is None or settings is None or egress is None:
                await self._changed.wait()
                continue
            async with asyncio.TaskGroup() as tasks:
                exporting = tasks.create_task(SpanExporter(queue, settings, egress, self._count).run())
                await self._changed.wait()
                exporting.cancel()

    def begin(self, name: str, traceparent: str | None, kind: Kind = Kind.INTERNAL) -> Span | None:
        """Begin a child of Envoy's span; None if that is not sampled."""
        if self._queue is None:
            return None
        parent = read_context(traceparent)
        return begin_span(name, parent, kind=kind) if parent else None

    def end(self, span: Span, headers: Mapping[str, str] | None = None) -> None:
        """End a span, with the configured static attributes and those of these request headers."""
        if self._queue is None or self._settings is None:
            return
        span.attributes.update(self._settings.attributes_of(headers or {}))
        self._queue.end(span)
