"""`prompt_guards` -> a filter that sees every request before all others."""

from control_plane.config.model import Listener, PlanoConfig


def guarded(config: PlanoConfig) -> PlanoConfig:
    """Return the configuration with its guard written as what it is: the first input filter of everything."""
    guard = config.guard
    if guard is None:
        return config
    return config.model_copy(update={"listeners": tuple(_guarded(listener, guard) for listener in config.listeners)})


def _guarded(listener: Listener, guard: str) -> Listener:
    agents = tuple(
        agent.model_copy(update={"input_filters": (guard, *(step for step in agent.input_filters if step != guard))})
        for agent in listener.agents
    )
    own = (guard, *(step for step in listener.input_filters if step != guard)) if listener.type == "model" else ()
    return listener.model_copy(update={"agents": agents, "input_filters": own or listener.input_filters})
