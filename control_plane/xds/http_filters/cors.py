"""Envoy's cors filter: answers preflights of allowed origins, and exposes response headers to their pages."""

import re
from typing import Final

from control_plane import ir
from control_plane.xds import api
from protos.contract.headers import AGENT_HEADER, ATTEMPTS_HEADER, COST_HEADER, DECISION_HEADER, MODEL_HEADER, REQUEST_ID_HEADER

FILTER_NAME: Final = "envoy.filters.http.cors"

_EXPOSED: Final = (AGENT_HEADER, MODEL_HEADER, DECISION_HEADER, ATTEMPTS_HEADER, COST_HEADER, REQUEST_ID_HEADER, "retry-after")


def build_cors() -> api.hcm.HttpFilter:
    """Build the filter; its policy is in the virtual host."""
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(api.cors.Cors()))


def build_cors_policy(cors: ir.Cors) -> dict[str, api.protobuf.Any]:
    """Build the policy of a listener's virtual host."""
    policy = api.cors.CorsPolicy(
        allow_origin_string_match=[_origin(origin) for origin in cors.allow_origins],
        allow_methods="GET, POST, OPTIONS",
        # The star does not include this name.
        allow_headers="*, authorization",
        expose_headers=", ".join(_EXPOSED),
        max_age=f"{cors.max_age_seconds:.0f}",
    )
    return {FILTER_NAME: api.pack(policy)}


def origin_regex(cors: ir.Cors) -> str:
    """Return a regular expression of the origins that are allowed."""
    return "|".join(_pattern(origin) for origin in cors.allow_origins)


def _pattern(origin: str) -> str:
    return re.escape(origin).replace(r"\*", ".*")


def _origin(origin: str) -> api.matcher.StringMatcher:
    if "*" not in origin:
        return api.matcher.StringMatcher(exact=origin)
    return api.matcher.StringMatcher(safe_regex=api.matcher.RegexMatcher(regex=_pattern(origin)))
