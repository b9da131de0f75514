"""How a provider, or a model, differs from others that speak the same API: one type on its whole way.

The provider catalogue states quirks as rules, `quirks:` of an entry in the configuration overrides them, FilterConfig carries
them to ext_proc as JSON, and translations follow what `resolve` makes of them for one model and one API.
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
    """Chat Completions: name of the limit. OpenAI's reasoning models refuse `max_tokens`, older servers know no other."""
    least_max_tokens: int = 0
    """The lowest limit of tokens that it accepts; a lower one is raised to it."""
    default_max_tokens: int = 32_000
    """Messages: the limit that is sent if the client sets none, because the API demands one."""
    refused_fields: tuple[str, ...] = ()
    """Top-level fields of a request that it refuses; they are left out of translated requests."""
    takes_sampling: bool = True
    """Whether it accepts `temperature` and `top_p`."""
    efforts: tuple[Effort, ...] | None = None
    """The efforts of reasoning that it accepts, of which the nearest is sent; an empty list if it refuses the field. Unknown by
    default: everything passes, but nothing beyond `high`."""
    thinking: Literal["adaptive", "budget", "none"] = "adaptive"
    """Messages: how the model is told to think, by effort, by a budget of tokens, or not at all."""
    omits_thinking: bool = False
    """Messages: whether it returns what it thought only if it is asked for a summary."""
    verifies_thinking: bool = True
    """Messages: whether it refuses thinking blocks whose signature is not its own."""
    encrypted_reasoning: str = ""
    """Responses: how its own encrypted reasoning begins; any other is refused, and left out. Unknown by default."""
    reasoning_history: Literal["none", "reasoning_content", "reasoning_details"] = "none"
    """Chat Completions: the field in which it takes earlier reasoning back; strict servers refuse either."""
    strict_messages: bool = False
    """Chat Completions: whether it refuses messages with fields that OpenAI's API has not, such as reasoning."""
    call_signatures: Literal["none", "kept", "required"] = "none"
    """Chat Completions: whether calls of tools carry a signature (`extra_content`) that goes back with them, as Gemini's do;
    `required`: also those calls that another model made, which get the value by which Google skips the check."""
    call_ids: str = ""
    """Regular expression that ids of tool calls must match as a whole; others are replaced by a digest. Empty: any will do."""
    tool_name_length: int = 64
    """The longest name of a tool that it accepts; longer ones are shortened on the way there, and restored in the answer."""
    schemas: Literal["any", "closed"] = "any"
    """Whether structured output takes any JSON schema, or only Anthropic's subset: closed objects, without bounds."""
    cache_markers: Literal["none", "cache_control", "prompt_cache_breakpoint"] = "none"
    """Chat Completions: how content is marked for the prompt cache. `cache_control` is OpenRouter's and LiteLLM's word,
    `prompt_cache_breakpoint` OpenAI's; strict servers refuse either."""
    joins_text: bool = False
    """Chat Completions: whether it takes the texts of a message as one string only."""
    system_messages: bool = False
    """Messages: whether it takes messages of role `system` in the conversation; otherwise they become a user's text."""
    tools_api: Literal["", "responses"] = ""
    """The API in which it must be asked if tools are offered; empty: any that it speaks."""
    needs_instructions: bool = False
    """Responses: whether a request without `instructions` is refused."""
    streams_only: bool = False
    """Responses: whether it answers in streams only, stores nothing, and takes `input` only as a list."""
    resume_method: Literal["", "prefill", "prefix", "partial"] = ""
    """How it resumes a started answer: `prefill` (Messages: after a last message of the assistant), `partial` (Chat
    Completions: that message is marked so) or `prefix` (marked so, and repeated first); empty if it does not."""
    provider_tools: Literal["leave_out", "refuse"] = "leave_out"
    """What becomes of tools that only the provider of the client's own API can run, such as `web_search`, where the model may
    do without them: left out with a warning, or the request is refused. Where they are demanded it is refused."""


_MODELS: Final = "models"
NAMES: Final = tuple(member.name for member in fields(Quirks))


class Rule(NamedTuple):
    """What is known of some models; later rules win over earlier ones, field by field."""

    quirks: Mapping[str, Any]
    """Fields of Quirks, those that differ."""
    models: str = ""
    """Regular expression that is searched in the provider's name of a model, in lower case; empty: all models."""
    apis: tuple[str, ...] = ()
    """Upstream APIs that it holds for; empty: all."""
    since: str = ""
    """When it was seen last: `2026-11`."""
    source: str = ""
    """Where."""


def encode_rules(rules: Iterable[Rule]) -> str:
    """Write the rules for one target as JSON: the same text for the same rules, without what only people read."""
    told = [dict(rule.quirks) | ({_MODELS: rule.models} if rule.models else {}) for rule in rules]
    return json.dumps(told, sort_keys=True, separators=(",", ":")) if told else ""


def decode_rules(text: str) -> tuple[Rule, ...]:
    """Read what `encode_rules` wrote.

    Raises:
        ValueError: it is none, or names a field that Quirks has not.
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
    """Return what ext_proc must know of a target: one rule for a model that is known, or all that its models may match."""
    held = [rule for rule in rules if not rule.apis or api in rule.apis]
    if not model:
        return tuple(Rule(quirks=rule.quirks, models=rule.models) for rule in held)
    merged = _merge(held, model, api)
    return (Rule(quirks=merged),) if merged else ()


def resolve(rules: Iterable[Rule], model: str, api: str) -> Quirks:
    """Return the quirks of one model that is asked in one API."""
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
    """The rules for the models of one target: what they make of a model is remembered."""

    rules: tuple[Rule, ...] = ()
    """Those of one API."""
    _known: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Clients name the models of a wildcard: the memory is bounded.
        object.__setattr__(self, "_known", lru_cache(maxsize=256)(lambda model: resolve(self.rules, model, "")))

    def of(self, model: str) -> Quirks:
        """Return the quirks of a model."""
        found: Quirks = self._known(model)
        return found
