"""Looks up the model and API of an attempt in the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from ext_proc.attempt.client_error import ClientError, most_useful
from ext_proc.attempt.ejections import Ejections
from ext_proc.attempt.events import AttemptHeaders
from ext_proc.attempt.failover_policy import Bounds, complete, in_order, read_bounds, select_member
from ext_proc.attempt.history import AttemptHistory, load_history
from ext_proc.errors import NotReady, UpstreamError
from ext_proc.plan.plan import Plan
from ext_proc.plan.targets import Member, Target
from ext_proc.routing.models.model import Model
from protos.contract.headers import BOUNDS_HEADER
from protos.contract.metadata import (
    EXPECTS_EVENTS,
    METADATA_API,
    METADATA_CACHE_FROM,
    METADATA_ENTRY,
    METADATA_EXPECTS,
    METADATA_HAS_MODEL,
    METADATA_HISTORY,
    METADATA_MODEL,
    METADATA_ORDER,
    METADATA_QUERY,
    METADATA_ROUTE,
    METADATA_STREAM,
    METADATA_UPSTREAM_MODEL,
    METADATA_WATCH,
    split_names,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTarget:
    """The target of one attempt."""

    model: Model
    name: str
    """Full name of the model, as opposed to the configured name of a wildcard."""
    upstream_model: str
    client_api: str
    api: str
    upstream: Target
    cache_from: int
    """See METADATA_CACHE_FROM; 0 marks nothing."""
    has_model: bool
    """Whether the client's body names a model."""
    wants_stream: bool
    """Whether the client requests a stream."""
    query: str
    watch: str
    """How much of a stream is read if the stage may detach: see METADATA_WATCH."""
    members: tuple[Member, ...]
    """Those of the chain."""
    history: AttemptHistory
    number: int
    """1 for the first attempt."""
    bounds: Bounds

    @property
    def has_others(self) -> bool:
        """Whether the chain has another model that was not attempted yet."""
        asked = {self.model.name, *self.history.attempted, *self.history.excluded}
        return not {member.model for member in self.members} <= asked

    @property
    def is_primary(self) -> bool:
        """Whether the chain begins with this model, and others are its fallbacks."""
        return self.members[0].model == self.model.name

    @property
    def sends_our_key(self) -> bool:
        """Whether the provider gets the gateway's credentials, and not the client's."""
        return not self.upstream.client_key_header

    @property
    def is_first_choice(self) -> bool:
        """Whether the chain begins with the model, and this is the first attempt."""
        return not self.history.attempted and self.is_primary

    @property
    def route(self) -> str:
        """The route on the attempts listener.

        A model whose instances are all ejected is skipped, except in a second round, when no other is healthy.
        """
        is_asked_anyway = self.model.name in self.history.attempted or len(self.members) == 1
        return self.upstream.route if is_asked_anyway else self.upstream.failover_route

    def history_after(
        self, failure: str, seconds: float, *, asks_to_wait: bool = False, is_waited_for: bool = False
    ) -> AttemptHistory:
        """Return the metadata for the next attempt if this one fails after some seconds."""
        return self.history.after(
            self.model.name,
            failure,
            seconds=seconds,
            allowed=self.bounds.seconds,
            asks_to_wait=asks_to_wait,
            is_waited_for=is_waited_for,
        )

    def next_after(self, history: AttemptHistory) -> str:
        """Return the model of the next attempt; empty if there is none."""
        member = select_member(self.members, history, left=self.bounds.left(self.number + 1))
        return "" if member is None or (len(self.members) == 1 and member.model in history.excluded) else member.model


def resolve_target(event: AttemptHeaders, plan: Plan | None, ejections: Ejections) -> AttemptTarget:
    """Resolve the target of an attempt.

    Raises:
        NotReady: this worker's configuration does not know the chain, or not that model (yet).
        UpstreamError: no model is left.
    """
    metadata = event.metadata
    members = _members(metadata, plan)
    bounds = read_bounds(event.headers.get(BOUNDS_HEADER, ""))
    history = complete(load_history(metadata.get(METADATA_HISTORY, "")), members, bounds, event.times)
    left = bounds.left(event.number)
    member = select_member(ejections.without(members), history, left=left) or select_member(members, history, left=left)
    if member is None:
        raise _no_model_left(history)
    model, upstream = _known(member, plan)
    upstream_model = model.upstream_model or metadata.get(METADATA_UPSTREAM_MODEL, "")
    return AttemptTarget(
        model=model,
        name=model.name.removesuffix("*") + upstream_model if model.is_wildcard else model.name,
        upstream_model=upstream_model,
        client_api=metadata.get(METADATA_API, ""),
        api=member.api,
        upstream=upstream,
        cache_from=int(metadata.get(METADATA_CACHE_FROM, "0")),
        has_model=metadata.get(METADATA_HAS_MODEL) == "true",
        wants_stream=metadata.get(METADATA_STREAM) == "true",
        query=metadata.get(METADATA_QUERY, ""),
        watch=metadata.get(METADATA_WATCH, ""),
        members=members,
        history=history,
        number=event.number,
        bounds=bounds,
    )


def plain_target(metadata: Mapping[str, str], plan: Plan | None) -> AttemptTarget | None:
    """Describe the only attempt of a plain route; None if this worker's configuration does not know its model."""
    api, name = metadata.get(METADATA_API, ""), metadata.get(METADATA_MODEL, "")
    model = plan.entries.get(metadata.get(METADATA_ENTRY, "")) if plan else None
    if plan is None or model is None:
        return None
    return AttemptTarget(
        model=model,
        name=name,
        upstream_model=model.upstream_model or name.removeprefix(model.name.removesuffix("*")),
        client_api=api,
        api=api,
        upstream=plan.targets.get((model.name, api)) or Target(path=""),
        cache_from=0,
        has_model=True,
        wants_stream=metadata.get(METADATA_EXPECTS) == EXPECTS_EVENTS,
        query="",
        watch="",
        members=(Member(model.name, api),),
        history=AttemptHistory(),
        number=1,
        bounds=Bounds(retries=0),
    )


def _members(metadata: Mapping[str, str], plan: Plan | None) -> tuple[Member, ...]:
    """Return the models of an attempt's route in order of failover."""
    route = metadata.get(METADATA_ROUTE, "")
    if plan is not None and (ranking := plan.rankings.get(route)):
        wanted = split_names(metadata.get(METADATA_ORDER, ""))
        members = tuple(ranking[name] for name in wanted if name in ranking)
    else:
        members = in_order(plan.chains.get(route, ()), metadata) if plan is not None else ()
    if not members:
        raise _changing(f"no chain at route {route!r}")
    return members


def _known(member: Member, plan: Plan | None) -> tuple[Model, Target]:
    model = plan.entries.get(member.model) if plan else None
    target = plan.targets.get((member.model, member.api)) if plan else None
    if model is None or target is None:
        raise _changing(f"no target {member.model!r} ({member.api})")
    return model, target


def _changing(detail: str) -> NotReady:
    return NotReady("The gateway's configuration is changing.", headers={"retry-after": "1"}, detail=detail)


class NoModelLeft(UpstreamError):
    """All models of the chain were attempted, and none may be retried."""

    before: ClientError | None = None
    """The most useful error of the attempts, if there is one."""


def _no_model_left(history: AttemptHistory) -> UpstreamError:
    error = _silence(history)
    silence = ClientError(status=error.status, body="", is_ours=True)
    told = most_useful(history.error, silence)
    error.before = None if told is silence else told
    return error


def _silence(history: AttemptHistory) -> NoModelLeft:
    if history.too_long_for:
        names = ", ".join(f"`{name}`" for name in history.too_long_for)
        message = f"The request is too long for {names}, and the models that might take it do not answer."
        return NoModelLeft(message, status=503, code="no_model_left", headers={"retry-after": "1"})
    return NoModelLeft("No model answered in time.", status=504, code="upstream_timeout")
