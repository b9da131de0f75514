"""Checks preferences: their names, and the models that they name."""

from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding, undefined, warning
from control_plane.config.credentials import share_credentials
from control_plane.config.lookup import ModelNames
from control_plane.config.model import ModelProvider, PlanoConfig, RoutingPreference
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest

LONGEST_NAME: Final = 200


def check_preferences(config: PlanoConfig) -> Iterator[Finding]:
    """Find preferences with the same name, and models that are unknown, ambiguous or repeated."""
    models = ModelNames(config)
    seen: set[str] = set()
    for index, preference in enumerate(config.routing_preferences):
        path: Path = ("routing_preferences", index)
        if preference.name in seen:
            yield Finding(
                (*path, "name"), "duplicate-preference", f"`{preference.name}` is the name of another preference, too"
            )
        elif len(preference.name) > LONGEST_NAME:
            yield Finding((*path, "name"), "bad-name", f"should have at most {LONGEST_NAME} characters")
        seen.add(preference.name)
        yield from _models((*path, "models"), preference, config, models)


def _models(path: Path, preference: RoutingPreference, config: PlanoConfig, models: ModelNames) -> Iterator[Finding]:
    seen: list[ModelProvider] = []
    for position, name in enumerate(preference.models):
        here = (*path, position)
        entry = models.find(name)
        if entry is None and name in config.model_aliases:
            yield Finding(here, "alias-as-model", f"`{name}` is an alias; name the model that it stands for")
        elif entry is None:
            yield undefined(here, "unknown-model", f"no model is called `{name}`{suggest(name, models.names())}")
        elif entry.is_wildcard:
            yield Finding(here, "wildcard-preference", f"`{name}` stands for many models; name one of them")
        elif entry in seen:
            yield Finding(here, "duplicate-model", f"`{name}` is already a model of this preference")
        elif any(not share_credentials(entry, other) for other in seen):
            message = (
                f"`{name}` does not answer for the models before it: a client's own credentials are meant for one provider"
            )
            yield warning(here, "preference-of-passthrough", message)
        seen += [entry] if entry is not None else []
