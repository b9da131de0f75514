"""The fields that a translation drops on purpose, with the reasons: tuning that the other API lacks.

Nothing else is dropped: an unsupported field that determines the content of the answer is an UnsupportedFeature.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import unsupported

_ANTHROPICS_OWN: Final = MappingProxyType(
    {
        "context_management": "asks for old tool results to be forgotten; the client's context is sent whole",
        "speed": "Anthropic's own choice of speed",
        "diagnostics": "asks for hints about the prompt cache",
        "user_profile_id": "Anthropic's own accounting",
        "workspace_id": "Anthropic's own accounting",
        "billing_policy": "Anthropic's own accounting",
        "fallbacks": "asks Anthropic to fall back; the gateway's own fallbacks are configured",
        "fallback_credit_token": "Anthropic's own accounting of its fallbacks",
    }
)
MESSAGES_OVER_CHAT_COMPLETIONS: Final = MappingProxyType(
    {
        "top_k": "sampling; Chat Completions has top_p only",
        "cache_control": "caching of the whole prompt; upstreams of Chat Completions cache on their own",
        **_ANTHROPICS_OWN,
    }
)
CHAT_COMPLETIONS_OVER_MESSAGES: Final = MappingProxyType(
    {
        "seed": "best-effort repeatability",
        "frequency_penalty": "sampling",
        "presence_penalty": "sampling",
        "logit_bias": "sampling",
        "top_logprobs": "only says how many logprobs; logprobs itself is refused",
        "store": "asks OpenAI to keep the answer for its dashboard",
        "metadata": "labels of stored answers",
        "prediction": "speeds up the answer, does not change it",
        "prompt_cache_key": "Anthropic caches by content",
        "prompt_cache_options": "Anthropic caches by content",
        "prompt_cache_retention": "Anthropic caches by content",
        "verbosity": "tuning of the length",
        "safety_identifier": "sent as metadata.user_id unless user is set",
        "stream_options": "ours to obey",
    }
)
RESPONSES_OVER_CHAT_COMPLETIONS: Final = MappingProxyType(
    {
        "include": "asks for details that Chat Completions has not, logprobs apart; reasoning is always returned whole",
        "truncation": "the upstream truncates as it does",
        "max_tool_calls": "counts built-in tools only, which are refused",
        "context_management": "asks the provider to compact long conversations",
        "stream_options": "ours to obey",
        "store": "the gateway keeps what previous_response_id needs, not the upstream",
        "access_programs": "OpenAI's own accounting",
        "prompt_cache_options": "hints for OpenAI's prompt cache",
        "client_metadata": "Codex's telemetry",
    }
)
CHAT_COMPLETIONS_OVER_RESPONSES: Final = MappingProxyType(
    {
        "seed": "best-effort repeatability",
        "frequency_penalty": "sampling",
        "presence_penalty": "sampling",
        "logit_bias": "sampling",
        "prediction": "speeds up the answer, does not change it",
        "stream_options": "ours to obey",
    }
)
MESSAGES_OVER_CONVERSE: Final = MappingProxyType(
    {
        "stream": "the path says it",
        "service_tier": "auto and standard_only are what Bedrock does unasked",
        **_ANTHROPICS_OWN,
    }
)
CHAT_COMPLETIONS_OVER_CONVERSE: Final = MappingProxyType(
    {
        "stream": "the path says it",
        "stream_options": "ours to obey",
        "seed": "best-effort repeatability",
        "frequency_penalty": "sampling",
        "presence_penalty": "sampling",
        "logit_bias": "sampling",
        "top_logprobs": "only says how many logprobs; logprobs itself is refused",
        "store": "asks OpenAI to keep the answer for its dashboard",
        "prediction": "speeds up the answer, does not change it",
        "prompt_cache_key": "Bedrock caches by content",
        "prompt_cache_options": "Bedrock caches by content",
        "prompt_cache_retention": "Bedrock caches by content",
        "verbosity": "tuning of the length",
        "safety_identifier": "sent as a label of the user unless user is set",
    }
)
IN_PART: Final = MappingProxyType(
    {
        "thinking blocks of earlier turns": "unless the profile says how the upstream of Chat Completions takes them back",
        "unsigned or foreign reasoning": "Anthropic and OpenAI take back only what they can verify",
        "cache_control of parts and tools": "unless the profile says how the upstream of Chat Completions marks content",
        "temperature, top_p": "over Messages with thinking or a model that refuses them; top_p beside temperature; 1 at most",
        "temperature and top_p of models that sample as they please": "see the limits below",
        "reasoning.effort, output_config.effort": "the nearest that the model accepts is sent, or none: see the limits",
        "fields that a provider refuses": "see `refused_fields` in the limits below",
        "tools that only their own provider runs, and what a conversation tells of their use": "with a warning in the header "
        "`x-plano-warnings` and in the log, if the model may do without them; refused by name where it is demanded, or "
        "`quirks: {provider_tools: refuse}` is configured",
        "members of tools, thinking, reasoning and output formats that are unknown here": "with a warning, as above",
        "defer_loading, eager_input_streaming of tools": "the tool is offered at once",
        "output_config.task_budget": "advice of Anthropic's to its own models",
        "names of tools": "too long for the provider: shortened, and restored in the answer; ids become digests",
        "minimum, maxLength and other bounds of JSON schemas": "over Messages and Converse: they stand in descriptions",
        "strict": "over OpenAI's APIs if not all properties are required",
        "blank stop sequences": "over Messages, which refuses them",
        "json_object": "over Messages and Converse: asked for in the instructions",
        "reasoning of other models": "also within one API: thinking that Anthropic has not signed, "
        "encrypted reasoning that OpenAI has not made; the signature of a Gemini's call goes back to a Gemini only",
        "reasoning_effort": "over Messages by budget where thinking is refused: forced tool, tool loop without its thoughts",
        "image_url.detail": "over Messages, which chooses itself",
        "json_schema.name": "over Messages, whose schemas have no name",
        "reasoning.summary": "over Chat Completions; reasoning is returned as the upstream tells it",
        "service_tier": "over Messages: flex, scale and priority are auto; over Converse: scale is what Bedrock does unasked; "
        "another value, which its API does not know, is left out with a warning",
        "top_k": "over Converse: only Claude and Nova have it",
        "cache markers, thinking, effort": "over Converse: only families of models that have them, see converse/families.py",
        "metadata": "over Converse: labels that its log does not accept; a user's id becomes a digest then",
        "thinking": "over Converse: adaptive is a budget, or nothing, for a Claude that does not know it",
        "citations of earlier turns": "the text stays",
        "name of a message": "over Messages, Responses and Converse, which know nobody by name",
        "anthropic-beta": "over Converse: names that AWS does not document for the model, or that it does unasked; "
        "see converse/betas.py",
    }
)
"""Parts that are dropped or adapted only under a condition."""


def carry(rest: JsonObject, out: JsonObject) -> None:
    """Pass on the remaining, unknown fields of a request: extensions of vendors, and new fields of an API."""
    for name, value in rest.items():
        out.setdefault(name, value)


def drop(rest: JsonObject, dropped: Iterable[str]) -> None:
    """Remove the dropped fields from a copy of the request."""
    for name in dropped:
        rest.pop(name, None)


def refuse(rest: JsonObject, refused: Mapping[str, tuple[Any, ...]], api: str) -> None:
    """Remove unsupported fields without an effect from a copy of the request.

    Raises:
        UnsupportedFeature: a field has a value with an effect.
    """
    for name, harmless in refused.items():
        if rest.pop(name, None) not in harmless:
            raise unsupported(name, api)
