import pytest

from ext_proc.tracing.span import SpanContext, begin_span, read_context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_sampled_context_is_read() -> None:
    assert read_context(f"00-{TRACE}-{SPAN}-01") == SpanContext(TRACE, SPAN)
    assert read_context(f"00-{TRACE}-{SPAN}-03") == SpanContext(TRACE, SPAN)


@pytest.mark.parametrize(
    "traceparent", [None, "", "nonsense", f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-02", f"00-{TRACE}-01"]
)
def test_what_is_not_sampled_has_none(traceparent: str | None) -> None:
    assert read_context(traceparent) is None


def test_a_span_belongs_to_its_parents_trace() -> None:
    parent = SpanContext(TRACE, SPAN)
    span, other = begin_span("a", parent), begin_span("b", parent)
    assert (span.context.trace_id, span.parent_id) == (TRACE, SPAN)
    assert len({span.context.span_id, other.context.span_id, SPAN}) == 3
    assert read_context(span.context.traceparent) == span.context
