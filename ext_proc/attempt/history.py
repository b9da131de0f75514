"""The attempt history: written on an answer, and carried to the next attempt by Envoy."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import orjson

from ext_proc.attempt.client_error import ClientError
from ext_proc.attempt.failures import Failure
from ext_proc.attempt.record import CANNOT_CARRY

_QUICK_SECONDS: Final = 1.0
_OF_THE_TIME: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptHistory:
    """The previous attempts, with models by their configured names."""

    attempted: tuple[str, ...] = ()
    """In order; a model that was attempted twice is listed twice."""
    failure: str = ""
    """Reason of the last failure, a constant."""
    is_transient: bool = False
    """Whether the last failure is transient."""
    too_long_for: tuple[str, ...] = ()
    """Models whose context the request exceeds."""
    timed_out: tuple[str, ...] = ()
    cannot_carry: tuple[str, ...] = ()
    """Models whose API cannot carry the request, or whose provider rejects it or the gateway."""
    error: ClientError | None = None
    """The client's error if no attempt succeeds: the most useful one so far."""

    @property
    def last(self) -> str:
        """The model that was tried last; empty if none was."""
        return self.attempted[-1] if self.attempted else ""

    @property
    def excluded(self) -> frozenset[str]:
        """Models that are not tried again."""
        return frozenset((*self.too_long_for, *self.timed_out, *self.cannot_carry))

    def after(
        self,
        model: str,
        failure: str,
        *,
        seconds: float,
        allowed: float,
        asks_to_wait: bool = False,
        is_waited_for: bool = False,
    ) -> "AttemptHistory":
        """Add an attempt that failed after `seconds` of the `allowed` ones.

        A model that sent `retry-after` is not retried, unless Envoy waits that long.
        """
        is_quick = seconds < min(_QUICK_SECONDS, allowed * _OF_THE_TIME)
        added = replace(
            self,
            attempted=(*self.attempted, model),
            failure=failure,
            is_transient=is_waited_for or (is_quick and failure != Failure.RATE_LIMITED and not asks_to_wait),
        )
        if failure == Failure.CONTEXT_LENGTH:
            return replace(added, too_long_for=(*self.too_long_for, model))
        if failure in (CANNOT_CARRY, Failure.NOT_TAKEN, Failure.OWN_FAULT):
            return replace(added, cannot_carry=(*self.cannot_carry, model))
        if failure == Failure.UNANSWERED and not is_quick:
            return replace(added, timed_out=(*self.timed_out, model))
        return added

    def dump(self) -> str:
        """Write it as the value of a header, in ASCII."""
        return json.dumps(asdict(self), separators=(",", ":"))


def load_history(text: str) -> AttemptHistory:
    """Read the output of `dump`; that of another version counts as empty."""
    if not text:
        return AttemptHistory()
    told = orjson.loads(text)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    try:
        error = values.pop("error", None)
        return AttemptHistory(**values, error=ClientError(**error) if error else None)
    except TypeError:
        return AttemptHistory()
