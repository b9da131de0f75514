"""Applies quirks to a request's tuning: reasoning efforts, sampling, rejected fields."""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from protos.contract.quirks import Quirks

SAMPLING: Final = frozenset({"temperature", "top_p"})
"""Sampling fields, which some models reject in all APIs."""

LOSSLESS: Final = Quirks(cache_markers="cache_control", reasoning_history="reasoning_details", tool_name_length=1 << 16)
"""Of the Chat Completions body between two translations; see Exchange.is_lossless."""

_LADDER: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_HIGH: Final = _LADDER.index("high")


def accepted_effort(effort: Any, quirks: Quirks) -> Any:
    """Return the accepted effort nearest to the requested one; None if the model accepts none.

    Of two equally near ones, it is the one nearer to `high`. Unknown values pass.
    """
    if quirks.efforts is not None and not quirks.efforts:
        return None
    if effort not in _LADDER:
        return effort
    if quirks.efforts is None:
        return "high" if effort in ("xhigh", "max") else effort
    wanted = _LADDER.index(effort)
    places = (_LADDER.index(word) for word in quirks.efforts)
    return _LADDER[min(places, key=lambda place: (abs(place - wanted), abs(place - _HIGH)))]


def leave_out_refused(body: JsonObject, quirks: Quirks) -> None:
    """Remove fields that the upstream is known to reject from a translated request."""
    for name in quirks.refused_fields:
        body.pop(name, None)


def accepted_limit(limit: Any, quirks: Quirks) -> Any:
    """Return a token limit, raised to the upstream's minimum."""
    is_low = isinstance(limit, int) and limit < quirks.least_max_tokens
    return quirks.least_max_tokens if is_low else limit
