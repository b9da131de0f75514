"""`ratelimits` -> buckets of tokens on the listeners of models."""

from typing import Final

from control_plane import ir
from control_plane.config.lookup import ModelNames
from control_plane.config.model import Listener, PlanoConfig

ANY_VALUE: Final = "*"
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def build_rate_limits(config: PlanoConfig, listener: Listener) -> tuple[ir.RateLimit, ...]:
    """Build the limits of a listener, sorted."""
    if listener.type != "model":
        return ()
    models = ModelNames(config)
    limits = []
    for limit in config.ratelimits:
        entry = models.find(limit.model)
        assert entry is not None, "the checks refuse it"
        limits.append(
            ir.RateLimit(
                model=entry.name or entry.model,
                header=limit.selector.key.lower(),
                value="" if limit.selector.value == ANY_VALUE else limit.selector.value,
                tokens=limit.limit.tokens,
                seconds=_SECONDS[limit.limit.unit],
            )
        )
    return tuple(sorted(limits, key=lambda limit: (limit.header, limit.model, limit.value)))
