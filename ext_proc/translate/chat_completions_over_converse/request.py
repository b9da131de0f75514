"""Chat Completions request -> Converse request.

https://platform.openai.com/docs/api-reference/chat/create,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.refusals import REFUSED
from ext_proc.translate.chat_completions.tools import offered_tools
from ext_proc.translate.chat_completions_over_converse.messages import ConverseTurnsOfChat
from ext_proc.translate.chat_completions_over_messages.request import CHAT_TIERS, JSON_ONLY
from ext_proc.translate.converse.families import effort_fields, family_of
from ext_proc.translate.converse.request import ConverseRequest, mark_tool, tool_spec
from ext_proc.translate.converse.turns import Turns
from ext_proc.translate.dropped import CHAT_COMPLETIONS_OVER_CONVERSE as DROPPED
from ext_proc.translate.dropped import drop, refuse
from ext_proc.translate.json_fields import as_object, kind_of, object_in, unsupported, unsupported_kind
from ext_proc.translate.json_schema import closed
from ext_proc.translate.parts import budget_of_effort, take_chat_limit
from ext_proc.translate.provider_tools import warn_of_word
from ext_proc.translate.quirks import accepted_effort, accepted_limit
from ext_proc.translate.translation import CONVERSE, Exchange
from protos.contract.quirks import Quirks

_ANY_INPUT: Final = {"type": "object", "properties": {}}
_TIERS: Final = ("flex", "priority")
"""Values other than Bedrock's default."""


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Converse body for a Chat Completions body."""
    rest, family = dict(exchange.request), family_of(upstream_model)
    refuse(rest, REFUSED, CONVERSE)
    messages = ConverseTurnsOfChat(family, exchange)
    messages.add_all(rest.pop("messages", None))
    rest.pop("model", None)
    made = ConverseRequest(family)
    stop = rest.pop("stop", None) or None
    limit = accepted_limit(take_chat_limit(rest), exchange.quirks)
    made.limit(maxTokens=limit, stopSequences=[stop] if isinstance(stop, str) else stop)
    _tools(rest, exchange, made, messages.turns)
    _format(rest, exchange.quirks, made, messages.turns)
    effort = rest.pop("reasoning_effort", None)
    if isinstance(effort, str) and "thinking" not in rest:
        _reason(effort, made, upstream_model, exchange.quirks, messages.turns)
    _sample(rest.pop("temperature", None), rest.pop("top_p", None), made, exchange.quirks)
    made.sample_from(rest.pop("top_k", None))  # An extension of vLLM and others.
    user = rest.pop("user", None) or rest.pop("safety_identifier", None)
    made.label(as_object(rest.pop("metadata", None) or {}, "metadata"), user)
    tier = rest.pop("service_tier", None)
    warn_of_word(tier, CHAT_TIERS, "service_tier", exchange)
    if tier in _TIERS:
        made.out["serviceTier"] = {"type": tier}
    drop(rest, DROPPED)
    return made.body(messages.turns, rest)


def _tools(rest: JsonObject, exchange: Exchange, made: ConverseRequest, turns: Turns) -> None:
    offered, choice = offered_tools(rest, exchange, CONVERSE)
    if choice is not None and choice.get("disable_parallel_tool_use") and not made.family.is_claude:
        raise unsupported("parallel_tool_calls", CONVERSE)
    tools: list[JsonObject] = []
    for tool in offered:
        schema = tool.parameters or _ANY_INPUT
        schema = closed(schema) if tool.strict is True and exchange.quirks.schemas == "closed" else schema
        tools.append(tool_spec(tool.name, tool.description, schema, tool.strict))
        mark_tool(tools, tool.cache_control, made.family)
    made.offer(tools, choice, turns)


def _format(rest: JsonObject, quirks: Quirks, made: ConverseRequest, turns: Turns) -> None:
    given = rest.pop("response_format", None)
    if given is None:
        return
    wanted = as_object(given, "response_format")
    match kind_of(wanted, "response_format"):
        case "text":
            pass
        case "json_object":
            turns.system.append({"text": JSON_ONLY})
        case "json_schema":
            place = "response_format.json_schema"
            named = as_object(wanted.get("json_schema"), place)
            schema = object_in(named, "schema", place)
            schema = closed(schema) if quirks.schemas == "closed" else schema
            made.answer_as(schema, f"{place}.schema", name=named.get("name"), description=named.get("description"))
        case _:
            raise unsupported_kind(wanted, "response_format", CONVERSE)


def _reason(effort: str, made: ConverseRequest, model: str, quirks: Quirks, turns: Turns) -> None:
    if not made.family.is_claude:
        made.models.update(effort_fields(made.family, effort, is_bounded=bool(made.limits)))
        return
    # An ARN without a model does not tell how to request thinking.
    style = quirks.thinking if "claude" in model.lower() else "none"
    if style == "none":
        return
    if effort == "none":
        made.models["thinking"] = {"type": "disabled"}
        return
    if style == "adaptive":
        made.models["thinking"] = {"type": "adaptive", **({"display": "summarized"} if quirks.omits_thinking else {})}
        made.out.setdefault("outputConfig", {})["effort"] = accepted_effort(effort, quirks)
        return
    limit = made.limits.get("maxTokens", quirks.default_max_tokens)
    budget = budget_of_effort(effort, limit) if isinstance(limit, int) and made.may_think(turns) else None
    if budget is not None:
        made.models["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _sample(temperature: Any, top_p: Any, made: ConverseRequest, quirks: Quirks) -> None:
    if isinstance(temperature, int | float):
        temperature = min(temperature, 1)  # OpenAI's scale ends at 2, Converse's at 1.
    if not made.family.is_claude:
        made.limit(temperature=temperature, topP=top_p)
    elif quirks.takes_sampling and made.models.get("thinking", {}).get("type") not in ("enabled", "adaptive"):
        # Claude 4.1 and later reject both together.
        made.limit(temperature=temperature, topP=top_p if temperature is None else None)
