"""What an upstream makes of its API: differences between providers and models that speak the same API, as data.

The defaults are safe for OpenAI and for Anthropic's current models. The provider catalogue sets what differs.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from ext_proc.codec.json_body import JsonObject

CacheMarkers = Literal["none", "cache_control", "prompt_cache_breakpoint"]
ReasoningHistory = Literal["none", "reasoning_content", "reasoning_details"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one upstream differs; every field matters for one upstream API only."""

    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """Chat Completions: OpenAI's reasoning models refuse `max_tokens`, Mistral and older servers refuse the other."""
    cache_markers: CacheMarkers = "none"
    """Chat Completions: how content is marked for the prompt cache. `cache_control` is what OpenRouter and LiteLLM read,
    `prompt_cache_breakpoint` is OpenAI's own. Strict servers refuse either."""
    reasoning_history: ReasoningHistory = "none"
    """Chat Completions: how earlier reasoning goes back. DeepSeek and Kimi want `reasoning_content`, OpenRouter keeps
    signatures in `reasoning_details`; OpenAI, Groq and Mistral refuse either."""
    reasoning_effort: bool = True
    """Chat Completions: models that do not reason refuse the field."""
    any_tuning: bool = False
    """Chat Completions: effort, temperature and top_p pass as they are. Used between two translations."""
    joins_text: bool = False
    """Chat Completions: several texts of one message become one string, for servers that accept strings only."""
    file_urls: bool = False
    """Chat Completions: `file` parts may say `file_url`. An extension, used between two translations."""
    rich_tool_results: bool = False
    """Chat Completions: tool messages may hold images and files. An extension, used between two translations."""
    default_max_tokens: int | None = None
    """Messages: sent if the client sets none; None takes what the model is known to accept."""
    system_messages: bool = False
    """Messages: the model takes messages of role `system` within the conversation; otherwise they become a user's text."""
    thinking: Literal["adaptive", "budget", "none"] | None = None
    """Messages: how the model is told to think; None derives it from the model's name."""


SAMPLING: Final = frozenset({"temperature", "top_p"})
"""Fields that models which sample as they please refuse, in all APIs."""

LOSSLESS: Final = Profile(
    cache_markers="cache_control",
    reasoning_history="reasoning_details",
    any_tuning=True,
    file_urls=True,
    rich_tool_results=True,
)
"""Quirks of the Chat Completions body between two translations."""

_DOES_NOT_REASON: Final = re.compile(
    r"(?:^|/)(?:gpt-3|gpt-4|chatgpt-4o|llama|meta-llama|mixtral|mistral-|ministral|codestral|devstral|pixtral|gemma|command-"
    r"|grok-(?:2|3(?!-mini))|deepseek-chat|moonshot-|kimi-for-coding$)",
    re.IGNORECASE,
)
"""Models that refuse a word about reasoning, whose names say so."""
_SAMPLES_ITSELF: Final = re.compile(r"(?:^|/)(?:o[134](?:-|$)|gpt-5(?!.*chat)|kimi-k3)")
_KIMI_3: Final = re.compile(r"(?:^|/)kimi-k3")
_EFFORTS_OF_KIMI: Final = {
    "none": "low",
    "minimal": "low",
    "low": "low",
    "medium": "high",
    "high": "high",
    "xhigh": "high",
    "max": "max",
}
"""Efforts of kimi-k3, which has three and always reasons."""
_REFUSED: Final = {"kimi-for-coding": ("stream_options", "service_tier")}
"""Model -> what it refuses that translations add or carry."""
_XHIGH: Final = re.compile(r"(?:^|/)gpt-5\.(?:1-codex-max|[2-9])")
_CLAUDE: Final = re.compile(r"claude-(?:(?:opus|sonnet|haiku)-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_FALLBACK_MAX_TOKENS: Final = 32_000
"""The least that any Claude since version 4 accepts."""


def default_max_tokens(model: str, profile: Profile) -> int:
    """Return what to send as `max_tokens`, which Messages demands, when the client does not care."""
    if profile.default_max_tokens is not None:
        return profile.default_max_tokens
    version = claude_version(model)
    if version is None or version >= (3, 7):
        return _FALLBACK_MAX_TOKENS
    return 8192 if version == (3, 5) else 4096


def thinking_style(model: str, profile: Profile) -> Literal["adaptive", "budget", "none"]:
    """Return how a Claude is told to think: by effort (4.6 and later, and names we cannot read), by budget, not at all."""
    if profile.thinking is not None:
        return profile.thinking
    version = claude_version(model)
    if version is None or version >= (4, 6):
        return "adaptive"
    return "budget" if version >= (3, 7) else "none"


def openai_effort(model: str, effort: object, profile: Profile) -> object:
    """Return the effort that a model of Chat Completions or Responses takes, None if it does not reason.

    Efforts beyond `high` are of few models, and the others refuse them.
    """
    if profile.any_tuning:
        return effort
    if not profile.reasoning_effort or _DOES_NOT_REASON.search(model):
        return None
    if _KIMI_3.search(model):
        return _EFFORTS_OF_KIMI.get(effort) if isinstance(effort, str) else None
    if effort in ("max", "xhigh"):
        return "xhigh" if _XHIGH.search(model) else "high"
    return effort


def openai_takes_sampling(model: str, profile: Profile) -> bool:
    """Tell if a model of Chat Completions or Responses accepts temperature and top_p: those that always reason do not."""
    return profile.any_tuning or not _SAMPLES_ITSELF.search(model)


def leave_out_refused(body: JsonObject, model: str, profile: Profile) -> None:
    """Take out of a request of Chat Completions what its model is known to refuse."""
    for name in () if profile.any_tuning else _REFUSED.get(model.rpartition("/")[2], ()):
        body.pop(name, None)


def claude_effort(model: str, effort: str) -> str:
    """Return the effort that a Claude takes which is told to think by effort."""
    version = claude_version(model)
    if effort == "minimal":
        return "low"
    if version is not None and version < (4, 7) and effort == "xhigh":
        return "high"
    return effort


def takes_sampling(model: str) -> bool:
    """Tell if the model accepts temperature and top_p: Claude 4.7 and later refuse them."""
    version = claude_version(model)
    return version is None or version < (4, 7)


def claude_version(model: str) -> tuple[int, int] | None:
    """Return the version in the name of a Claude, None if it has none."""
    found = _CLAUDE.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else None
