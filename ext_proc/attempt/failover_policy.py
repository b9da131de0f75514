"""Selects the model of an attempt from the attempts before it, and why they failed.

Transient failures are retried once on the same model before the next one is tried. A model that timed out, or that sent
`retry-after`, is not retried.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ext_proc.attempt.failures import Failure
from ext_proc.attempt.history import AttemptHistory
from ext_proc.plan.targets import Member
from protos.contract.metadata import METADATA_ORDER, split_names

_BACKOFF_SECONDS: Final = 0.1
"""The wait before retry n is at most this * (2^n - 1), unless configured otherwise."""
_MANY: Final = 1000
_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the route allows."""

    retries: int = _MANY
    """How many attempts may follow the first one."""
    seconds: float = _MANY
    """How long an attempt may take."""
    wait: float = 0.0
    """The longest `retry-after` to wait for, in seconds."""
    silence: float = math.inf
    """For how many seconds a stream may say nothing once it has begun, though bytes come."""

    def left(self, number: int) -> int:
        """Return how many attempts are left, including the given one, where 1 is the first."""
        return self.retries + 2 - number


def read_bounds(text: str) -> Bounds:
    """Read the value of BOUNDS_HEADER, which may come from a client in part."""
    wanted, configured, seconds, wait, silence = (*text.split(";"), "", "", "", "", "")[:5]
    retries = int(_number(wanted, _number(configured, _MANY)))
    return Bounds(retries, _number(seconds, _MANY) or _MANY, _number(wait, 0.0), _number(silence, 0.0) or math.inf)


def select_member(members: Sequence[Member], history: AttemptHistory, *, left: int) -> Member | None:
    """Select the member for an attempt when `left` attempts remain; None if no member may be tried."""
    able = [member for member in members if member.model not in history.excluded]
    if len(members) == 1:
        able = [*members]  # No other member is left.
    new = [member for member in able if member.model not in history.attempted]
    if history.is_transient and history.attempted.count(history.last) == 1 and len(new) < left:
        again = next((member for member in able if member.model == history.last), None)
        if again is not None:
            return again
    # Start over with the member that was tried least often, preferably not the one that has just failed.
    return min(able, key=lambda member: (history.attempted.count(member.model), member.model == history.last), default=None)


def complete(history: AttemptHistory, members: Sequence[Member], bounds: Bounds, times: Sequence[float]) -> AttemptHistory:
    """Add the attempts without a history: they were reset before the response headers, or timed out.

    `times` are the start times of all attempts, including this one, in seconds since 1970.
    """
    for number in range(len(history.attempted) + 1, len(times)):
        member = select_member(members, history, left=bounds.left(number))
        if member is None:
            break
        waited = _BACKOFF_SECONDS * ((1 << min(number, 6)) - 1)
        seconds = max(0.0, times[number] - times[number - 1] - waited)
        history = history.after(member.model, Failure.UNANSWERED, seconds=seconds, allowed=bounds.seconds - waited)
    return history


def in_order(members: Sequence[Member], metadata: Mapping[str, str]) -> tuple[Member, ...]:
    """Return the members of a chain in the order set by the decide stage; unranked ones stay as configured."""
    wanted = split_names(metadata.get(METADATA_ORDER, ""))
    if not wanted:
        return tuple(members)
    places = {name: place for place, name in enumerate(wanted)}
    return tuple(sorted(members, key=lambda member: places.get(member.model, len(places))))


def _number(text: str, default: float) -> float:
    return float(text) if _NUMBER.fullmatch(text) else default
