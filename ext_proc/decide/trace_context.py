"""W3C trace context: every hop of a request carries the same trace id.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

import os
import re
from typing import Final

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
"""Versions after 00 may append fields; version 00 may not, which is checked separately."""


def is_valid_traceparent(value: str) -> bool:
    """Return whether a client's traceparent is valid."""
    return _TRACEPARENT.fullmatch(value) is not None and (len(value) == 55 or not value.startswith("00"))


def new_traceparent() -> str:
    """Start a trace, sampled."""
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-01"
