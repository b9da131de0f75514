"""Reports fields that are accepted without effect."""

from collections.abc import Iterator

from control_plane.config.check.finding import Finding, warning
from control_plane.config.model import PlanoConfig
from control_plane.config.model.walk import no_effect, written_fields


def check_effects(config: PlanoConfig) -> Iterator[Finding]:
    """Find every field without effect that the user wrote."""
    for path, info, _ in written_fields(config):
        mark = no_effect(info)
        if mark is not None:
            yield warning(path, "no-effect-yet", f"is accepted and has no effect yet: {mark.why}")
