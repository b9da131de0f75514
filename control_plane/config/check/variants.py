"""Variants of agents: each can be reached, and none has more conversations than there are."""

from collections.abc import Iterator

from control_plane.config.check.finding import Finding
from control_plane.config.model import PlanoConfig


def check_variants(config: PlanoConfig) -> Iterator[Finding]:
    """Find variants that get nothing, twice the same, or more than everything."""
    for index, listener in enumerate(config.listeners):
        offered = {agent.id for agent in listener.agents}
        for place, agent in enumerate(listener.agents):
            path = ("listeners", index, "agents", place, "variants")
            seen: set[str] = set()
            for number, variant in enumerate(agent.variants):
                here = (*path, number)
                if variant.agent in offered:
                    yield Finding((*here, "agent"), "offered-variant", f"`{variant.agent}` is offered by this listener itself")
                if variant.agent in seen:
                    yield Finding(
                        (*here, "agent"), "duplicate-variant", f"`{variant.agent}` is already a variant of `{agent.id}`"
                    )
                seen.add(variant.agent)
                if not variant.weight and variant.header is None:
                    yield Finding(here, "missing-field", "needs a `weight` or a `header`, or no request goes there")
                if variant.value is not None and variant.header is None:
                    yield Finding((*here, "value"), "missing-field", "needs a `header` that has it")
            total = sum(variant.weight for variant in agent.variants)
            if total > 100:
                yield Finding(path, "too-much-weight", f"have {total} percent together; there are 100")
