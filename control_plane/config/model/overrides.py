"""Settings of the whole gateway: ports, limits and timeouts. Where Plano has no such key, it is ours."""

from typing import Annotated, Final, Literal

from pydantic import Field

from control_plane.config.model.limits import Limits
from control_plane.config.model.resilience import Resilience
from control_plane.config.model.types import Cidr, Default, Duration, DurationOrZero, NoEffect, Port, Section, Text

_NO_PROMPT_TARGETS: Final = NoEffect("prompt targets are not served yet")

NO_EMBEDDINGS: Final = "none"
"""Value of `agent_embedding_model` that lets nothing be decided by meaning."""

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
    """Bounds connecting to any upstream."""
    upstream_tls_ca_path: Text = "/etc/ssl/certs/ca-certificates.crt"
    """File of the certificate authorities that upstreams are verified with."""
    agent_orchestration_model: Text | None = None
    """Model that chooses agents, one of `model_providers`; without it the built-in router chooses."""
    orchestrator_model_context_length: Annotated[int, Field(ge=256, le=2_000_000)] = 8192
    """Tokens of conversation and descriptions that the orchestration model is given."""
    orchestration_timeout: Duration = 5.0
    """Bounds a question to the orchestration model; then the built-in router chooses."""
    agent_embedding_model: Annotated[Text | None, Default("the small English model of the extra `semantic`, if installed")] = (
        None
    )
    """Model of `model_providers` whose embeddings tell what a question means where no orchestration model is configured, or
    none answers, and matching words leave a doubt; `none` leaves it to the words."""
    embedding_timeout: Duration = 1.0
    """Bounds the embedding of a question; then the built-in router chooses."""
    orchestration_api: Literal["chat_completions", "decisions", "systemone"] = "chat_completions"
    """How the orchestration model is asked: by a prompt, or with the typed questions of a decision model, at OpenAI's
    `/v1/decisions` or at TypeSafe's `/v1/systemone`."""
    orchestration_threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Probability from which on an agent fits, if a decision model is asked; where none reaches it, none fits."""
    orchestration_cache: DurationOrZero = 0.0
    """How long a worker remembers what the orchestration model has said to a conversation; `0s` asks it each time."""
    orchestration_history: bool = False
    """Whether the orchestration model sees which agents answered earlier in the conversation: by the `name` of assistant
    messages, or by what the worker remembers of it."""
    metrics_port: Port = 9092
    """Where the request path serves `/metrics`."""
    control_plane_metrics_port: Port = 9093
    """Where the control plane serves `/metrics`."""
    admin_port: Port = 9901
    """Where Envoy serves `/stats/prometheus`, on loopback. The rest of its admin interface listens on a Unix socket."""
    max_request_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 16 * 1024 * 1024
    """Larger request bodies are refused with 413. Each request that is under way may take several times as much memory."""
    internal_cidrs: tuple[Cidr, ...] = PRIVATE_RANGES
    """Clients in these ranges may use `x-envoy-*` request headers such as `x-envoy-max-retries`."""
    limits: Annotated[Limits, Field(default_factory=Limits)]
    """What the gateway may use: memory, connections, time, disk."""
    resilience: Annotated[Resilience, Field(default_factory=Resilience)]
    """What holds for every agent, provider and filter that does not say otherwise."""
    checks_answers: bool = False
    """Whether answers of all models are read to their end: see `model_providers[].checks_answers`."""
    llm_routing_model: Annotated[Text | None, Default("`agent_orchestration_model`")] = None
    """Model that chooses among `routing_preferences`, one of `model_providers`; without either the built-in router chooses."""
    disable_signals: bool = False
    """Whether conversations are left without signal analysis: of corrections, anger, thanks, failing tools, loops and more."""
    native_path: bool = True
    """Whether Envoy alone answers plain model calls; if not, ext_proc decides on every request."""
    gen_ai_latest_names: Annotated[bool | None, Default("`OTEL_SEMCONV_STABILITY_OPT_IN` has `gen_ai_latest_experimental`")] = (
        None
    )
    """Whether metrics and spans of model calls have the latest names of OpenTelemetry's conventions."""
    prompt_target_intent_matching_threshold: Annotated[Annotated[float, Field(ge=0, le=1)] | None, _NO_PROMPT_TARGETS] = None
    """How sure the gateway must be to choose a prompt target."""
    optimize_context_window: Annotated[bool, _NO_PROMPT_TARGETS] = False
    """Whether earlier tool output is dropped from the prompt path's conversations."""
    use_agent_orchestrator: Annotated[bool, _NO_PROMPT_TARGETS] = False
    """Whether the prompt path sends conversations to one orchestrating endpoint."""
