"""Checks across fields of a valid configuration. All of them run; each is a generator of findings."""

from collections.abc import Iterator
from typing import Final

from control_plane.config.check.callers import check_callers
from control_plane.config.check.effects import check_effects
from control_plane.config.check.fallbacks import check_agent_fallbacks, check_alias_targets, check_model_fallbacks
from control_plane.config.check.finding import Check, Finding
from control_plane.config.check.headers import check_headers
from control_plane.config.check.instances import check_instances
from control_plane.config.check.listeners import (
    check_exposure,
    check_listener_kinds,
    check_listener_names,
    check_ports,
    check_reserved_ports,
)
from control_plane.config.check.models import check_aliases, check_embedding_model, check_orchestration_model
from control_plane.config.check.names import check_ids, check_names
from control_plane.config.check.operations import check_state_storage, check_tracing
from control_plane.config.check.orchestration import check_orchestration
from control_plane.config.check.preferences import check_preferences
from control_plane.config.check.prices import check_prices
from control_plane.config.check.prompts import check_endpoints, check_guards, check_prompt_targets
from control_plane.config.check.providers import (
    check_credentials,
    check_default_provider,
    check_model_names,
    check_provider_addresses,
)
from control_plane.config.check.python_filters import check_filter_types, check_python_agents
from control_plane.config.check.rate_limits import check_rate_limits
from control_plane.config.check.references import check_duplicate_ids, check_offers, check_references, check_unused
from control_plane.config.check.resilience import check_resilience
from control_plane.config.check.routing import check_metrics_sources, check_session_cache
from control_plane.config.check.tls import check_tls
from control_plane.config.check.urls import check_base_urls, check_urls
from control_plane.config.check.variants import check_variants
from control_plane.config.model import PlanoConfig

__all__ = ["CHECKS", "Finding", "check"]

CHECKS: Final[tuple[Check, ...]] = (
    check_references,
    check_duplicate_ids,
    check_offers,
    check_variants,
    check_unused,
    check_ids,
    check_names,
    check_listener_names,
    check_listener_kinds,
    check_ports,
    check_reserved_ports,
    check_exposure,
    check_filter_types,
    check_python_agents,
    check_urls,
    check_base_urls,
    check_instances,
    check_resilience,
    check_agent_fallbacks,
    check_model_names,
    check_default_provider,
    check_provider_addresses,
    check_credentials,
    check_headers,
    check_aliases,
    check_alias_targets,
    check_model_fallbacks,
    check_orchestration_model,
    check_embedding_model,
    check_orchestration,
    check_callers,
    check_tls,
    check_prices,
    check_preferences,
    check_rate_limits,
    check_metrics_sources,
    check_session_cache,
    check_tracing,
    check_state_storage,
    check_endpoints,
    check_prompt_targets,
    check_guards,
    check_effects,
)


def check(config: PlanoConfig) -> Iterator[Finding]:
    """Run every check."""
    for rule in CHECKS:
        yield from rule(config)
