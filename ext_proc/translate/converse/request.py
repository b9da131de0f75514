"""The parts of a Converse request besides its turns: limits, tools, and fields of the model or the account."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import UnsupportedFeature
from ext_proc.translate.converse.blocks import cache_point
from ext_proc.translate.converse.families import Family
from ext_proc.translate.converse.turns import Turns
from ext_proc.translate.json_fields import as_object, dump

_OWN: Final = frozenset(
    {
        "guardrailConfig",
        "performanceConfig",
        "promptVariables",
        "additionalModelResponseFieldPaths",
        "projectIdentifier",
        "requestMetadata",
        "serviceTier",
        "outputConfig",
    }
)
"""Fields of Converse that a client may add to a request of another API; they have precedence."""
_MODELS: Final = "additionalModelRequestFields"
_LABEL: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_MAX_LABELS: Final = 16
_ANY_INPUT: Final = {"type": "object", "properties": {}}


@dataclass(slots=True)
class ConverseRequest:
    """Collects one request."""

    family: Family
    limits: JsonObject = field(default_factory=dict)
    """inferenceConfig."""
    models: JsonObject = field(default_factory=dict)
    """additionalModelRequestFields: fields of the model's own API."""
    out: JsonObject = field(default_factory=dict)
    """All other fields."""

    def limit(self, **limits: Any) -> None:
        """Set the given parameters that all models share."""
        self.limits.update({name: value for name, value in limits.items() if value is not None})

    def sample_from(self, top_k: Any) -> None:
        """Set top_k, for the families that support it."""
        if top_k is not None and self.family.is_claude:
            self.models["top_k"] = top_k
        elif top_k is not None and self.family.is_nova:
            self.models["inferenceConfig"] = {"topK": top_k}

    def offer(self, tools: list[JsonObject], choice: JsonObject | None, turns: Turns) -> None:
        """Set the tools and `tool_choice`, given in Anthropic's form.

        Converse has neither `none` nor a way to request one call at a time, and requires tools if one was called. Claude
        accepts Anthropic's own tool_choice instead, but not both.

        Raises:
            UnsupportedFeature: the choice cannot be expressed.
        """
        if not tools or (choice is not None and choice["type"] == "none"):
            choice = {"type": "none"}
            if not self.family.is_claude and turns.called:
                raise _not_without_tools("tool_choice" if tools else "tools")
            tools = tools or [_stub(name) for name in turns.called]
            if not tools or not self.family.is_claude:
                return
        config: JsonObject = {"tools": tools}
        if choice is not None and (choice["type"] == "none" or choice.get("disable_parallel_tool_use")):
            self.models["tool_choice"] = choice
        elif choice is not None and choice["type"] != "auto":
            config["toolChoice"] = {"tool": {"name": choice["name"]}} if choice["type"] == "tool" else {"any": {}}
        self.out["toolConfig"] = config

    def may_think(self, turns: Turns) -> bool:
        """Whether Claude may think by budget: not with a forced tool, nor within a turn whose thoughts are missing."""
        choice = self.models.get("tool_choice", {}).get("type")
        if "toolChoice" in self.out.get("toolConfig", {}) or choice in ("any", "tool"):
            return False
        last = next((message for message in reversed(turns.messages) if message["role"] == "assistant"), None)
        if last is None or turns.messages[-1] is last:
            return last is None
        answers_tools = any("toolResult" in block for block in turns.messages[-1]["content"])
        return not answers_tools or "reasoningContent" in last["content"][0]

    def label(self, labels: JsonObject, user: object = None) -> None:
        """Set labels for the invocation log: the valid ones, and the user, as a digest if needed."""
        kept = {name: value for name, value in labels.items() if name and _fits(name) and _fits(value)}
        if isinstance(user, str) and user:
            kept = {"user_id": user if _fits(user) else hashlib.sha256(user.encode()).hexdigest(), **kept}
        if kept:
            self.out["requestMetadata"] = dict(list(kept.items())[:_MAX_LABELS])

    def answer_as(self, schema: object, where: str, **named: Any) -> None:
        """Request JSON of a schema, whose path is `where`; `named` may have name and description."""
        texts = {name: value for name, value in named.items() if isinstance(value, str)}
        text = {"schema": dump(schema, where), **texts}
        self.out.setdefault("outputConfig", {})["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": text}}

    def body(self, turns: Turns, rest: JsonObject) -> JsonObject:
        """Return the whole request; remaining unknown fields of the client's are passed as the model's own."""
        own = {name: rest.pop(name) for name in [*rest] if name in _OWN}
        given = as_object(rest.pop(_MODELS, None) or {}, _MODELS)
        models = self.models | rest | given
        out: JsonObject = {"messages": turns.messages}
        if turns.system:
            out["system"] = turns.system
        if self.limits:
            out["inferenceConfig"] = self.limits
        if models:
            out[_MODELS] = models
        return {**out, **self.out, **own}


def tool_spec(name: str, description: object, schema: JsonObject, strict: object) -> JsonObject:
    """Return one tool."""
    spec: JsonObject = {"name": name, "inputSchema": {"json": schema}}
    if isinstance(description, str) and description.strip():
        spec["description"] = description
    if strict is not None:
        spec["strict"] = strict
    return {"toolSpec": spec}


def mark_tool(tools: list[JsonObject], marker: object, family: Family) -> None:
    """Add the cache point that marks the last tool."""
    if marker and family.caches_tools:
        tools.append(cache_point(marker))


def _not_without_tools(param: str) -> UnsupportedFeature:
    message = "Tools were called in the conversation: this model, which is served over converse, must be offered tools, too."
    return UnsupportedFeature(f"{param}: {message}", param=param)


def _stub(name: str) -> JsonObject:
    return tool_spec(name, None, _ANY_INPUT, None)


def _fits(label: object) -> bool:
    return isinstance(label, str) and _LABEL.fullmatch(label) is not None
