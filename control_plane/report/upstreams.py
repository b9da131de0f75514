"""Upstreams in `plano status`: those in trouble first, then those with traffic, then a few of the others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from control_plane.report.table import table
from control_plane.supervisor.upstreams import Failover, InstanceState, Upstream

SHOWN_ANYWAY: Final = 20
"""Number of upstreams without traffic that are listed."""
_HEAD: Final = ("upstream", "instances", "circuit breaker", "requests", "answers", "failed", "retries", "attempts per answer")


def upstreams_text(upstreams: Sequence[Upstream] | None, failovers: Sequence[Failover] | None) -> Iterator[str]:
    """Render the upstreams."""
    if upstreams is None:
        yield "  upstreams are not known: Envoy does not answer"
    else:
        yield from _upstreams(upstreams)
    yield from _failovers(failovers)


def _upstreams(upstreams: Sequence[Upstream]) -> Iterator[str]:
    ordered = sorted(upstreams, key=lambda upstream: (not upstream.has_trouble, not upstream.has_traffic))
    busy = sum(upstream.has_trouble or upstream.has_traffic for upstream in upstreams)
    shown = ordered[: max(SHOWN_ANYWAY, busy)]
    if shown:
        yield from table([_HEAD, *map(_row, shown)])
    if more := len(upstreams) - len(shown):
        yield f"  and {more} more without traffic or trouble"
    yield from _unused(shown)


def _row(upstream: Upstream) -> tuple[str, ...]:
    attempts = upstream.attempts_per_answer
    return (
        upstream.name,
        "-" if upstream.is_chain else _instances(upstream),
        _breakers(upstream),
        "-" if upstream.is_chain else str(upstream.requests),
        str(upstream.answers),
        str(upstream.failed),
        _retries(upstream),
        "-" if attempts is None else f"{attempts:.2f}",
    )


def _instances(upstream: Upstream) -> str:
    counted = Counter(instance.state for instance in upstream.instances)
    return ", ".join(f"{counted[state]} {state}" for state in InstanceState if counted[state]) or "none"


def _breakers(upstream: Upstream) -> str:
    """Render exhausted resources and the remaining requests; Envoy counts a chain's requests with its targets."""
    exhausted = [name.replace("_", " ") for name, breaker in upstream.breakers.items() if breaker.open]
    overflows = sum(breaker.overflows for breaker in upstream.breakers.values())
    requests = upstream.breakers.get("requests")
    is_known = requests is not None and requests.remaining is not None and not upstream.is_chain
    left = f"{requests.remaining} requests left" if requests and is_known else ""
    state = f"open: {', '.join(exhausted)}" if exhausted else "closed"
    return ", ".join(part for part in (state, left, f"{overflows} refused" if overflows else "") if part)


def _retries(upstream: Upstream) -> str:
    reasons = ", ".join(f"{reason.replace('_', ' ')}: {count}" for reason, count in upstream.retries_by_reason.items())
    return f"{upstream.retries} ({reasons})" if reasons else str(upstream.retries)


def _unused(upstreams: Sequence[Upstream]) -> Iterator[str]:
    rows = [
        (instance.address, upstream.name, instance.state.value, str(instance.errors))
        for upstream in upstreams
        for instance in upstream.instances
        if instance.state is not InstanceState.HEALTHY
    ]
    if rows:
        yield ""
        yield from table([("instance", "of", "state", "errors"), *rows])


def _failovers(failovers: Sequence[Failover] | None) -> Iterator[str]:
    if failovers is None:
        yield "  failovers between models are not known: ext_proc does not answer"
    elif failovers:
        yield ""
        rows = [(item.from_model, item.to_model, item.reason, str(item.count)) for item in failovers]
        yield from table([("failover from", "to", "reason", "times"), *rows])
