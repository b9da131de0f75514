"""Model families on Amazon Bedrock: not all of Converse works with each of them.

Fields that Converse lacks may exist in a family's own API: they are sent as `additionalModelRequestFields`.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from ext_proc.codec.json_body import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The common features of one maker's models."""

    is_claude: bool = False
    """Accepts Anthropic's own fields: thinking, top_k, and tool_choice that Converse lacks."""
    is_nova: bool = False
    """Accepts `topK` in an inferenceConfig of its own."""
    caches: bool = False
    """Accepts cache points; others reject requests with them."""
    caches_tools: bool = False
    takes_result_status: bool = False
    """Accepts `status` of tool results; for others it is written in the text."""
    effort: str = ""
    """Its own field for reasoning effort: `reasoning_effort`, `reasoning` or `reasoningConfig`; empty: none."""


CLAUDE: Final = Family(is_claude=True, caches=True, caches_tools=True, takes_result_status=True)
NOVA: Final = Family(is_nova=True, caches=True, takes_result_status=True)
NOVA_2: Final = replace(NOVA, effort="reasoningConfig")
GPT_OSS: Final = Family(effort="reasoning_effort")
GPT: Final = Family(effort="reasoning")
OTHER: Final = Family()

_FAMILIES: Final = (
    (re.compile(r"claude|anthropic\."), CLAUDE),
    (re.compile(r"\bnova-2"), NOVA_2),
    (re.compile(r"\bnova-"), NOVA),
    (re.compile(r"gpt-oss|\bkimi-k2"), GPT_OSS),
    (re.compile(r"\bopenai\.gpt-"), GPT),
    # An ARN without a maker: profiles and provisioned throughput are mostly for Claude.
    (re.compile(r"^arn:.*(?:application-inference-profile|provisioned-model|prompt-router)/"), CLAUDE),
)


def family_of(model: str) -> Family:
    """Return the family of a model id or an ARN."""
    name = model.lower()
    return next((family for pattern, family in _FAMILIES if pattern.search(name)), OTHER)


def effort_fields(family: Family, effort: str, *, is_bounded: bool) -> JsonObject:
    """Return a family's own fields for an effort, except Claude's; `is_bounded` tells whether there is an inferenceConfig."""
    match family.effort:
        case "reasoning_effort" if effort != "none":
            return {"reasoning_effort": _within(effort)}
        case "reasoning":
            return {"reasoning": {"effort": "low" if effort == "minimal" else effort}}
        case "reasoningConfig" if effort == "none":
            return {"reasoningConfig": {"type": "disabled"}}
        case "reasoningConfig":
            # Nova rejects limits and sampling together with `high`.
            wanted = "medium" if is_bounded and _within(effort) == "high" else _within(effort)
            return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": wanted}}
    return {}


def _within(effort: str) -> str:
    return {"minimal": "low", "low": "low", "medium": "medium"}.get(effort, "high")
