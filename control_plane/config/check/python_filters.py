"""Filters that are Python functions: what they are given instead of a URL."""

from collections.abc import Iterator

from control_plane.config.check.finding import Finding
from control_plane.config.model import PlanoConfig


def check_filter_types(config: PlanoConfig) -> Iterator[Finding]:
    """Find filters that lack what their type needs, or have what it has no use for."""
    for index, step in enumerate(config.filters):
        path = ("filters", index)
        is_python = step.type == "python"
        if is_python and step.callable is None:
            yield Finding(path, "missing-field", "a filter of type python needs a `callable`: `module:function`")
        if not is_python and step.callable is not None:
            message = f"belongs to a filter of type python, and this one is of type {step.type}"
            yield Finding((*path, "callable"), "misplaced-field", message)
        if not is_python and not step.instances:
            yield Finding(path, "missing-field", f"a filter of type {step.type} needs a `url`")
        if is_python and step.instances:
            yield Finding(
                (*path, "url"), "misplaced-field", "a filter of type python is called in the gateway itself: leave `url` out"
            )


def check_python_agents(config: PlanoConfig) -> Iterator[Finding]:
    """Find Python functions that are to answer as agents."""
    functions = {step.id for step in config.filters if step.type == "python"}
    for index, listener in enumerate(config.listeners):
        for place, agent in enumerate(listener.agents):
            if agent.id in functions:
                message = f"`{agent.id}` is a Python filter, which cannot be an agent"
                yield Finding(("listeners", index, "agents", place, "id"), "python-agent", message)
