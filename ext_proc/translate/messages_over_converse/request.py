"""Messages request -> Converse request.

https://platform.claude.com/docs/en/api/messages,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Any

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.converse.betas import betas_for
from ext_proc.translate.converse.families import effort_fields, family_of
from ext_proc.translate.converse.request import ConverseRequest, mark_tool, tool_spec
from ext_proc.translate.converse.turns import Turns
from ext_proc.translate.dropped import MESSAGES_OVER_CONVERSE as DROPPED
from ext_proc.translate.dropped import drop, refuse
from ext_proc.translate.json_fields import as_list, as_object, as_text, kind_of, object_in, unsupported, unsupported_kind
from ext_proc.translate.json_schema import closed
from ext_proc.translate.messages.tools import offered_tools
from ext_proc.translate.messages_over_chat_completions.request import MESSAGES_TIERS, REFUSED
from ext_proc.translate.messages_over_converse.messages import ConverseTurnsOfMessages
from ext_proc.translate.parts import budget_of_effort, effort_of_budget
from ext_proc.translate.provider_tools import leave_out, warn_of_rest, warn_of_word
from ext_proc.translate.quirks import accepted_limit
from ext_proc.translate.translation import CONVERSE, Exchange
from protos.contract.quirks import Quirks


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Converse body for a Messages body."""
    rest, family = dict(exchange.request), family_of(upstream_model)
    refuse(rest, REFUSED, CONVERSE)
    if rest.pop("mcp_servers", None):
        leave_out("mcp_servers", "mcp_servers", exchange, CONVERSE)
    rest.pop("model", None)
    messages = ConverseTurnsOfMessages(family, exchange)
    messages.add_system(rest.pop("system", None))
    messages.add_all(rest.pop("messages", None))
    messages.turns.finish(marker=rest.pop("cache_control", None))
    made = ConverseRequest(family)
    _limit(rest, made, exchange.quirks)
    made.offer(_tools(rest, exchange, made), _choice(rest, made), messages.turns)
    made.sample_from(rest.pop("top_k", None))
    betas = betas_for(upstream_model, exchange.betas) if family.is_claude else []
    if betas:
        made.models["anthropic_beta"] = betas
    config = dict(as_object(rest.pop("output_config", None) or {}, "output_config"))
    thinking = dict(as_object(rest.pop("thinking", None) or {}, "thinking"))
    _think(thinking, config.pop("effort", None), made, upstream_model, exchange.quirks, messages.turns)
    _format(rest, config, made, exchange.quirks)
    config.pop("task_budget", None)
    warn_of_rest(config, "output_config", exchange)
    metadata = dict(as_object(rest.pop("metadata", None) or {}, "metadata"))
    user = metadata.pop("user_id", None)
    made.label(metadata, user)
    warn_of_word(rest.get("service_tier"), MESSAGES_TIERS, "service_tier", exchange)
    drop(rest, DROPPED)
    return made.body(messages.turns, rest)


def _limit(rest: JsonObject, made: ConverseRequest, quirks: Quirks) -> None:
    stops = as_list(rest.pop("stop_sequences", None), "stop_sequences")
    made.limit(
        maxTokens=accepted_limit(rest.pop("max_tokens", None), quirks),
        temperature=rest.pop("temperature", None),
        topP=rest.pop("top_p", None),
        stopSequences=stops or None,
    )
    if stops:
        # Converse only names the stop sequence on request.
        made.out["additionalModelResponseFieldPaths"] = ["/stop_sequence"]


def _tools(rest: JsonObject, exchange: Exchange, made: ConverseRequest) -> list[JsonObject]:
    tools: list[JsonObject] = []
    for tool in offered_tools(rest, exchange, CONVERSE):
        tools.append(tool_spec(tool.name, tool.description, tool.schema, tool.strict))
        mark_tool(tools, tool.cache_control, made.family)
    return tools


def _choice(rest: JsonObject, made: ConverseRequest) -> JsonObject | None:
    given = rest.pop("tool_choice", None)
    if given is None:
        return None
    choice = dict(as_object(given, "tool_choice"))
    if kind_of(choice, "tool_choice") not in ("auto", "any", "tool", "none"):
        raise unsupported_kind(choice, "tool_choice", CONVERSE)
    if choice["type"] == "tool":
        as_text(choice.get("name"), "tool_choice.name")
    if choice.get("disable_parallel_tool_use") and not made.family.is_claude:
        raise unsupported("tool_choice.disable_parallel_tool_use", CONVERSE)
    return choice


def _think(thinking: JsonObject, effort: Any, made: ConverseRequest, model: str, quirks: Quirks, turns: Turns) -> None:
    if not made.family.is_claude:
        if effort is None and thinking.get("type") in ("enabled", "adaptive"):
            effort = effort_of_budget(thinking.get("budget_tokens"))
        if isinstance(effort, str):
            made.models.update(effort_fields(made.family, effort, is_bounded=bool(made.limits)))
        return
    # An ARN without a model does not tell how to request thinking, so the client's form is kept.
    style = quirks.thinking if "claude" in model.lower() else "adaptive"
    if style == "budget" and thinking.get("type") == "adaptive":
        # It replaces a newer Claude, for which the client wrote the request.
        word, limit = effort if isinstance(effort, str) else "high", made.limits.get("maxTokens")
        budget = budget_of_effort(word, limit) if isinstance(limit, int) and made.may_think(turns) else None
        thinking = {"type": "enabled", "budget_tokens": budget} if budget is not None else {}
    if thinking and style != "none":
        made.models["thinking"] = thinking
    if effort is not None and (style == "adaptive" or "opus-4-5" in model):
        made.out["outputConfig"] = {"effort": effort}


def _format(rest: JsonObject, config: JsonObject, made: ConverseRequest, quirks: Quirks) -> None:
    output_format = rest.pop("output_format", None)  # Its name during the beta.
    given = config.pop("format", None) or output_format
    if given is None:
        return
    wanted = as_object(given, "output_config.format")
    if kind_of(wanted, "output_config.format") != "json_schema":
        raise unsupported_kind(wanted, "output_config.format", CONVERSE)
    schema = object_in(wanted, "schema", "output_config.format")
    made.answer_as(closed(schema) if quirks.schemas == "closed" else schema, "output_config.format.schema")
