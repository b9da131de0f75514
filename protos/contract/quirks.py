"""Quirks: how a provider or a model differs from others with the same API. One type from the catalogue to translations.

The provider catalogue states quirks as rules, `quirks:` of an entry in the configuration overrides them, FilterConfig carries
them to ext_proc as JSON, and translations use the result of `resolve` for one model and one API.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How an upstream differs from others that speak the same API. All but `provider_tools` are facts about it."""

    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """Chat Completions: name of the token limit. OpenAI's reasoning models reject `max_tokens`, older servers know no other."""
    least_max_tokens: int = 0
    """The minimum token limit that it accepts; a lower one is raised to it."""
    default_max_tokens: int = 32_000
    """Messages: the limit that is sent if the client sets none, because the API requires one."""
    refused_fields: tuple[str, ...] = ()
    """Top-level fields of a request that it rejects; they are omitted from translated requests."""
    takes_sampling: bool = True
    """Whether it accepts `temperature` and `top_p`."""
    efforts: tuple[Effort, ...] | None = None
    """The reasoning efforts that it accepts, of which the nearest is sent; an empty list if it rejects the field. Unknown by
    default: all values up to `high` pass."""
    thinking: Literal["adaptive", "budget", "none"] = "adaptive"
    """Messages: how thinking is requested: by effort, by a token budget, or not at all."""
    omits_thinking: bool = False
    """Messages: whether it returns thinking only if a summary is requested."""
    verifies_thinking: bool = True
    """Messages: whether it rejects thinking blocks with foreign signatures."""
    encrypted_reasoning: str = ""
    """Responses: the prefix of its own encrypted reasoning; it rejects any other, which is omitted. Unknown by default."""
    reasoning_history: Literal["none", "reasoning_content", "reasoning_details"] = "none"
    """Chat Completions: the field for earlier reasoning; strict servers reject both."""
    strict_messages: bool = False
    """Chat Completions: whether it rejects messages with fields that OpenAI's API lacks, such as reasoning."""
    call_signatures: Literal["none", "kept", "required"] = "none"
    """Chat Completions: whether tool calls have a signature (`extra_content`) that must be returned with them, as Gemini's do;
    `required`: calls of other models also need one, and get the value by which Google skips the check."""
    call_ids: str = ""
    """Regular expression that ids of tool calls must match as a whole; others are replaced by a digest. Empty: any will do."""
    tool_name_length: int = 64
    """The maximum length of tool names; longer ones are shortened in requests, and restored in answers."""
    schemas: Literal["any", "closed"] = "any"
    """Whether structured output accepts any JSON schema, or only Anthropic's subset: closed objects, without bounds."""
    cache_markers: Literal["none", "cache_control", "prompt_cache_breakpoint"] = "none"
    """Chat Completions: how content is marked for the prompt cache. `cache_control` is OpenRouter's and LiteLLM's name,
    `prompt_cache_breakpoint` OpenAI's; strict servers reject both."""
    joins_text: bool = False
    """Chat Completions: whether it accepts the texts of a message only as one string."""
    system_messages: bool = False
    """Messages: whether it accepts messages of role `system` in the conversation; otherwise they become a user's text."""
    tools_api: Literal["", "responses"] = ""
    """The API that it requires for requests with tools; empty: any of its APIs."""
    needs_instructions: bool = False
    """Responses: whether it rejects requests without `instructions`."""
    streams_only: bool = False
    """Responses: whether it only streams, stores nothing, and accepts `input` only as a list."""
    resume_method: Literal["", "prefill", "prefix", "partial"] = ""
    """How it resumes an answer: `prefill` (Messages: after a last message of the assistant), `partial` (Chat
    Completions: that message is marked so) or `prefix` (marked so, and repeated first); empty if it does not."""
    provider_tools: Literal["leave_out", "refuse"] = "leave_out"
    """Handling of optional tools that only the provider of the client's own API can run, such as `web_search`: omitted with a
    warning, or the request is refused. Requests that require them are always refused."""


_MODELS: Final = "models"
NAMES: Final = tuple(member.name for member in fields(Quirks))


class Rule(NamedTuple):
    """Quirks of some models; later rules override earlier ones, field by field."""

    quirks: Mapping[str, Any]
    """Fields of Quirks, those that differ."""
    models: str = ""
    """Regular expression that is searched in the provider's name of a model, in lower case; empty: all models."""
    apis: tuple[str, ...] = ()
    """Upstream APIs to which it applies; empty: all."""
    since: str = ""
    """When it was last verified: `2026-11`."""
    source: str = ""
    """Where."""


def encode_rules(rules: Iterable[Rule]) -> str:
    """Write the rules for one target as canonical JSON, without comments."""
    told = [dict(rule.quirks) | ({_MODELS: rule.models} if rule.models else {}) for rule in rules]
    return json.dumps(told, sort_keys=True, separators=(",", ":")) if told else ""


def decode_rules(text: str) -> tuple[Rule, ...]:
    """Read what `encode_rules` wrote.

    Raises:
        ValueError: it is invalid, or has an unknown field.
    """
    rules = tuple(
        Rule(quirks={name: value for name, value in told.items() if name != _MODELS}, models=told.get(_MODELS, ""))
        for told in (json.loads(text) if text else ())
    )
    unknown = sorted({name for rule in rules for name in rule.quirks} - set(NAMES))
    if unknown:
        raise ValueError(f"no quirks: {', '.join(unknown)}")
    return rules


def rules_for(rules: Iterable[Rule], model: str, api: str) -> tuple[Rule, ...]:
    """Return the rules of a target: one for a known model, or all that its models may match."""
    held = [rule for rule in rules if not rule.apis or api in rule.apis]
    if not model:
        return tuple(Rule(quirks=rule.quirks, models=rule.models) for rule in held)
    merged = _merge(held, model, api)
    return (Rule(quirks=merged),) if merged else ()


def resolve(rules: Iterable[Rule], model: str, api: str) -> Quirks:
    """Return the quirks of one model in one API."""
    merged = _merge(rules, model, api)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in merged.items()}
    return Quirks(**values)


def _merge(rules: Iterable[Rule], model: str, api: str) -> dict[str, Any]:
    name = model.lower()
    merged: dict[str, Any] = {}
    for rule in rules:
        if (not rule.apis or api in rule.apis) and (not rule.models or re.search(rule.models, name)):
            merged.update(rule.quirks)
    return merged


@dataclass(frozen=True, slots=True)
class QuirkTable:
    """The rules for the models of one target, with a cache of their results."""

    rules: tuple[Rule, ...] = ()
    """Those of one API."""
    _known: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Clients name the models of a wildcard, so the cache is bounded.
        object.__setattr__(self, "_known", lru_cache(maxsize=256)(lambda model: resolve(self.rules, model, "")))

    def of(self, model: str) -> Quirks:
        """Return the quirks of a model."""
        found: Quirks = self._known(model)
        return found
