"""Whose turn an attempt of a chain is: told by the attempts before, and why they failed.

What failed quickly may have passed as quickly: the same model is asked once more before the next one is. Not so one that asks
to be left alone, or that has used up the time of an attempt.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ext_proc.attempt.failures import Failure
from ext_proc.plan.targets import Member
from protos.contract.headers import BOUNDS_HEADER
from protos.contract.metadata import (
    METADATA_ATTEMPTED,
    METADATA_BOUNDS,
    METADATA_FAILURE,
    METADATA_ORDER,
    METADATA_SENT_AT,
    METADATA_TIMED_OUT,
    METADATA_TOO_LONG,
    METADATA_WAIT,
    join_names,
    split_names,
)

_QUICK_SECONDS: Final = 1.0
_BACKOFF_SECONDS: Final = 0.1
"""The wait before retry n is at most this * (2^n - 1), unless configured otherwise."""
_MANY: Final = 1000

_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)

_EXPECTED_HEADER: Final = "x-envoy-expected-rq-timeout-ms"
"""Envoy tells how long this attempt may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptHistory:
    """The attempts before."""

    number: int
    """Number of this attempt: 1 for the first."""
    attempted: tuple[str, ...] = ()
    """Their models, in order."""
    failure: str = ""
    """Why the last one failed."""
    too_long_for: tuple[str, ...] = ()
    """Models whose context the request exceeds."""
    timed_out: tuple[str, ...] = ()
    """Models that did not answer in time."""
    is_transient: bool = False
    """Whether what the last one failed for may have passed by now."""
    retries: int = _MANY
    """How many attempts may follow the first one."""
    bounds: str = ""
    """What the route says of that."""
    seconds: float = _MANY
    """How long an attempt may take."""

    @property
    def last(self) -> str:
        """The model that was asked last; empty if none was."""
        return self.attempted[-1] if self.attempted else ""

    @property
    def metadata(self) -> dict[str, str]:
        """What the attempts to come are told of those before."""
        return {METADATA_TIMED_OUT: join_names(self.timed_out), METADATA_BOUNDS: self.bounds}


def read_history(
    headers: Mapping[str, str], metadata: Mapping[str, str], *, first: str, number: int, now: float
) -> AttemptHistory:
    """Read what the attempts before have left; `first` is the chain's first model, `now` is in seconds since 1970.

    A connection may be refused before we could leave a word: where only the number tells of an attempt, the first model's was.
    """
    attempted = split_names(metadata.get(METADATA_ATTEMPTED, "")) or ((first,) if number > 1 else ())
    failure = metadata.get(METADATA_FAILURE, Failure.UNANSWERED if attempted else "")
    timed_out = split_names(metadata.get(METADATA_TIMED_OUT, ""))
    said = metadata.get(METADATA_BOUNDS) or headers.get(BOUNDS_HEADER, "")
    retries, seconds = _read_bounds(said)
    allowed = min(seconds, _number(headers.get(_EXPECTED_HEADER, ""), _MANY * 1000) / 1000)
    is_quick = _is_quick(metadata, allowed, number=number, now=now)
    if attempted and failure == Failure.UNANSWERED and not is_quick:
        timed_out = (*timed_out, attempted[-1])
    return AttemptHistory(
        number=number,
        attempted=attempted,
        failure=failure,
        too_long_for=split_names(metadata.get(METADATA_TOO_LONG, "")),
        timed_out=timed_out,
        is_transient=is_quick and failure != Failure.RATE_LIMITED and not metadata.get(METADATA_WAIT),
        retries=retries,
        bounds=said,
        seconds=allowed,
    )


def ejected_last(members: Sequence[Member], history: AttemptHistory) -> tuple[Member, ...]:
    """Put the first model of a chain last if Envoy has passed over it, which it does while that is known to be down."""
    if history.attempted[:1] == (members[0].model,):
        return tuple(members)
    return (*members[1:], members[0])


def select_member(members: Sequence[Member], history: AttemptHistory) -> Member | None:
    """Choose where an attempt goes; None if nobody is left who may answer."""
    able = [member for member in members if member.model not in {*history.too_long_for, *history.timed_out}]
    new = [member for member in able if member.model not in history.attempted]
    left = history.retries + 2 - history.number
    if history.is_transient and history.attempted.count(history.last) == 1 and len(new) < left:
        again = next((member for member in able if member.model == history.last), None)
        if again is not None:
            return again
    # Around again: whoever was asked least, and rather not who failed just now.
    return min(able, key=lambda member: (history.attempted.count(member.model), member.model == history.last), default=None)


def in_order(members: Sequence[Member], metadata: Mapping[str, str]) -> tuple[Member, ...]:
    """Return the members of a chain in the order that decide asks for; what it leaves open stays as configured."""
    wanted = split_names(metadata.get(METADATA_ORDER, ""))
    if not wanted:
        return tuple(members)
    places = {name: place for place, name in enumerate(wanted)}
    return tuple(sorted(members, key=lambda member: places.get(member.model, len(places))))


def _read_bounds(text: str) -> tuple[int, float]:
    """Return how many attempts may follow the first one, and how many seconds each may take."""
    wanted, configured, seconds = (*text.split(";"), "", "", "")[:3]
    return int(_number(wanted, _number(configured, _MANY))), _number(seconds, _MANY) or _MANY


def _is_quick(metadata: Mapping[str, str], allowed: float, *, number: int, now: float) -> bool:
    """Tell if the last attempt has failed long before its time was up; the wait before this one is part of what is measured."""
    taken = now - _number(metadata.get(METADATA_SENT_AT, ""), now)
    waited = _BACKOFF_SECONDS * ((1 << min(number - 1, 6)) - 1)
    return taken < min(_QUICK_SECONDS + waited, allowed * 0.9)


def _number(text: str, default: float) -> float:
    """Read a number that may be anything."""
    return float(text) if _NUMBER.fullmatch(text) else default
