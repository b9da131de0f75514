"""Top-level fields of the official SDKs' requests: each is translated, refused by name, or reported."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest
from anthropic.types import message_create_params as messages_params
from anthropic.types.beta import message_create_params as messages_beta_params
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import response_create_params as responses_params

from ext_proc.errors import UnsupportedFeature
from ext_proc.translate import dropped
from ext_proc.translate.registry import PAIRS, translation
from ext_proc.translate.translation import Exchange
from protos.contract.quirks import Quirks

SCHEMA: Final = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
TURN: Final = {"messages": [{"role": "user", "content": "Hi"}]}
PLAIN: Final[Mapping[str, dict[str, Any]]] = {
    "messages": {"model": "m", "max_tokens": 9000, **TURN},
    "chat_completions": {"model": "m", **TURN},
    "responses": {"model": "m", "input": "Hi"},
}
TOOLS: Final[Mapping[str, list[Any]]] = {
    "messages": [{"name": "f", "input_schema": SCHEMA}],
    "chat_completions": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    "responses": [{"type": "function", "name": "f", "parameters": SCHEMA}],
}
VALUES: Final[Mapping[str, Any]] = {
    **dict.fromkeys(
        ("max_tokens", "max_completion_tokens", "max_output_tokens", "n", "max_tool_calls", "top_logprobs", "top_k"), 7
    ),
    **dict.fromkeys(("temperature", "top_p"), 0.5),
    **dict.fromkeys(("logprobs", "background", "store"), True),
    **{name: ["x"] for name in ("stop_sequences", "include", "modalities")},
    "mcp_servers": [{"type": "url"}],
    "output_config": {"effort": "low"},
    "parallel_tool_calls": False,
    "reasoning": {"effort": "low"},
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "service_tier": "priority",
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    "thinking": {"type": "enabled", "budget_tokens": 2000},
}
"""Values with an effect; "x" for all other fields."""
OWN_VALUES: Final[Mapping[tuple[str, str], Any]] = {
    ("messages", "metadata"): {"user_id": "u"},
    ("chat_completions", "metadata"): {"label": "x"},
    ("responses", "metadata"): {"label": "x"},
    ("messages", "tool_choice"): {"type": "any"},
    ("chat_completions", "tool_choice"): "required",
    ("responses", "tool_choice"): "required",
    ("messages", "service_tier"): "standard_only",
}
"""Values of fields that differ by API."""
HEADERS: Final = {"betas"}
"""Arguments that the SDK sends as headers."""
SAMPLING: Final = {"temperature", "top_p", "top_k"}
"""Fields of Messages that its newest SDK lacks, and older models accept."""
DROPPED: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    pair: getattr(dropped, f"{pair[0]}_OVER_{pair[1]}".upper(), {}) for pair in PAIRS
}


def fields_of(api: str) -> set[str]:
    kinds: dict[str, tuple[type, ...]] = {
        "messages": (messages_params.MessageCreateParamsBase, messages_beta_params.MessageCreateParamsBase),
        "chat_completions": (chat_params.CompletionCreateParamsBase,),
        "responses": (responses_params.ResponseCreateParamsBase,),
    }
    if api == "converse":
        return fields_of("messages")  # Bedrock passes Claude's own fields on.
    named = {name for kind in kinds[api] for name in kind.__annotations__} - HEADERS
    return named | SAMPLING if api == "messages" else named


def cases() -> list[Any]:
    return [
        pytest.param(pair, name, id=f"{'_over_'.join(pair)}-{name}")
        for pair in sorted(PAIRS)
        for name in sorted(fields_of(pair[0]) - set(PLAIN[pair[0]]))
    ]


def context_of(api: str, name: str) -> dict[str, Any]:
    """Return the other fields without which a field has no effect."""
    if name in ("tool_choice", "parallel_tool_calls"):
        return {"tools": TOOLS[api]}
    return {"logprobs": True} if name == "top_logprobs" and api == "chat_completions" else {}


def translated(pair: tuple[str, str], body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    exchange = Exchange(request=body, id="0" * 32, created=1, quirks=Quirks())
    model = "anthropic.claude-sonnet-4-5" if pair[1] == "converse" else "m"
    out = translation(*pair, exchange).request(upstream_model=model)
    return out, " ".join(exchange.warnings)


def is_documented(pair: tuple[str, str], name: str) -> bool:
    middle = PAIRS[pair].through
    tables = [pair] if not middle else [(pair[0], middle), (middle, pair[1])]
    named = (re.search(rf"\b{name}\b", key) for key in dropped.IN_PART)
    return any(name in DROPPED[table] for table in tables) or any(named)


@pytest.mark.parametrize(("pair", "name"), cases())
def test_no_field_is_dropped_in_silence_or_copied_to_an_api_without_it(pair: tuple[str, str], name: str) -> None:
    api, upstream = pair
    value = TOOLS[api] if name == "tools" else OWN_VALUES.get((api, name), VALUES.get(name, "x"))
    given = PLAIN[api] | context_of(api, name)
    try:
        without, _ = translated(pair, given)
        out, warnings = translated(pair, given | {name: value})
    except UnsupportedFeature as error:
        refused = re.split(r"[.\[]", error.param or "")[0]
        out, without, warnings = {}, {}, refused if refused in {name, *context_of(api, name)} else ""
    carried = out | out.get("additionalModelRequestFields", {})
    assert name not in carried or name in fields_of(upstream)
    assert out != without or name in warnings or is_documented(pair, name)


@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_an_unknown_service_tier_is_reported_where_it_has_no_effect(pair: tuple[str, str]) -> None:
    out, warnings = translated(pair, PLAIN[pair[0]] | {"service_tier": "turbo"})
    assert out.get("service_tier") == "turbo" or "service_tier" in warnings
