"""The bounded queue of spans for export: a slow collector only costs spans."""

import asyncio
import time
from collections import deque

from ext_proc.tracing.span import Span


class SpanQueue:
    """Accepts spans without waiting, and counts those that it drops."""

    def __init__(self, most: int, *, batch: int) -> None:
        """Keep at most `most` spans, and send batches of `batch`."""
        self._spans: deque[Span] = deque()
        self._most = most
        self._batch = batch
        self._worth_sending = asyncio.Event()
        self.dropped = 0
        """Number of dropped spans."""

    def __len__(self) -> int:
        return len(self._spans)

    def end(self, span: Span) -> None:
        """End a span, unless it has ended, and queue it."""
        span.ended = span.ended or time.time_ns()
        if len(self._spans) >= self._most:
            self.dropped += 1
            return
        self._spans.append(span)
        if len(self._spans) >= self._batch:
            self._worth_sending.set()

    def take(self) -> list[Span]:
        """Remove and return the oldest spans, at most a batch."""
        batch = [self._spans.popleft() for _ in range(min(self._batch, len(self._spans)))]
        if len(self._spans) < self._batch:
            self._worth_sending.clear()
        return batch

    async def wait(self, seconds: float) -> None:
        """Wait for a batch, or until the interval has passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._worth_sending.wait()
        except TimeoutError:
            pass
