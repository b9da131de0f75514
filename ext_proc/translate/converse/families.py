"""Families of models on Amazon Bedrock: Converse is one API for all, but not all of it works with each of them.

What Converse has no word for a family may have one in its own API: `additionalModelRequestFields` take it there.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from ext_proc.codec.json_body import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What models of one maker have in common."""

    is_claude: bool = False
    """Takes Anthropic's own fields: thinking, top_k, and tool_choice where Converse has no word for it."""
    is_nova: bool = False
    """Takes `topK` in an inferenceConfig of its own."""
    caches: bool = False
    """Takes cache points; others refuse the whole request for one."""
    caches_tools: bool = False
    takes_result_status: bool = False
    """Takes `status` of tool results; others are told in words."""
    effort: str = ""
    """How it is told how hard to think: `reasoning_effort`, `reasoning` or `reasoningConfig`, its own fields; or not at all."""


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
    # An ARN that does not say: profiles and provisioned throughput are mostly made for Claude.
    (re.compile(r"^arn:.*(?:application-inference-profile|provisioned-model|prompt-router)/"), CLAUDE),
)


def family_of(model: str) -> Family:
    """Return the family of a model id or an ARN."""
    name = model.lower()
    return next((family for pattern, family in _FAMILIES if pattern.search(name)), OTHER)


def effort_fields(family: Family, effort: str, *, is_bounded: bool) -> JsonObject:
    """Return a family's own fields for an effort, those of Claude apart; `is_bounded` says if there is an inferenceConfig."""
    match family.effort:
        case "reasoning_effort" if effort != "none":
            return {"reasoning_effort": _within(effort)}
        case "reasoning":
            return {"reasoning": {"effort": "low" if effort == "minimal" else effort}}
        case "reasoningConfig" if effort == "none":
            return {"reasoningConfig": {"type": "disabled"}}
        case "reasoningConfig":
            # Nova refuses limits and sampling beside `high`.
            wanted = "medium" if is_bounded and _within(effort) == "high" else _within(effort)
            return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": wanted}}
    return {}


def _within(effort: str) -> str:
    return {"minimal": "low", "low": "low", "medium": "medium"}.get(effort, "high")
