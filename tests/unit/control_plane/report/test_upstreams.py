"""What `plano status` prints of upstreams."""

from collections.abc import Mapping
from dataclasses import replace

from control_plane.report.upstreams import SHOWN_ANYWAY, upstreams_text
from control_plane.supervisor.upstreams import Breaker, Failover, InstanceState, Upstream, UpstreamInstance

CLOSED = {
    "requests": Breaker(open=False, remaining=99, overflows=0),
    "retries": Breaker(open=False, remaining=None, overflows=0),
}


def instance(port: int, state: InstanceState = InstanceState.HEALTHY, errors: int = 0) -> UpstreamInstance:
    return UpstreamInstance(address=f"10.0.0.1:{port}", state=state, requests=4, errors=errors)


def upstream(
    name: str,
    *instances: UpstreamInstance,
    requests: int = 0,
    answers: int = 0,
    reasons: Mapping[str, int] | None = None,
    breakers: Mapping[str, Breaker] = CLOSED,
) -> Upstream:
    retries = sum((reasons or {}).values())
    return Upstream(
        name=name,
        instances=instances or (() if name.startswith("chain/") else (instance(80),)),
        breakers=breakers,
        requests=requests,
        answers=answers,
        failed=0,
        retries=retries,
        retries_that_helped=0,
        retries_by_reason=reasons or {},
        attempts_per_answer=(answers + retries) / answers if answers else None,
    )


def test_trouble_first_then_traffic() -> None:
    ejected = upstream("model/c", instance(1), instance(2, InstanceState.EJECTED, 3), requests=5, answers=4, reasons={"503": 1})
    chain = upstream("chain/b", answers=2, reasons={"429": 1, "no_answer": 2})
    failovers = [Failover(from_model="c", to_model="b", reason="rate_limited", count=3)]
    assert list(upstreams_text([upstream("agent/a"), chain, ejected], failovers)) == [
        "  upstream  instances             circuit breaker           requests  answers  failed  retries                   attempts per answer",  # noqa: E501
        "  model/c   1 healthy, 1 ejected  closed, 99 requests left  5         4        0       1 (503: 1)                1.25",
        "  chain/b   -                     closed                    -         2        0       3 (429: 1, no answer: 2)  2.50",
        "  agent/a   1 healthy             closed, 99 requests left  0         0        0       0                         -",
        "",
        "  instance    of       state    errors",
        "  10.0.0.1:2  model/c  ejected  3",
        "",
        "  failover from  to  reason        times",
        "  c              b   rate_limited  3",
    ]


def test_an_exhausted_limit_and_what_it_refused() -> None:
    breakers = {
        "pending_requests": Breaker(open=True, remaining=0, overflows=2),
        "requests": Breaker(open=True, remaining=0, overflows=5),
    }
    _, line = upstreams_text([upstream("model/a", breakers=breakers)], ())
    assert "open: pending requests, requests, 0 requests left, 7 refused" in line


def test_an_upstream_without_addresses() -> None:
    lost = replace(upstream("agent/a"), instances=())
    _, line = upstreams_text([lost], ())
    assert line.split()[:2] == ["agent/a", "none"]


def test_quiet_ones_are_counted_and_busy_ones_are_never_left_out() -> None:
    quiet = [upstream(f"model/{number}") for number in range(1000)]
    lines = list(upstreams_text(quiet, ()))
    assert len(lines) == 1 + SHOWN_ANYWAY + 1
    assert lines[-1] == "  and 980 more without traffic or trouble"
    busy = [upstream(f"agent/{number}", requests=1, answers=1) for number in range(50)]
    lines = list(upstreams_text([*quiet, *busy], ()))
    assert len(lines) == 1 + 50 + 1
    assert lines[-1] == "  and 1000 more without traffic or trouble"


def test_what_is_not_known() -> None:
    assert list(upstreams_text(None, None)) == [
        "  upstreams are not known: Envoy does not answer",
        "  failovers between models are not known: ext_proc does not answer",
    ]
