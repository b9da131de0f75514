"""Permissions of callers: Envoy has checked the key, and names the caller in a header."""

from ext_proc.decide.request import Request, Services
from ext_proc.errors import Forbidden, NotReady
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.callers import Caller
from ext_proc.routing.models.resolve import ResolvedModel
from protos.contract.headers import CALLER_HEADER


def caller_of(request: Request, services: Services) -> Caller | None:
    """Return the caller; None if the listener requires no key.

    Raises:
        NotReady: Envoy knows the caller, but this worker does not yet.
    """
    name = request.headers.get(CALLER_HEADER)
    if name is None:
        return None
    if (caller := services.plan.callers.get(name)) is None:
        raise NotReady("The gateway's configuration is changing.", headers={"retry-after": "1"})
    return caller


def may_use(model: ResolvedModel, request: Request, services: Services) -> bool:
    """Whether the caller may use a model, by the requested name or by its own."""
    caller = caller_of(request, services)
    return caller is None or caller.may_ask(model.name, model.model.name, str(request.value.get("model")))


def check_model(model: ResolvedModel, request: Request, services: Services) -> None:
    """Reject a model that the caller may not use.

    Raises:
        Forbidden: it may not.
    """
    if not may_use(model, request, services):
        raise Forbidden(f"This caller may not use the model `{model.name}`.", param="model")


def agents_for(request: Request, services: Services) -> AgentPool:
    """Return the agents that the caller may use.

    Raises:
        Forbidden: none may.
    """
    caller = caller_of(request, services)
    pool = request.listener.pools.get(caller.name, request.listener.pool) if caller else request.listener.pool
    if not pool.ids:
        raise Forbidden("This caller may use none of the agents of this listener.")
    return pool
