"""Headers inside the gateway, and headers of its own that clients send or read.

All carry one prefix, `x-plano-`. Plano's older `x-arch-` spellings are read from LEGACY_HEADERS and never sent.
"""

from typing import Final

AFFINITY_HEADER: Final = "x-model-affinity"
"""Names a session, which keeps the model that was decided for it."""

CACHE_HEADER: Final = "x-plano-cache"
"""`off`: the conversation implies no session, and its prompt is not marked for caching."""

SPEND_HEADER: Final = "x-plano-max-switch-spend-pct"
"""Stands in for the routing budget's `max_switch_spend_pct`."""

SESSION_HEADERS: Final = (AFFINITY_HEADER, CACHE_HEADER, SPEND_HEADER)
"""Request headers that say how a model is chosen; beside them, there may be a tenant's."""

ROUTE_HEADER: Final = "x-plano-route"
"""Name of the Envoy route to take. Envoy's route tables match on nothing else."""


AGENT_HEADER: Final = "x-plano-agent"
"""Id of the agent that answers; in a trusted client's request, of the one that is to answer."""

CALLER_HEADER: Final = "x-plano-caller"
"""Name of the caller whose key the request has shown: set by Envoy, sent on to agents."""

KEY_HEADERS: Final = ("authorization", "x-api-key", "api-key")
"""Where callers' keys are looked for; `authorization` with or without `Bearer`."""

INTERNAL_HEADER: Final = "x-envoy-internal"
"""`true` where Envoy trusts the client, by its address; set by Envoy alone."""

ENTRY_HEADER: Final = "x-plano-entry"
"""Set by the attempt stage: configured name of the model that answers, for statistics. Clients do not see it."""

MODEL_HEADER: Final = "x-plano-model"
"""Name of the configured model that answers."""

DECISION_HEADER: Final = "x-plano-decision"
"""Which rung of the ladder decided, and why: `built_in_router; matched "weather", "london"`."""

ATTEMPTS_HEADER: Final = "x-plano-attempts"
"""How many attempts the answer took; 1 if the first one was good."""

COST_HEADER: Final = "x-plano-cost"
"""What the answer has cost, in US dollars, where all of it was there before its head was sent."""

WARNINGS_HEADER: Final = "x-plano-warnings"
"""What was left out of a request for a model that is served over another API: `tools[1] (web_search) was left out`."""

ESTIMATE_HEADER: Final = "x-plano-token-count"
"""`estimate` on an answer to count_tokens that the gateway made itself: nobody counted exactly."""

VERDICT_HEADER: Final = "x-plano-verdict"
"""What the evaluator said of the draft that the client gets, and how many there were: `pass; drafts=2`."""

REQUEST_ID_HEADER: Final = "x-request-id"
TRACEPARENT_HEADER: Final = "traceparent"
TRACESTATE_HEADER: Final = "tracestate"

LOCAL_REPLY_HEADER: Final = "x-plano-local-reply"
"""Set by the egress listener on Envoy's own answers, with its response flags: tells an upstream's own 503 from ours."""

UNAVAILABLE_HEADER: Final = "x-plano-unavailable"
"""Set beside it: `true` if an attempt reached no instance, because all of its target are ejected."""

RETRY_HEADER: Final = "x-plano-retry"
"""Set by the attempt stage on an answer that the next attempt may better; routes retry on it, and remove it."""

METADATA_HEADER: Final = "x-plano-metadata"
"""Set on each attempt of a chain of models: the dynamic metadata of the request, as JSON."""

ATTEMPT_TIMES_HEADER: Final = "x-plano-attempt-times"
"""Set beside it: when each attempt began, this one included, in seconds since 1970: `- 1764583200.123 1764583201.456`."""

HISTORY_HEADER: Final = "x-plano-attempt-history"
"""Set by the attempt stage on answers that it may be worth to better, for the next attempt: METADATA_HISTORY."""

BOUNDS_HEADER: Final = "x-plano-bounds"
"""Set by routes to chains of models for the attempt stage. How many attempts may follow the first one: what the caller wants,
`-` if nothing, and what is configured; then how many seconds each may take, for how many a model may be waited for that says
when to come back, and for how many a stream may be silent, 0 for ever: `-;3;30;2;300`."""

MAY_DETACH_HEADER: Final = "x-plano-may-detach"
"""Set beside it where the attempt stage may detach from a stream, and the rest passes without it."""

OWN_FAULT_HEADER: Final = "x-plano-retry-own-fault"
"""Set in place of RETRY_HEADER where a provider refuses the gateway's own key, account or model name."""

VETO_HEADER: Final = "x-envoy-ratelimited"
"""Envoy's router never tries again what was answered with this header."""

RETRY_AFTER_HEADER: Final = "x-plano-retry-after"
"""Set by the attempt stage when every model was tried: routes wait that long before the next attempt, and remove it."""

ANSWER_HEADERS: Final = {
    f"x-plano-answer-{header.removeprefix('x-plano-')}": header
    for header in (AGENT_HEADER, MODEL_HEADER, DECISION_HEADER, ATTEMPTS_HEADER)
}
"""How ext_proc, where it answers itself, names response headers that no upstream may send -> what clients see."""

ASKED_HEADERS: Final = {
    f"x-plano-asked-{name}": f"x-envoy-{name}"
    for name in ("max-retries", "retry-on", "upstream-rq-timeout-ms", "upstream-rq-per-try-timeout-ms")
}
"""What a trusted client asks of Envoy, out of Envoy's sight while ext_proc answers: it asks the same of its own calls."""

UNCOUNTED_HEADER: Final = "x-plano-uncounted"
"""Set by an attempt that leaves a stream to WATCH_BEGINNING: its end and its usage were not seen."""

INTERNAL_HEADERS: Final = (ROUTE_HEADER, METADATA_HEADER, ATTEMPT_TIMES_HEADER, BOUNDS_HEADER, MAY_DETACH_HEADER)
"""Request headers inside the gateway: removed from every downstream request before any http_filter sees it."""

LEGACY_HEADERS: Final[dict[str, str]] = {}
"""Plano's older spellings of headers that clients may send -> ours."""

CREDENTIAL_HEADERS: Final = (
    # Keys and tokens, where providers look for them.
    *("authorization", "x-api-key", "api-key", "x-goog-api-key", "x-amz-security-token", "ocp-apim-subscription-key"),
    *("x-auth-token", "x-access-token", "x-api-token"),
    # Whose account is charged: beside the key of another one the provider refuses the request, or charges the wrong one.
    *("openai-organization", "openai-project", "anthropic-organization-id", "chatgpt-account-id", "x-goog-user-project"),
    # For what stands between the client and the gateway: browsers' sessions, proxies that know who is there, other gateways.
    *("cookie", "proxy-authorization", "x-forwarded-authorization", "x-forwarded-access-token", "x-auth-request-access-token"),
    *("cf-access-token", "cf-access-jwt-assertion", "cf-access-client-id", "cf-access-client-secret", "cf-aig-authorization"),
    *("x-goog-iap-jwt-assertion", "x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-ms-token-aad-access-token"),
    *("x-litellm-api-key", "x-portkey-api-key", "helicone-auth"),
)
"""A client's credentials, and what says whose account they are for: go only to the upstream that they are meant for."""
