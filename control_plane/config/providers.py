"""The catalogue of known providers: hosts, paths, APIs and authentication.

An upstream path is `<prefix>/<suffix>`. The prefix belongs to the provider, and a path in `base_url` replaces it; the suffix
belongs to the API.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from control_plane.config.quirks import API_RULES, MODEL_RULES
from protos.contract.passthrough import ENDPOINTS
from protos.contract.quirks import Rule


class Auth(StrEnum):
    """How a key is sent."""

    BEARER = "bearer"
    """`authorization: Bearer <key>`."""
    X_API_KEY = "x-api-key"
    """`x-api-key: <key>`."""
    API_KEY = "api-key"
    """`api-key: <key>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One API of a provider."""

    suffix: str
    """The path after the prefix, without a leading slash; `{model}` is replaced by the upstream model."""
    prefix: str | None = None
    """In place of the provider's own prefix; None: that one."""
    stream_suffix: str = ""
    """The same for streams, if it differs."""
    auth: Auth = Auth.BEARER
    default_headers: tuple[tuple[str, str], ...] = ()
    """Sent unless the request has them."""
    is_imitation: bool = False
    """Whether it is a lossy compatibility endpoint of another provider's API: not used for clients of a third API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A host of models."""

    id: str
    """The part of `model` before the slash."""
    aliases: tuple[str, ...] = ()
    """Other spellings of the id."""
    base_url: str | None = None
    """Its host and prefix; None if each customer has another."""
    prefix: str = "/v1"
    """Prefix of a `base_url` without a path."""
    apis: Mapping[str, Api] = field(default_factory=dict)
    """API name (`chat_completions`) -> its settings."""
    versions: Mapping[str, Mapping[str, Api]] = field(default_factory=dict)
    """Path of a base_url -> the APIs that are there, if these are not `apis`."""
    needs_key: bool = True
    quirks: tuple[Rule, ...] = ()
    """Its quirks."""
    client_authenticates: bool = False
    """Whether clients send their own credentials, which are passed through unless there is a key."""
    yields_to_interface: bool = False
    """Whether `provider_interface` is allowed and has precedence: for providers that older files declare as custom."""


def find_provider(name: str) -> Provider | None:
    """Look a provider up by its id or one of its aliases."""
    return _BY_NAME.get(name)


def resolve_provider(model: str, interface: str | None = None) -> Provider | None:
    """Find the provider of `provider/model`: a known one, or the one whose interface it shares."""
    prefix = model.partition("/")[0]
    known = find_provider(prefix)
    if interface is None or (known is not None and not known.yields_to_interface):
        return known
    shared = find_provider(interface)
    if shared is not None and prefix in _WITHOUT_PREFIX:
        return replace(shared, prefix="")
    return shared


def version_at(provider: Provider, base_url_path: str) -> Provider:
    """Return the version of a provider's APIs that the path of a base_url means."""
    given = _segments(base_url_path)
    found = next((path for path in provider.versions if _segments(path) == given), None)
    return provider if found is None else replace(provider, prefix=found, apis=provider.versions[found], versions={})


def chosen_apis(provider: Provider, names: Iterable[str]) -> Mapping[str, Api]:
    """Return the APIs that an entry lists: in the provider's form if it has them, else in the standard form."""
    chosen = {name: replace(provider.apis.get(name, _STANDARD[name]), is_imitation=False) for name in names}
    return chosen | (
        {"count_tokens": provider.apis["count_tokens"]} if "messages" in chosen and "count_tokens" in provider.apis else {}
    )


def quirk_rules(provider: Provider) -> tuple[Rule, ...]:
    """Return all quirk rules for the models of a provider, in increasing precedence."""
    return (*API_RULES, *MODEL_RULES, *provider.quirks)


def own_ids(name: str) -> tuple[str, ...]:
    """Return the prefixes of a provider's own model ids (`o1-` also means `o1`); empty for resellers."""
    provider = find_provider(name)
    return _OWN_IDS.get(provider.id, ()) if provider else ()


def is_own_id(name: str, model_id: str) -> bool:
    """Whether a bare id belongs to a provider's own model."""
    return any(model_id.startswith(begins) or f"{model_id}-" == begins for begins in own_ids(name))


def upstream_path(provider: Provider, api: str, base_url_path: str = "", *, is_stream: bool = False) -> str:
    """Build the path of an API at a provider, `{model}` left in; the path of a base_url replaces the provider's prefix.

    A base_url that is too short (`.../v1beta` of Gemini's `/v1beta/openai`) or too long (`.../openai/v1` before Groq's
    suffix `v1/...`) means the provider's own path: no other path exists.
    """
    own, given = _segments(provider.prefix), _segments(base_url_path)
    known = provider.apis[api]
    usual = own if known.prefix is None else _segments(known.prefix)
    segments = usual if own[: len(given)] == given else given
    suffix = (known.stream_suffix if is_stream else "") or known.suffix
    if segments[-1:] == [suffix.partition("/")[0]]:
        segments = segments[:-1]
    return "/" + "/".join([*segments, suffix])


def _segments(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


_CHAT: Final = Api(suffix="chat/completions")
_RESPONSES: Final = Api(suffix="responses")
_EMBEDDINGS: Final = Api(suffix="embeddings")
_COMPLETIONS: Final = Api(suffix="completions")
_MESSAGES: Final = Api(suffix="messages", auth=Auth.X_API_KEY, default_headers=(("anthropic-version", "2023-06-01"),))
_COUNT_TOKENS: Final = replace(_MESSAGES, suffix="messages/count_tokens")
_CONVERSE: Final = Api(suffix="model/{model}/converse", stream_suffix="model/{model}/converse-stream")
_PASSED: Final = {endpoint.api: Api(suffix=endpoint.base) for endpoint in ENDPOINTS if endpoint.api != "message_batches"}
_CLAUDE_PASSED: Final = {
    "files": replace(_MESSAGES, suffix="files"),
    "message_batches": replace(_MESSAGES, suffix="messages/batches"),
}
_STANDARD: Final = _PASSED | {
    "message_batches": _CLAUDE_PASSED["message_batches"],
    "chat_completions": _CHAT,
    "responses": _RESPONSES,
    "messages": _MESSAGES,
    "embeddings": _EMBEDDINGS,
    "completions": _COMPLETIONS,
}
"""The standard form of an API, for hosts that have APIs which their provider lacks."""
_CHAT_ONLY: Final = {"chat_completions": _CHAT}
_CHAT_AND_EMBEDDINGS: Final = {"chat_completions": _CHAT, "embeddings": _EMBEDDINGS}
_MAX_TOKENS: Final = (Rule(quirks={"max_tokens_field": "max_tokens"}),)
_LOCAL: Final = (Rule(quirks={"max_tokens_field": "max_tokens", "verifies_thinking": False, "schemas": "any"}),)
"""For self-hosted servers: no signatures, lenient input."""
_CLASSIC: Final = {"chat_completions": _CHAT, "embeddings": _EMBEDDINGS, "completions": _COMPLETIONS}

_TOOLS_OVER_RESPONSES: Final = Rule(
    models="(?:^|/)gpt-(?:5[.][4-9]|[6-9])",
    quirks={"tools_api": "responses"},
    since="2026-11",
    source="400 of /v1/chat/completions: https://github.com/openai/openai-openapi/issues/541, "
    "https://github.com/BerriAI/litellm/pull/34569",
)
_OPENAI_QUIRKS: Final = (
    Rule(
        apis=("chat_completions",),
        quirks={"call_ids": ".{1,40}", "strict_messages": True},
        since="2026-11",
        source="400 of the API: string_above_max_length",
    ),
    Rule(
        apis=("responses",),
        quirks={"call_ids": ".{1,64}", "least_max_tokens": 16, "encrypted_reasoning": "gAAAA"},
        since="2026-11",
        source="400s of the API: string_above_max_length, integer_below_min_value, invalid_encrypted_content",
    ),
    _TOOLS_OVER_RESPONSES,
)


_AZURE_V1: Final = "/openai/v1"


def _azure(operation: str) -> Api:
    return Api(suffix=f"{{model}}/{operation}?api-version=2025-01-01-preview", auth=Auth.API_KEY)


def _azure_v1(apis: Mapping[str, Api]) -> dict[str, Api]:
    """Azure's v1 API is OpenAI's, with deployments for models, and has no version in its query."""
    return {name: replace(api, prefix=_AZURE_V1, auth=Auth.API_KEY) for name, api in apis.items()}


def _passed(*names: str) -> dict[str, Api]:
    return {name: _PASSED[name] for name in names}


_AZURE_MORE: Final = {"responses": _RESPONSES} | _passed("images", "audio", "files", "batches")
"""What Azure has in its v1 API alone, or best: https://learn.microsoft.com/azure/ai-foundry/openai/latest"""

PROVIDERS: Final = (
    Provider(
        id="openai",
        base_url="https://api.openai.com",
        apis=_CLASSIC | {"responses": _RESPONSES} | _passed("images", "audio", "moderations", "files", "batches"),
        quirks=_OPENAI_QUIRKS,
    ),
    Provider(
        id="anthropic",
        base_url="https://api.anthropic.com",
        # https://platform.claude.com/docs/en/api/openai-sdk: without caching, thinking, structured output.
        apis={
            "chat_completions": replace(_CHAT, is_imitation=True),
            "messages": _MESSAGES,
            "count_tokens": _COUNT_TOKENS,
        }
        | _CLAUDE_PASSED,
        quirks=(
            Rule(
                quirks={"resume_method": "prefill"},
                apis=("messages",),
                since="2026-12",
                source="https://github.com/strands-agents/sdk-python/issues/1694: until Claude 4.5",
            ),
            Rule(
                apis=("messages",),
                models="claude-(?:[a-z]+-)?(?:4[-.](?:[6-9]|[1-9]\\d)(?!\\d)|(?:[5-9]|[1-9]\\d)(?!\\d))",
                quirks={"resume_method": ""},
                since="2026-11",
                source="400 of the API: https://platform.claude.com/docs/en/about-claude/models/migration-guide",
            ),
        ),
    ),
    Provider(
        id="deepseek",
        base_url="https://api.deepseek.com",
        apis=_CHAT_ONLY,
        quirks=(
            Rule(
                quirks={"max_tokens_field": "max_tokens", "reasoning_history": "reasoning_content"},
                since="2026-12",
                source="`reasoning_content`: https://api-docs.deepseek.com/guides/thinking_mode, error of the API: "
                "https://github.com/anomalyco/opencode/issues/24722; `max_tokens`: not verified",
            ),
        ),
    ),
    Provider(
        id="groq",
        base_url="https://api.groq.com",
        prefix="/openai",
        apis={"chat_completions": Api(suffix="v1/chat/completions")}
        | {name: Api(suffix=f"v1/{name}") for name in ("audio", "files", "batches")},
    ),
    Provider(
        id="mistral",
        base_url="https://api.mistral.ai",
        apis=_CHAT_AND_EMBEDDINGS | _passed("audio", "moderations", "files"),
        quirks=(
            Rule(
                quirks={
                    "max_tokens_field": "max_tokens",
                    "resume_method": "prefix",
                    "refused_fields": ("stream_options", "user", "metadata", "service_tier", "store", "verbosity"),
                    "call_ids": "[a-zA-Z0-9]{9}",
                    "strict_messages": True,
                },
                since="2026-06",
                source="errors of the API: https://github.com/BerriAI/litellm/issues/8978, "
                "https://github.com/anomalyco/opencode/issues/1680",
            ),
        ),
    ),
    Provider(
        id="gemini",
        aliases=("google",),
        base_url="https://generativelanguage.googleapis.com",
        prefix="/v1beta/openai",
        apis=_CHAT_AND_EMBEDDINGS | _passed("images"),
    ),
    Provider(
        id="together_ai",
        aliases=("together",),
        base_url="https://api.together.xyz",
        apis=_CLASSIC | _passed("images", "audio", "rerank", "files", "batches"),
        quirks=_MAX_TOKENS,
    ),
    Provider(
        id="xai",
        base_url="https://api.x.ai",
        apis={"chat_completions": _CHAT, "responses": _RESPONSES} | _passed("images"),
    ),
    Provider(
        id="moonshotai",
        base_url="https://api.moonshot.ai",
        apis=_CHAT_ONLY,
        quirks=(
            Rule(
                quirks={"reasoning_history": "reasoning_content", "resume_method": "partial"},
                since="2026-12",
                source="`partial`: https://platform.kimi.ai/docs/guide/use-partial-mode-feature-of-kimi-api; "
                "`reasoning_content`: https://java.agentscope.io/v2/en/integration/model/kimi",
            ),
            Rule(
                models="kimi-for-coding$",
                quirks={"refused_fields": ("stream_options", "service_tier")},
                since="2026-11",
                source="recorded answers of the API",
            ),
        ),
    ),
    Provider(
        id="zhipu",
        base_url="https://open.bigmodel.cn",
        prefix="/api/paas/v4",
        apis=_CHAT_AND_EMBEDDINGS | _passed("images"),
        quirks=_MAX_TOKENS,
    ),
    Provider(id="xiaomi", base_url="https://api.xiaomimimo.com", apis=_CHAT_ONLY),
    Provider(id="digitalocean", aliases=("do", "do_ai"), base_url="https://inference.do-ai.run", apis=_CHAT_ONLY),
    Provider(id="plano", base_url="https://archfc.katanemo.dev", apis=_CHAT_ONLY, needs_key=False),
    Provider(
        id="azure_openai",
        prefix="/openai/deployments",
        apis={
            "chat_completions": _azure("chat/completions"),
            "embeddings": _azure("embeddings"),
            "completions": _azure("completions"),
        }
        | _azure_v1(_AZURE_MORE),
        versions={_AZURE_V1: _azure_v1(_CLASSIC | _AZURE_MORE)},
        quirks=_OPENAI_QUIRKS,
    ),
    Provider(
        id="qwen",
        prefix="/compatible-mode/v1",
        apis=_CHAT_AND_EMBEDDINGS,
        quirks=_MAX_TOKENS,
    ),
    Provider(id="ollama", apis=_CLASSIC, needs_key=False, quirks=_MAX_TOKENS),
    Provider(id="amazon_bedrock", aliases=("amazon",), prefix="", apis={"converse": _CONVERSE}),
    Provider(
        id="chatgpt",
        base_url="https://chatgpt.com",
        prefix="/backend-api/codex",
        apis={"responses": _RESPONSES},
        needs_key=False,
        client_authenticates=True,
        quirks=(
            Rule(
                quirks={
                    "refused_fields": (
                        *("max_output_tokens", "user", "metadata", "temperature", "top_p", "service_tier", "truncation"),
                        *("prompt_cache_retention", "safety_identifier", "stream_options"),
                    ),
                    "needs_instructions": True,
                    "streams_only": True,
                    "encrypted_reasoning": "gAAAA",
                    "call_ids": ".{1,64}",
                },
                since="2026-11",
                source='Codex\'s own client; 400 {"detail": "Unsupported parameter: max_output_tokens"}',
            ),
        ),
    ),
    Provider(
        id="vercel",
        base_url="https://ai-gateway.vercel.sh",
        apis=_CHAT_AND_EMBEDDINGS | {"responses": _RESPONSES, "messages": _MESSAGES},
    ),
    Provider(
        id="openrouter",
        base_url="https://openrouter.ai",
        prefix="/api/v1",
        apis=_CLASSIC | {"messages": replace(_MESSAGES, auth=Auth.BEARER)},
        quirks=(
            Rule(
                quirks={"cache_markers": "cache_control", "reasoning_history": "reasoning_details"},
                since="2026-12",
                source="`cache_control`: "
                "https://openrouter.ai/docs/client-sdks/typescript/models/anthropiccachecontroldirective; "
                "`reasoning_details`: not verified",
            ),
        ),
    ),
    Provider(id="edenai", base_url="https://api.edenai.run", prefix="/v3", apis=_CHAT_ONLY),
    *(
        Provider(id=name, apis=_CLASSIC | more, needs_key=False, yields_to_interface=True, quirks=_LOCAL)
        for name, more in {
            "vllm": {
                "responses": _RESPONSES,
                "messages": replace(_MESSAGES, auth=Auth.BEARER),
                **_passed("audio", "rerank"),
            },
            "llama_cpp": {
                "responses": _RESPONSES,
                "messages": replace(_MESSAGES, auth=Auth.BEARER),
                **_passed("rerank"),
            },
            "lm_studio": {"responses": _RESPONSES},
        }.items()
    ),
    Provider(
        id="fireworks",
        base_url="https://api.fireworks.ai",
        prefix="/inference/v1",
        apis=_CLASSIC | {"responses": _RESPONSES} | _passed("rerank"),
        yields_to_interface=True,
        quirks=_MAX_TOKENS,
    ),
    Provider(id="cerebras", base_url="https://api.cerebras.ai", apis=_CHAT_ONLY, yields_to_interface=True),
    Provider(
        id="nvidia",
        base_url="https://integrate.api.nvidia.com",
        apis=_CLASSIC,
        yields_to_interface=True,
        quirks=_MAX_TOKENS,
    ),
    Provider(
        id="deepinfra",
        base_url="https://api.deepinfra.com",
        prefix="/v1/openai",
        apis=_CLASSIC | _passed("images", "audio"),
        yields_to_interface=True,
        quirks=_MAX_TOKENS,
    ),
    Provider(
        id="cohere",
        base_url="https://api.cohere.ai",
        prefix="/compatibility/v1",
        apis=_CHAT_AND_EMBEDDINGS | {"rerank": Api(suffix="rerank", prefix="/v2")},
        yields_to_interface=True,
        quirks=_MAX_TOKENS,
    ),
    Provider(
        id="perplexity",
        base_url="https://api.perplexity.ai",
        prefix="",
        apis=_CHAT_ONLY,
        yields_to_interface=True,
        quirks=_MAX_TOKENS,
    ),
    Provider(
        id="sambanova",
        base_url="https://api.sambanova.ai",
        apis=_CHAT_AND_EMBEDDINGS | _passed("audio"),
        yields_to_interface=True,
        quirks=_MAX_TOKENS,
    ),
    # Each project and region has a path of its own: .../v1/projects/P/locations/L/endpoints/openapi
    Provider(id="vertex_ai", apis=_CHAT_ONLY, yields_to_interface=True),
)

_OWN_IDS: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("claude-",),
    "deepseek": ("deepseek-",),
    "gemini": ("gemini-", "gemma-"),
    "mistral": (
        *("codestral-", "devstral-", "magistral-", "ministral-", "mistral-", "open-mistral-", "open-mixtral-", "pixtral-"),
        "voxtral-",
    ),
    "moonshotai": ("kimi-", "moonshot-"),
    "openai": ("chatgpt-", "codex-", "gpt-", "o1-", "o3-", "o4-", "text-embedding-"),
    "qwen": ("qwen", "qwq-"),
    "xai": ("grok-",),
    "xiaomi": ("mimo-",),
    "zhipu": ("glm-",),
}
"""Provider -> prefixes of its own model ids, to resolve ids without a provider."""

_WITHOUT_PREFIX: Final = frozenset({"perplexity"})
"""Providers that share another's interface, without its prefix."""

_BY_NAME: Final = {name: provider for provider in PROVIDERS for name in (provider.id, *provider.aliases)}
PROVIDER_NAMES: Final = tuple(sorted(_BY_NAME))
