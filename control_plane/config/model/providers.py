"""Model providers and aliases: the models that clients can request, and their addresses."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.instances import Instance, Instances
from control_plane.config.model.quirks import QuirkOverrides
from control_plane.config.model.resilience import Resilience
from control_plane.config.model.types import Default, SecretText, Section, Text

ProviderInterface = Literal[
    "plano", "deepseek", "groq", "mistral", "openai", "xiaomi", "gemini", "chatgpt",
    "digitalocean", "vercel", "openrouter", "edenai", "moonshotai",
    "anthropic", "azure_openai", "ollama", "qwen", "together_ai", "xai", "zhipu",
]  # fmt: skip

SpokenApi = Literal[
    "chat_completions", "responses", "messages", "embeddings", "completions",
    "images", "audio", "moderations", "rerank", "files", "batches", "message_batches",
]  # fmt: skip


class AwsSigning(Section):
    """Signs requests to Amazon Bedrock with AWS credentials (SigV4), which Envoy finds and renews by itself."""

    region: Text
    """The region of the endpoint, such as `eu-west-1`."""
    profile: Text | None = None
    """Profile of the shared credentials file; else Envoy looks in the environment (`AWS_ACCESS_KEY_ID`, ...), in the file's
    default profile, and where containers, instances and web identities have theirs. `plano up` lets Envoy have variables named
    `AWS_*` only where an entry signs when it starts."""


class ModelProvider(Section):
    """One model, or with `*` all models, of a provider."""

    model: Text
    """`provider/model`, for example `openai/gpt-4o`; `provider/*` for all models of a provider."""
    name: Annotated[Text | None, Default("the model")] = None
    """Another name of this entry for clients."""
    access_key: SecretText | None = None
    """Key that the gateway sends to the provider; write it as `$VARIABLE`."""
    aws: AwsSigning | None = None
    """Amazon Bedrock: sign requests with AWS credentials instead of sending an API key as `access_key`."""
    default: bool = False
    """Whether it answers requests without a model; at most one."""
    base_url: Annotated[Instances | None, Default("the provider's own host")] = None
    """URL of the provider's API, or a list of instances; a path replaces the provider's usual one."""
    passthrough_auth: bool = False
    """Whether the client's own credentials are sent instead of `access_key`."""
    http_host: Annotated[Text | None, Default("the host of the URL")] = None
    """Host header of requests."""
    provider_interface: Annotated[ProviderInterface | None, Default("the provider in `model`")] = None
    """The known provider whose API a custom provider uses; only for prefixes that the gateway does not know."""
    headers: Annotated[dict[str, SecretText], Field(default_factory=dict)]
    """Headers that the gateway sends to the provider, after its own."""
    fallbacks: tuple[Text, ...] = ()
    """Models that answer, in this order, if it fails; their own fallbacks are not used."""
    resilience: Resilience | None = None
    """Retries, timeouts, circuit breaking, health and load balancing."""
    checks_answers: Annotated[bool | None, Default("`overrides.checks_answers`")] = None
    """Whether its answers are read to their end although it has no fallbacks: half an answer then ends with an error, silence
    behind keep-alives is noticed, and errors and emptiness under a 200 get a status. Costs what fallbacks cost."""
    quirks: QuirkOverrides | None = None
    """Deviations of its API or model that the gateway does not know, or that have changed."""
    apis: Annotated[tuple[SpokenApi, ...], Default("those that the provider is known to speak")] = ()
    """APIs that the host speaks, if these are not its provider's. Chat Completions, Responses and Messages are translated into
    those that it speaks, the first of them first; the others pass as they are, to who serves them."""

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Where the provider's API is, if not at its own host."""
        return self.base_url or ()

    @property
    def provider(self) -> str:
        """The part of the model before the first slash."""
        return self.model.partition("/")[0]

    @property
    def upstream_model(self) -> str:
        """The part of the model after the first slash, which is what the provider calls it."""
        return self.model.partition("/")[2]

    @property
    def is_wildcard(self) -> bool:
        """Whether it means all models of its provider."""
        return self.upstream_model == "*"


class AliasTarget(Section):
    """One of several weighted models of an alias."""

    model: Text
    """A model (`openai/gpt-4o` or `gpt-4o`), or the name of a provider's entry."""
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    """Its weight, relative to the others."""


class ModelAlias(Section):
    """A custom name for one or several models."""

    target: Annotated[Text | None, Default("required without `targets`")] = None
    """A model (`openai/gpt-4o` or `gpt-4o`), the name of a provider's entry, or another alias."""
    targets: tuple[AliasTarget, ...] = ()
    """Models among which requests are split by weight, instead of `target`."""
    fallbacks: Annotated[tuple[Text, ...], Default("those of the model")] = ()
    """Models that answer, in this order, if the target fails."""

    @property
    def first_target(self) -> str:
        """Its target, or the first one; empty if that is missing."""
        return self.target or next((target.model for target in self.targets), "")
