"""Chat Completions request -> Converse request.

https://platform.openai.com/docs/api-reference/chat/create,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.refusals import REFUSED, refuse
from ext_proc.translate.chat_completions.tools import offered_tools
from ext_proc.translate.chat_completions_over_converse.messages import ConverseTurnsOfChat
from ext_proc.translate.converse.families import effort_fields, family_of
from ext_proc.translate.converse.request import ConverseRequest, mark_tool, tool_spec
from ext_proc.translate.converse.turns import Turns
from ext_proc.translate.dropped import CHAT_COMPLETIONS_OVER_CONVERSE as DROPPED
from ext_proc.translate.json_fields import as_object, kind_of, object_in, unsupported
from ext_proc.translate.parts import budget_of_effort, chat_limit
from ext_proc.translate.quirks import Profile, claude_effort, default_max_tokens, takes_sampling, thinking_style
from ext_proc.translate.translation import CONVERSE, Exchange

_KNOWN: Final = (
    frozenset(DROPPED)
    | REFUSED
    | {
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "temperature",
        "top_p",
        "top_k",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "user",
        "metadata",
        "service_tier",
    }
)
_ANY_INPUT: Final = {"type": "object", "properties": {}}
_TIERS: Final = ("flex", "priority")
"""What is not Bedrock's default."""


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Converse body for a Chat Completions body."""
    body, family = exchange.request, family_of(upstream_model)
    refuse(body, CONVERSE)
    messages = ConverseTurnsOfChat(family)
    messages.add_all(body.get("messages"))
    made = ConverseRequest(family)
    stop = body.get("stop") or None
    limit = chat_limit(body)
    made.limit(maxTokens=limit, stopSequences=[stop] if isinstance(stop, str) else stop)
    _tools(body, made, messages.turns)
    _format(body, made)
    _reason(body, made, upstream_model, exchange.profile, messages.turns)
    _sample(body, made, upstream_model)
    made.sample_from(body.get("top_k"))  # An extension that vLLM and others know.
    made.label(as_object(body.get("metadata") or {}, "metadata"), body.get("user") or body.get("safety_identifier"))
    if body.get("service_tier") in _TIERS:
        made.out["serviceTier"] = {"type": body["service_tier"]}
    return made.body(messages.turns, body, _KNOWN)


def _tools(body: JsonObject, made: ConverseRequest, turns: Turns) -> None:
    offered, choice = offered_tools(body, CONVERSE)
    if choice is not None and choice.get("disable_parallel_tool_use") and not made.family.is_claude:
        raise unsupported("parallel_tool_calls", CONVERSE)
    tools: list[JsonObject] = []
    for tool in offered:
        tools.append(tool_spec(tool.name, tool.description, tool.parameters or _ANY_INPUT, tool.strict))
        mark_tool(tools, tool.cache_control, made.family)
    made.offer(tools, choice, turns)


def _format(body: JsonObject, made: ConverseRequest) -> None:
    if body.get("response_format") is None:
        return
    wanted = as_object(body["response_format"], "response_format")
    match kind_of(wanted, "response_format"):
        case "text":
            pass
        case "json_schema":
            place = "response_format.json_schema"
            named = as_object(wanted.get("json_schema"), place)
            schema = object_in(named, "schema", place)
            made.answer_as(schema, f"{place}.schema", name=named.get("name"), description=named.get("description"))
        case _:  # json_object: Converse has no JSON without a schema.
            raise unsupported("response_format.type", CONVERSE)


def _reason(body: JsonObject, made: ConverseRequest, model: str, profile: Profile, turns: Turns) -> None:
    effort = body.get("reasoning_effort")
    if not isinstance(effort, str) or "thinking" in body:
        return
    if not made.family.is_claude:
        made.models.update(effort_fields(made.family, effort, is_bounded=bool(made.limits)))
        return
    # An ARN that names no model does not say either how it is told to think.
    style = thinking_style(model, profile) if "claude" in model.lower() else "none"
    if style == "none":
        return
    if effort == "none":
        made.models["thinking"] = {"type": "disabled"}
    elif style == "adaptive":
        made.models["thinking"] = {"type": "adaptive"}
        made.out.setdefault("outputConfig", {})["effort"] = claude_effort(model, effort)
    else:
        limit = made.limits.get("maxTokens", default_max_tokens(model, profile))
        budget = budget_of_effort(effort, limit) if isinstance(limit, int) else None
        if budget is not None and made.may_think(turns):
            made.models["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _sample(body: JsonObject, made: ConverseRequest, model: str) -> None:
    temperature, top_p = body.get("temperature"), body.get("top_p")
    if isinstance(temperature, int | float):
        temperature = min(temperature, 1)  # OpenAI's scale ends at 2, Converse's at 1.
    if not made.family.is_claude:
        made.limit(temperature=temperature, topP=top_p)
    elif takes_sampling(model) and made.models.get("thinking", {}).get("type") not in ("enabled", "adaptive"):
        # Claude 4.1 and later refuse both at once.
        made.limit(temperature=temperature, topP=top_p if temperature is None else None)
