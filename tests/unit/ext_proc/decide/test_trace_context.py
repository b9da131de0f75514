import pytest

from ext_proc.decide.trace_context import is_valid_traceparent, new_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize("value", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01-what-comes-later"])
def test_carries_on_what_is_valid(value: str) -> None:
    assert is_valid_traceparent(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
    ],
)
def test_refuses_what_is_malformed(value: str) -> None:
    assert not is_valid_traceparent(value)


def test_starts_traces_that_differ() -> None:
    first, second = new_traceparent(), new_traceparent()
    assert is_valid_traceparent(first)
    assert first != second
