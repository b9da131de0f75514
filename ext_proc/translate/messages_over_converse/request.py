"""Messages request -> Converse request.

https://platform.claude.com/docs/en/api/messages,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.converse.betas import betas_for
from ext_proc.translate.converse.families import effort_fields, family_of
from ext_proc.translate.converse.request import ConverseRequest, mark_tool, tool_spec
from ext_proc.translate.converse.turns import Turns
from ext_proc.translate.dropped import MESSAGES_OVER_CONVERSE as DROPPED
from ext_proc.translate.json_fields import as_list, as_object, as_text, kind_of, object_in, objects, text_in, unsupported
from ext_proc.translate.messages_over_converse.messages import ConverseTurnsOfMessages
from ext_proc.translate.parts import budget_of_effort, effort_of_budget
from ext_proc.translate.quirks import Profile, thinking_style
from ext_proc.translate.translation import CONVERSE, Exchange

_REFUSED: Final = ("container", "mcp_servers", "inference_geo")
_KNOWN: Final = (
    frozenset(_REFUSED)
    | frozenset(DROPPED)
    | {
        "model",
        "messages",
        "system",
        "max_tokens",
        "stop_sequences",
        "temperature",
        "top_p",
        "top_k",
        "metadata",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
        "cache_control",
    }
)


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Converse body for a Messages body."""
    body, family = exchange.request, family_of(upstream_model)
    for name in _REFUSED:
        if body.get(name) is not None:
            raise unsupported(name, CONVERSE)
    messages = ConverseTurnsOfMessages(family)
    messages.add_system(body.get("system"))
    messages.add_all(body.get("messages"))
    messages.turns.finish(marker=body.get("cache_control"))
    made = ConverseRequest(family)
    stops = as_list(body.get("stop_sequences"), "stop_sequences")
    made.limit(
        maxTokens=body.get("max_tokens"),
        temperature=body.get("temperature"),
        topP=body.get("top_p"),
        stopSequences=stops or None,
    )
    if stops:
        # Converse says that there was one, and which one only if it is asked to.
        made.out["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
    made.offer(_tools(body, made), _choice(body, made), messages.turns)
    made.sample_from(body.get("top_k"))
    betas = betas_for(upstream_model, exchange.betas) if family.is_claude else []
    if betas:
        made.models["anthropic_beta"] = betas
    _think(body, made, upstream_model, exchange.profile, messages.turns)
    _format(body, made)
    metadata = as_object(body.get("metadata") or {}, "metadata")
    made.label({name: value for name, value in metadata.items() if name != "user_id"}, metadata.get("user_id"))
    return made.body(messages.turns, body, _KNOWN)


def _tools(body: JsonObject, made: ConverseRequest) -> list[JsonObject]:
    tools: list[JsonObject] = []
    for tool, where in objects(body.get("tools"), "tools"):
        if tool.get("type") not in (None, "custom"):
            # web_search_…, bash_…: run by Anthropic, or known to its models by name only.
            raise unsupported(f"{where}.type", CONVERSE)
        name = text_in(tool, "name", where)
        schema = as_object(tool.get("input_schema", {"type": "object"}), f"{where}.input_schema")
        tools.append(tool_spec(name, tool.get("description"), schema, tool.get("strict")))
        mark_tool(tools, tool.get("cache_control"), made.family)
    return tools


def _choice(body: JsonObject, made: ConverseRequest) -> JsonObject | None:
    if body.get("tool_choice") is None:
        return None
    choice = as_object(body["tool_choice"], "tool_choice")
    if kind_of(choice, "tool_choice") not in ("auto", "any", "tool", "none"):
        raise unsupported("tool_choice.type", CONVERSE)
    if choice["type"] == "tool":
        as_text(choice.get("name"), "tool_choice.name")
    if choice.get("disable_parallel_tool_use") and not made.family.is_claude:
        raise unsupported("tool_choice.disable_parallel_tool_use", CONVERSE)
    return choice


def _think(body: JsonObject, made: ConverseRequest, model: str, profile: Profile, turns: Turns) -> None:
    thinking = as_object(body.get("thinking") or {}, "thinking")
    effort = as_object(body.get("output_config") or {}, "output_config").get("effort")
    if not made.family.is_claude:
        if effort is None and thinking.get("type") in ("enabled", "adaptive"):
            effort = effort_of_budget(thinking.get("budget_tokens"))
        if isinstance(effort, str):
            made.models.update(effort_fields(made.family, effort, is_bounded=bool(made.limits)))
        return
    # An ARN that names no model does not say how it is told to think: as the client says, then.
    style = thinking_style(model, profile) if "claude" in model.lower() else "adaptive"
    if style == "budget" and thinking.get("type") == "adaptive":
        # It stands in for a newer Claude, which the client knows how to tell.
        word, limit = effort if isinstance(effort, str) else "high", body.get("max_tokens")
        budget = budget_of_effort(word, limit) if isinstance(limit, int) and made.may_think(turns) else None
        thinking = {"type": "enabled", "budget_tokens": budget} if budget is not None else {}
    if thinking and style != "none":
        made.models["thinking"] = thinking
    if effort is not None and (style == "adaptive" or "opus-4-5" in model):
        made.out["outputConfig"] = {"effort": effort}


def _format(body: JsonObject, made: ConverseRequest) -> None:
    config = as_object(body.get("output_config") or {}, "output_config")
    given = config.get("format") or body.get("output_format")  # output_format was its name during the beta.
    if given is None:
        return
    wanted = as_object(given, "output_config.format")
    if kind_of(wanted, "output_config.format") != "json_schema":
        raise unsupported("output_config.format.type", CONVERSE)
    made.answer_as(object_in(wanted, "schema", "output_config.format"), "output_config.format.schema")
