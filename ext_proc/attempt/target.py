"""Which model and API an attempt is for: what Envoy picked, or whose turn it is, looked up in the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from ext_proc.attempt.events import AttemptHeaders
from ext_proc.attempt.failover_policy import AttemptHistory, ejected_last, in_order, read_history, select_member
from ext_proc.attempt.failures import Failure
from ext_proc.errors import NotReady, UpstreamError
from ext_proc.plan.plan import Plan
from ext_proc.plan.targets import Member, Target
from ext_proc.runtime import Model
from protos.contract.metadata import (
    METADATA_API,
    METADATA_ATTEMPTED,
    METADATA_BETAS,
    METADATA_CACHE_FROM,
    METADATA_FAILURE,
    METADATA_HAS_MODEL,
    METADATA_MODEL,
    METADATA_ORDER,
    METADATA_QUERY,
    METADATA_ROUTE,
    METADATA_SENT_AT,
    METADATA_STREAM,
    METADATA_UPSTREAM_MODEL,
    METADATA_WAIT,
    METADATA_WATCH,
    join_names,
    split_names,
)
from protos.contract.stages import ATTEMPT_API, ATTEMPT_MODEL, ATTEMPT_NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTarget:
    """One attempt's purpose."""

    model: Model
    name: str
    """Full name of the model that is asked: a wildcard's configured name does not say which."""
    upstream_model: str
    client_api: str
    api: str
    upstream: Target
    cache_from: int
    """See METADATA_CACHE_FROM; 0 marks nothing."""
    has_model: bool
    """Whether the client's body names a model."""
    wants_stream: bool
    """Whether the client asks for a stream."""
    query: str
    history: AttemptHistory
    sent_at: float
    """In seconds since 1970."""
    betas: str
    """The client's `anthropic-beta`, if an attempt before took it away."""
    watch: str
    """How much of a stream is looked at, where the stage may leave it: see METADATA_WATCH."""
    has_others: bool
    """Whether the chain has a model that was not asked yet, this one apart."""
    goes_on: bool
    """Whether Envoy has left it to us where the attempt goes."""

    @property
    def route(self) -> str:
        """The route on the egress listener by which the attempt goes on; empty if Envoy has chosen the target.

        Whoever is known to be down is left alone, unless it comes to a second turn: then nobody else is well.
        """
        if not self.goes_on:
            return ""
        return self.upstream.route if self.model.name in self.history.attempted else self.upstream.failover_route

    @property
    def metadata(self) -> dict[str, str]:
        """What the next attempt, the access log and the response headers are told."""
        return self.history.metadata | {
            METADATA_MODEL: self.name,
            METADATA_ATTEMPTED: join_names((*self.history.attempted, self.model.name)),
            METADATA_SENT_AT: f"{self.sent_at:.3f}",
            METADATA_FAILURE: Failure.UNANSWERED,
            METADATA_WAIT: "",
        }


def resolve_target(event: AttemptHeaders, plan: Plan | None, *, now: float) -> AttemptTarget | None:
    """Find out what an attempt is for; None if it is not a model's, or not one that decide has prepared.

    Raises:
        NotReady: this worker's configuration does not know the target (yet).
        UpstreamError: nobody is left who might answer.
    """
    metadata = event.metadata
    client_api = metadata.get(METADATA_API, "")
    name, api = event.attributes.get(ATTEMPT_MODEL, ""), event.attributes.get(ATTEMPT_API, "")
    members = _members(metadata, plan)
    if not client_api or not (name or members):
        return None
    number = _number(event.attributes.get(ATTEMPT_NUMBER, ""))
    history = read_history(event.headers, metadata, first=members[0].model if members else name, number=number, now=now)
    goes_on = not name
    if goes_on:
        name, api = _select(members, history, is_ranking=plan is not None and metadata.get(METADATA_ROUTE) in plan.rankings)
    elif name in history.too_long_for:
        raise _nobody_left(history)
    model, upstream = _known(name, api, plan)
    upstream_model = model.upstream_model or metadata.get(METADATA_UPSTREAM_MODEL, "")
    return AttemptTarget(
        model=model,
        name=model.name.removesuffix("*") + upstream_model if model.is_wildcard else model.name,
        upstream_model=upstream_model,
        client_api=client_api,
        api=api,
        upstream=upstream,
        cache_from=_number(metadata.get(METADATA_CACHE_FROM, "0")),
        has_model=metadata.get(METADATA_HAS_MODEL) == "true",
        wants_stream=metadata.get(METADATA_STREAM) == "true",
        query=metadata.get(METADATA_QUERY, ""),
        history=history,
        sent_at=now,
        betas=metadata.get(METADATA_BETAS, ""),
        watch=metadata.get(METADATA_WATCH, ""),
        has_others=not {member.model for member in members} <= {name, *history.attempted},
        goes_on=goes_on,
    )


def _members(metadata: Mapping[str, str], plan: Plan | None) -> tuple[Member, ...]:
    """Return the models of an attempt's route in the order in which they are tried."""
    route = metadata.get(METADATA_ROUTE, "")
    if plan is None:
        return ()
    if ranking := plan.rankings.get(route):
        wanted = split_names(metadata.get(METADATA_ORDER, ""))
        return tuple(ranking[name] for name in wanted if name in ranking)
    return in_order(plan.chains.get(route, ()), metadata)


def _select(members: tuple[Member, ...], history: AttemptHistory, *, is_ranking: bool) -> tuple[str, str]:
    """Return the model, and the API, of whoever's turn it is."""
    member = select_member(members if is_ranking else ejected_last(members, history), history)
    if member is None:
        raise _nobody_left(history)
    return member.model, member.api


def _known(name: str, api: str, plan: Plan | None) -> tuple[Model, Target]:
    model = plan.entries.get(name) if plan else None
    upstream = plan.targets.get((name, api)) if plan else None
    if model is None or upstream is None:
        raise NotReady(
            "The gateway's configuration is changing.", headers={"retry-after": "1"}, detail=f"no target {name!r} ({api})"
        )
    return model, upstream


def _nobody_left(history: AttemptHistory) -> UpstreamError:
    """Return the error for a chain whose models were all asked, and are not to be asked again."""
    if history.too_long_for:
        names = ", ".join(f"`{name}`" for name in history.too_long_for)
        message = f"The request is too long for {names}, and the models that might take it do not answer."
        return UpstreamError(message, status=503, code="no_model_left", headers={"retry-after": "1"})
    return UpstreamError("No model answered in time.", status=504, code="upstream_timeout")


def _number(text: str) -> int:
    # Envoy's number arrives as a double.
    try:
        return int(float(text))
    except ValueError:
        return 1
