"""JSON schemas of structured output, of which providers support different subsets."""

from typing import Any, Final

import orjson

from ext_proc.codec.json_body import JsonObject

_UNSUPPORTED: Final = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
        *("patternProperties", "propertyNames", "contains", "minContains", "maxContains", "if", "then", "else", "not"),
    }
)
"""Keywords that Anthropic refuses: https://platform.claude.com/docs/en/build-with-claude/structured-outputs"""
_FORMATS: Final = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_ONE: Final = ("items", "additionalItems")
_LISTS: Final = ("anyOf", "allOf", "oneOf", "prefixItems")
_NAMED: Final = ("properties", "$defs", "definitions")
_NO_OTHERS: Final = "additionalProperties"


def closed(schema: JsonObject) -> JsonObject:
    """Return a schema in Anthropic's subset: every object closed, and bounds in descriptions, for the model."""
    out: JsonObject = {}
    told: JsonObject = {}
    for name, value in schema.items():
        if _is_refused(name, value):
            told[name] = value
        elif name != _NO_OTHERS:
            out["anyOf" if name == "oneOf" else name] = _closed_member(name, value)
    if "properties" in out or _is_object(out.get("type")):
        out[_NO_OTHERS] = False
    if told:
        words = orjson.dumps(told).decode()
        out["description"] = f"{out['description']} {words}" if isinstance(out.get("description"), str) else words
    return out


def is_strict(schema: Any) -> bool:
    """Whether OpenAI accepts a schema as strict: every object closed, and all of its properties required."""
    if isinstance(schema, list):
        return all(is_strict(member) for member in schema)
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if "properties" in schema or _is_object(schema.get("type")):
        names = set(properties) if isinstance(properties, dict) else set()
        required = schema.get("required") or []
        if schema.get(_NO_OTHERS) is not False or not isinstance(required, list) or names != set(map(str, required)):
            return False
    inner = [schema[name] for name in (*_ONE, *_LISTS) if name in schema]
    named = [value for name in _NAMED if isinstance(schema.get(name), dict) for value in schema[name].values()]
    return is_strict(inner) and is_strict(named)


def _closed_member(name: str, value: Any) -> Any:
    if name in _NAMED and isinstance(value, dict):
        return {inner: _closed(member) for inner, member in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_closed(member) for member in value]
    return _closed(value) if name in _ONE else value


def _closed(value: Any) -> Any:
    return closed(value) if isinstance(value, dict) else value


def _is_refused(name: str, value: Any) -> bool:
    if name == "minItems":
        return value not in (0, 1)
    return name in _UNSUPPORTED or (name == "format" and value not in _FORMATS)


def _is_object(kind: Any) -> bool:
    return kind == "object" or (isinstance(kind, list) and "object" in kind)
