"""`routing` and `prompt_caching` -> session affinity, and the request headers that influence it."""

from control_plane import ir
from control_plane.config.model import Listener, PlanoConfig
from protos import filter_config_pb2 as pb
from protos.contract.headers import AFFINITY_HEADER, AGENT_HEADER, CALLER_HEADER, INTERNAL_HEADER, SESSION_HEADERS


def build_affinity(config: PlanoConfig, store: ir.SessionStore | None) -> pb.Affinity | None:
    """Build the settings of sessions; None if they are not configured."""
    routing, caching = config.routing, config.prompt_caching
    if routing is None and caching is None:
        return None
    implied = caching.session_ttl_seconds or _ttl(config) if caching and caching.enabled and caching.session_affinity else 0
    return pb.Affinity(
        ttl_seconds=float(_ttl(config)),
        max_entries=routing.session_max_entries if routing else _MOST_ENTRIES,
        tenant_header=_tenant_header(config),
        implied_ttl_seconds=float(implied),
        user_only=routing is not None and routing.route_on_user_only,
        budget=_budget(config),
        store_url=store.url if store else "",
    )


def cache_marks_from(config: PlanoConfig) -> int:
    """Return the minimum of tokens for cache markers in prompts; 0 if there are none."""
    caching = config.prompt_caching
    return caching.min_prefix_tokens if caching and caching.enabled and caching.inject_cache_control else 0


def choosing_headers(config: PlanoConfig, listener: Listener) -> tuple[str, ...]:
    """Return the request headers that a listener's decisions need."""
    caller = (CALLER_HEADER,) if listener.asks_for_keys else ()
    if listener.type == "agent":
        variants = [variant for agent in listener.agents for variant in agent.variants]
        chosen_by = sorted({variant.header.lower() for variant in variants if variant.header})
        return AGENT_HEADER, INTERNAL_HEADER, *caller, *([AFFINITY_HEADER, *chosen_by] if variants else [])
    tenant = _tenant_header(config)
    return (*SESSION_HEADERS, *([tenant] if tenant else []), *caller)


_MOST_ENTRIES = 10_000
_USUAL_TTL_SECONDS = 600


def _ttl(config: PlanoConfig) -> int:
    return config.routing.session_ttl_seconds if config.routing else _USUAL_TTL_SECONDS


def _tenant_header(config: PlanoConfig) -> str:
    cache = config.routing.session_cache if config.routing else None
    return (cache.tenant_header or "").lower() if cache else ""


def _budget(config: PlanoConfig) -> pb.Budget | None:
    budget = config.routing.routing_budget if config.routing else None
    if budget is None:
        return None
    return pb.Budget(
        percent=budget.max_switch_spend_pct,
        replenishes=budget.replenish_on_rebind,
        cached_share=budget.cache_read_discount,
        records_refused=budget.record_counterfactual,
    )
