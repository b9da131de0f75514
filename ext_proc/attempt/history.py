"""The attempt history: written on an answer, and carried to the next attempt by Envoy."""

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from ext_proc.attempt.failures import Failure
from ext_proc.attempt.record import CANNOT_CARRY

_QUICK_SECONDS: Final = 1.0
_OF_THE_TIME: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptHistory:
    """The attempts before, models by their configured names."""

    attempted: tuple[str, ...] = ()
    """In order; a model that was tried twice is listed twice."""
    failure: str = ""
    """Why the last one failed: a constant word."""
    is_transient: bool = False
    """Whether what the last one failed for may be over by now."""
    too_long_for: tuple[str, ...] = ()
    """Models whose context the request exceeds."""
    timed_out: tuple[str, ...] = ()
    cannot_carry: tuple[str, ...] = ()
    """Models whose API has no place for what the request asks."""

    @property
    def last(self) -> str:
        """The model that was tried last; empty if none was."""
        return self.attempted[-1] if self.attempted else ""

    @property
    def excluded(self) -> frozenset[str]:
        """Models that are not tried again."""
        return frozenset((*self.too_long_for, *self.timed_out, *self.cannot_carry))

    def after(
        self, model: str, failure: str, *, seconds: float, allowed: float, asks_to_wait: bool = False
    ) -> "AttemptHistory":
        """Add an attempt that has failed after some seconds, of so many that it was allowed."""
        is_quick = seconds < min(_QUICK_SECONDS, allowed * _OF_THE_TIME)
        added = replace(
            self,
            attempted=(*self.attempted, model),
            failure=failure,
            is_transient=is_quick and failure != Failure.RATE_LIMITED and not asks_to_wait,
        )
        if failure == Failure.CONTEXT_LENGTH:
            return replace(added, too_long_for=(*self.too_long_for, model))
        if failure == CANNOT_CARRY:
            return replace(added, cannot_carry=(*self.cannot_carry, model))
        if failure == Failure.UNANSWERED and not is_quick:
            return replace(added, timed_out=(*self.timed_out, model))
        return added

    def dump(self) -> str:
        """Write it as the value of a header."""
        return orjson.dumps(self).decode()


def load_history(text: str) -> AttemptHistory:
    """Read what `dump` wrote; nothing is known of what another version of this code has written."""
    if not text:
        return AttemptHistory()
    told = orjson.loads(text)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    try:
        return AttemptHistory(**values)
    except TypeError:
        return AttemptHistory()
