"""Settings of the whole gateway: ports, limits and timeouts. Some extend Plano's."""

from typing import Annotated, Final, Literal

from pydantic import Field

from control_plane.config.model.limits import Limits
from control_plane.config.model.resilience import Resilience
from control_plane.config.model.types import Cidr, Default, Duration, DurationOrZero, NoEffect, Port, Section, Text

_NO_PROMPT_TARGETS: Final = NoEffect("prompt targets are not served yet")

NO_EMBEDDINGS: Final = "none"
"""Value of `agent_embedding_model` that disables the semantic rung."""

PRIVATE_RANGES: Final = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
)
"""Loopback and private networks."""


class Overrides(Section):
    """Settings of the whole gateway."""

    upstream_connect_timeout: Duration = 5.0
    """Timeout of connecting to any upstream."""
    upstream_tls_ca_path: Text = "/etc/ssl/certs/ca-certificates.crt"
    """File of the certificate authorities for verifying upstreams."""
    agent_orchestration_model: Text | None = None
    """Model of `model_providers` that chooses agents; without it the other rungs decide."""
    orchestrator_model_context_length: Annotated[int, Field(ge=256, le=2_000_000)] = 8192
    """Maximum of tokens of conversation and descriptions for the orchestration model."""
    orchestration_timeout: Duration = 5.0
    """Timeout of the orchestration model; after it the next rung decides."""
    agent_embedding_model: Annotated[Text | None, Default("the small English model of the extra `semantic`, if installed")] = (
        None
    )
    """Embedding model, one of `model_providers`, for questions that neither the orchestration model nor the built-in router
    decides with certainty; `none` leaves these to the built-in router."""
    embedding_timeout: Duration = 1.0
    """Timeout of embedding a question; after it the built-in router decides."""
    orchestration_api: Literal["chat_completions", "decisions", "systemone"] = "chat_completions"
    """API of the orchestration model: a prompt, or the typed questions of a decision model, at OpenAI's
    `/v1/decisions` or at TypeSafe's `/v1/systemone`."""
    orchestration_threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Decision models: minimum probability of an agent; if none reaches it, no agent fits."""
    orchestration_cache: DurationOrZero = 0.0
    """How long a worker caches decisions of the orchestration model; `0s` for no cache."""
    orchestration_history: bool = False
    """Whether the orchestration model sees which agents answered earlier in the conversation, by the `name` of assistant
    messages or by the worker's cache."""
    metrics_port: Port = 9092
    """Port of ext_proc's `/metrics`."""
    control_plane_metrics_port: Port = 9093
    """Port of the control plane's `/metrics`."""
    admin_port: Port = 9901
    """Port of Envoy's `/stats/prometheus`, on loopback. The rest of its admin interface listens on a Unix socket."""
    max_request_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 16 * 1024 * 1024
    """Larger request bodies get 413. An active request may take several times as much memory."""
    internal_cidrs: tuple[Cidr, ...] = PRIVATE_RANGES
    """Clients in these ranges may use `x-envoy-*` request headers such as `x-envoy-max-retries`."""
    limits: Annotated[Limits, Field(default_factory=Limits)]
    """Limits of memory, connections, time and disk."""
    resilience: Annotated[Resilience, Field(default_factory=Resilience)]
    """Defaults for every agent, provider and filter."""
    checks_answers: bool = False
    """Whether answers of all models are checked to their end: see `model_providers[].checks_answers`."""
    llm_routing_model: Annotated[Text | None, Default("`agent_orchestration_model`")] = None
    """Model of `model_providers` that chooses among `routing_preferences`; without either the other rungs decide."""
    disable_signals: bool = False
    """Whether to disable the analysis of conversations for signals: corrections, anger, thanks, failing tools and others."""
    native_path: bool = True
    """Whether Envoy alone answers plain model calls; if not, ext_proc decides on every request."""
    gen_ai_latest_names: Annotated[bool | None, Default("`OTEL_SEMCONV_STABILITY_OPT_IN` has `gen_ai_latest_experimental`")] = (
        None
    )
    """Whether metrics and spans of model calls use the latest names of OpenTelemetry's conventions."""
    prompt_target_intent_matching_threshold: Annotated[Annotated[float, Field(ge=0, le=1)] | None, _NO_PROMPT_TARGETS] = None
    """Minimum confidence for a prompt target."""
    optimize_context_window: Annotated[bool, _NO_PROMPT_TARGETS] = False
    """Whether earlier tool output is dropped from the prompt path's conversations."""
    use_agent_orchestrator: Annotated[bool, _NO_PROMPT_TARGETS] = False
    """Whether the prompt path sends conversations to one orchestrating endpoint."""
