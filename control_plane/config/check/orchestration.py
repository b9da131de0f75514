"""Checks `listeners[].orchestration`: a loop has an evaluator, roles exist, and no field is without effect."""

from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding, undefined, warning
from control_plane.config.lookup import defined_ids
from control_plane.config.model import Listener, Orchestration, PlanoConfig
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest

_MODES_OF: Final = {
    "synthesizer": ("parallel",),
    "evaluator": ("loop",),
    "max_rounds": ("loop",),
    "stream": ("sequence", "parallel"),
}
"""Fields that only some modes have."""


def check_orchestration(config: PlanoConfig) -> Iterator[Finding]:
    """Find loops without an evaluator, unknown roles, and fields without effect."""
    for index, listener in enumerate(config.listeners):
        if listener.type == "agent":
            yield from _roles(("listeners", index, "orchestration"), listener.orchestration, config)
            yield from _effects(("listeners", index, "orchestration"), listener)


def _roles(path: Path, orchestration: Orchestration, config: PlanoConfig) -> Iterator[Finding]:
    if orchestration.mode == "loop" and orchestration.evaluator is None:
        yield Finding(
            (*path, "evaluator"), "no-evaluator", "a loop needs an `evaluator`: an agent or a model that judges drafts"
        )
    agents = {id_ for _, id_ in defined_ids(config)}
    models = {provider.model for provider in config.model_providers if not provider.model.endswith("/*")}
    for role in ("synthesizer", "evaluator"):
        name = getattr(orchestration, role)
        if name is not None and name not in agents | models:
            message = f"no agent has the id `{name}`, and no model the name{suggest(name, agents | models)}"
            yield undefined((*path, role), "unknown-agent", message)


def _effects(path: Path, listener: Listener) -> Iterator[Finding]:
    orchestration = listener.orchestration
    for field, modes in _MODES_OF.items():
        if field in orchestration.model_fields_set and orchestration.mode not in modes:
            yield warning((*path, field), "no-effect-yet", f"has no effect in mode `{orchestration.mode}`")
