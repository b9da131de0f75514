"""Spans that wait to be exported: bounded, so that a collector that is slow or dead costs spans, and nothing else."""

import asyncio
import time
from collections import deque

from ext_proc.tracing.span import Span


class SpanQueue:
    """Takes spans without ever waiting, and counts those that it has no place for."""

    def __init__(self, most: int, *, batch: int) -> None:
        """Keep `most` spans; `batch` of them are worth being sent."""
        self._spans: deque[Span] = deque()
        self._most = most
        self._batch = batch
        self._worth_sending = asyncio.Event()
        self.dropped = 0
        """Spans that there was no place for."""

    def __len__(self) -> int:
        return len(self._spans)

    def end(self, span: Span) -> None:
        """End a span, now unless it has ended, and keep it."""
        span.ended = span.ended or time.time_ns()
        if len(self._spans) >= self._most:
            self.dropped += 1
            return
        self._spans.append(span)
        if len(self._spans) >= self._batch:
            self._worth_sending.set()

    def take(self) -> list[Span]:
        """Take the oldest spans out: a batch at most."""
        batch = [self._spans.popleft() for _ in range(min(self._batch, len(self._spans)))]
        if len(self._spans) < self._batch:
            self._worth_sending.clear()
        return batch

    async def wait(self, seconds: float) -> None:
        """Wait until there is a batch, or some time has passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._worth_sending.wait()
        except TimeoutError:
            pass
