"""Which model and API an attempt is for: what Envoy picked, looked up in the configuration, and what decide left with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ext_proc import contract
from ext_proc.attempt.events import AttemptHeaders
from ext_proc.attempt.failures import Failure
from ext_proc.attempt.targets import Target
from ext_proc.errors import NotReady
from ext_proc.plan import Plan
from ext_proc.runtime import Model

_SEPARATOR: Final = "\n"
"""Between names of models in dynamic metadata: cannot occur in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One attempt's purpose."""

    model: Model
    name: str
    """Full name of the model that is asked: a wildcard's configured name does not say which."""
    upstream_model: str
    client_api: str
    api: str
    target: Target
    cache_from: int
    """See contract.METADATA_CACHE_FROM; 0 marks nothing."""
    has_model: bool
    """Whether the client's body names a model."""
    query: str
    number: int
    attempted: tuple[str, ...]
    """Models of the attempts before, in order."""
    too_long_for: tuple[str, ...]
    """Those of them whose context the request exceeds."""
    previous_failure: str
    betas: str
    """The client's `anthropic-beta`, if an attempt before took it away."""
    watch: str
    """How much of a stream is looked at, where the stage may leave it: see contract.METADATA_WATCH."""
    has_others: bool
    """Whether the chain has a model that was not asked yet, this one apart."""

    @property
    def metadata(self) -> dict[str, str]:
        """What the next attempt, the access log and the response headers are told."""
        attempted = self.attempted if self.model.name in self.attempted else (*self.attempted, self.model.name)
        # The last one of the list is the one that was asked last.
        ordered = (*(name for name in attempted if name != self.model.name), self.model.name)
        return {
            contract.METADATA_MODEL: self.name,
            contract.METADATA_ATTEMPTED: join(ordered),
            contract.METADATA_FAILURE: Failure.UNANSWERED,
        }


def take_aim(event: AttemptHeaders, plan: Plan | None) -> Aim | None:
    """Find out what an attempt is for; None if it is not a model's, or not one that decide has prepared.

    Raises:
        NotReady: this worker's configuration does not know the target (yet).
    """
    name, api = event.attributes.get(contract.ATTEMPT_MODEL, ""), event.attributes.get(contract.ATTEMPT_API, "")
    told = event.metadata
    client_api = told.get(contract.METADATA_API, "")
    if not (name and api and client_api):
        return None
    model = plan.entries.get(name) if plan else None
    target = plan.targets.get((name, api)) if plan else None
    if plan is None or model is None or target is None:
        raise NotReady(
            "The gateway's configuration is changing.", headers={"retry-after": "1"}, detail=f"no target {name!r} ({api})"
        )
    upstream_model = model.upstream_model or told.get(contract.METADATA_UPSTREAM_MODEL, "")
    attempted = _split(told.get(contract.METADATA_ATTEMPTED, ""))
    members = plan.chains.get(told.get(contract.METADATA_ROUTE, ""), ())
    return Aim(
        model=model,
        name=model.name.removesuffix("*") + upstream_model if model.is_wildcard else model.name,
        upstream_model=upstream_model,
        client_api=client_api,
        api=api,
        target=target,
        cache_from=_number(told.get(contract.METADATA_CACHE_FROM, "0")),
        has_model=told.get(contract.METADATA_HAS_MODEL) == "true",
        query=told.get(contract.METADATA_QUERY, ""),
        number=_number(event.attributes.get(contract.ATTEMPT_NUMBER, "")),
        attempted=attempted,
        too_long_for=_split(told.get(contract.METADATA_TOO_LONG, "")),
        previous_failure=told.get(contract.METADATA_FAILURE, ""),
        betas=told.get(contract.METADATA_BETAS, ""),
        watch=told.get(contract.METADATA_WATCH, ""),
        has_others=not {member.model for member in members} <= {name, *attempted},
    )


def join(names: Iterable[str]) -> str:
    """Write names of models as one value of dynamic metadata."""
    return _SEPARATOR.join(names)


def _split(joined: str) -> tuple[str, ...]:
    return tuple(filter(None, joined.split(_SEPARATOR)))


def _number(text: str) -> int:
    # Envoy's number arrives as a double.
    try:
        return int(float(text))
    except ValueError:
        return 1
