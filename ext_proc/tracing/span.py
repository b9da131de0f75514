"""Spans and their context: https://www.w3.org/TR/trace-context/#traceparent-header."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from random import getrandbits
from typing import Final

Value = str | bool | int | float | tuple[str, ...]
Attributes = Mapping[str, Value]

_LENGTH: Final = len("00-") + 32 + len("-") + 16 + len("-01")


class Kind(IntEnum):
    """The kind of a span."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


@dataclass(frozen=True, slots=True)
class SpanContext:
    """Trace id and span id, 16 and 8 bytes in hexadecimal."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        """The header that makes the spans of a call its children."""
        return f"00-{self.trace_id}-{self.span_id}-01"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a span."""

    name: str
    attributes: Attributes
    at: int
    """Nanoseconds since 1970."""


@dataclass(slots=True, kw_only=True)
class Span:
    """One span. It has ended when `ended` is set."""

    name: str
    context: SpanContext
    parent_id: str
    kind: Kind = Kind.INTERNAL
    started: int
    """Nanoseconds since 1970, as all times here."""
    ended: int = 0
    attributes: dict[str, Value] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    error: str = ""
    """Error type, a constant; empty without an error."""


def read_context(traceparent: str | None) -> SpanContext | None:
    """Return the context of a sampled span from a header of Envoy's, None if there is none or it is not sampled."""
    if traceparent is None or len(traceparent) != _LENGTH or traceparent[-1] not in "13579bdf":
        return None
    return SpanContext(traceparent[3:35], traceparent[36:52])


def begin_span(name: str, parent: SpanContext, *, kind: Kind = Kind.INTERNAL) -> Span:
    """Begin a span now."""
    context = SpanContext(parent.trace_id, f"{getrandbits(64) or 1:016x}")
    return Span(name=name, context=context, parent_id=parent.span_id, kind=kind, started=time.time_ns())
