"""The gateway's own headers: internal ones, and those that clients send or read.

All carry one prefix, `x-plano-`. Plano's older `x-arch-` spellings are read from LEGACY_HEADERS and never sent.
"""

from typing import Final

AFFINITY_HEADER: Final = "x-model-affinity"
"""Names a session, which keeps the model that was chosen for it."""

CACHE_HEADER: Final = "x-plano-cache"
"""`off`: the conversation implies no session, and its prompt gets no cache markers."""

SPEND_HEADER: Final = "x-plano-max-switch-spend-pct"
"""Overrides the routing budget's `max_switch_spend_pct`."""

SESSION_HEADERS: Final = (AFFINITY_HEADER, CACHE_HEADER, SPEND_HEADER)
"""Request headers that influence the choice of a model, besides a tenant header."""

ROUTE_HEADER: Final = "x-plano-route"
"""Name of the Envoy route, the only header that Envoy's route tables match."""


AGENT_HEADER: Final = "x-plano-agent"
"""Id of the agent that answers; in a trusted client's request, of the requested one."""

CALLER_HEADER: Final = "x-plano-caller"
"""Name of the caller of the request's key: set by Envoy, forwarded to agents."""

KEY_HEADERS: Final = ("authorization", "x-api-key", "api-key")
"""Headers with callers' keys; `authorization` with or without `Bearer`."""

INTERNAL_HEADER: Final = "x-envoy-internal"
"""`true` if Envoy trusts the client's address; set only by Envoy."""

ENTRY_HEADER: Final = "x-plano-entry"
"""Set by the attempt stage: configured name of the model that answers, for statistics. Clients do not see it."""

MODEL_HEADER: Final = "x-plano-model"
"""Name of the configured model that answers."""

DECISION_HEADER: Final = "x-plano-decision"
"""The rung that decided, and its reason: `built_in_router; matched "weather", "london"`."""

ATTEMPTS_HEADER: Final = "x-plano-attempts"
"""Number of attempts of the answer; 1 if the first one succeeded."""

COST_HEADER: Final = "x-plano-cost"
"""What the answer has cost, in US dollars, where all of it was there before its head was sent."""

WARNINGS_HEADER: Final = "x-plano-warnings"
"""Parts that a translation omitted from the request: `tools[1] (web_search) was left out`."""

ESTIMATE_HEADER: Final = "x-plano-token-count"
"""`estimate` on an answer to count_tokens that the gateway has estimated."""

VERDICT_HEADER: Final = "x-plano-verdict"
"""The evaluator's verdict on the delivered draft, and the number of drafts: `pass; drafts=2`."""

REQUEST_ID_HEADER: Final = "x-request-id"
TRACEPARENT_HEADER: Final = "traceparent"
TRACESTATE_HEADER: Final = "tracestate"

LOCAL_REPLY_HEADER: Final = "x-plano-local-reply"
"""Set by the egress listener on local replies, to Envoy's response flags: distinguishes them from an upstream's 503."""

UNAVAILABLE_HEADER: Final = "x-plano-unavailable"
"""Set with it: `true` if all instances of an attempt's target are ejected."""

RETRY_HEADER: Final = "x-plano-retry"
"""Set by the attempt stage on a retriable answer; routes retry on it, and remove it."""

METADATA_HEADER: Final = "x-plano-metadata"
"""Set on each attempt of a chain of models: the dynamic metadata of the request, as JSON."""

ATTEMPT_TIMES_HEADER: Final = "x-plano-attempt-times"
"""Set with it: start times of all attempts, including this one, in seconds since 1970: `- 1764583200.123 1764583201.456`."""

HISTORY_HEADER: Final = "x-plano-attempt-history"
"""Set by the attempt stage on retriable answers, for the next attempt: METADATA_HISTORY."""

BOUNDS_HEADER: Final = "x-plano-bounds"
"""Set by routes to chains of models for the attempt stage: retries requested by the caller (`-` if none), configured retries,
the timeout of an attempt, the longest `retry-after` to wait for and a stream's idle timeout (0: none), in seconds:
`-;3;30;2;300`."""

MAY_DETACH_HEADER: Final = "x-plano-may-detach"
"""Set with it if the attempt stage may detach from a stream, so that the rest passes without it."""

OWN_FAULT_HEADER: Final = "x-plano-retry-own-fault"
"""Set instead of RETRY_HEADER if a provider rejects the gateway's own key, account or model name."""

VETO_HEADER: Final = "x-envoy-ratelimited"
"""Envoy's router never retries after an answer with this header."""

RETRY_AFTER_HEADER: Final = "x-plano-retry-after"
"""Set by the attempt stage after attempts at all models: routes wait that long before the next one, and remove it."""

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
"""Set by an attempt that detaches by WATCH_BEGINNING: it did not see the stream's end and usage."""

LENGTH_HEADER: Final = "x-plano-length"
"""The client's content-length, followed by its content-encoding if any: what the native path may wait for."""

INTERNAL_HEADERS: Final = (ROUTE_HEADER, METADATA_HEADER, ATTEMPT_TIMES_HEADER, BOUNDS_HEADER, MAY_DETACH_HEADER, LENGTH_HEADER)
"""Request headers inside the gateway: removed from every downstream request before any http_filter sees it."""

LEGACY_HEADERS: Final[dict[str, str]] = {}
"""Plano's older names of client headers -> current names."""

CREDENTIAL_HEADERS: Final = (
    # Keys and tokens, where providers look for them.
    *("authorization", "x-api-key", "api-key", "x-goog-api-key", "x-amz-security-token", "ocp-apim-subscription-key"),
    *("x-auth-token", "x-access-token", "x-api-token"),
    # Account headers: with the key of another account the provider rejects the request, or charges the wrong one.
    *("openai-organization", "openai-project", "anthropic-organization-id", "chatgpt-account-id", "x-goog-user-project"),
    # For intermediaries: browser sessions, authenticating proxies, other gateways.
    *("cookie", "proxy-authorization", "x-forwarded-authorization", "x-forwarded-access-token", "x-auth-request-access-token"),
    *("cf-access-token", "cf-access-jwt-assertion", "cf-access-client-id", "cf-access-client-secret", "cf-aig-authorization"),
    *("x-goog-iap-jwt-assertion", "x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-ms-token-aad-access-token"),
    *("x-litellm-api-key", "x-portkey-api-key", "helicone-auth"),
)
"""A client's credentials and account headers: sent only to the upstream that they are for."""
