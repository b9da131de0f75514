"""Signatures of tool calls in Chat Completions (`extra_content`), which Gemini requires with its earlier calls.

Other client APIs have no field for them at a call. There a signature is sent as encrypted reasoning, with the gateway's
mark, before its call: clients return such reasoning unchanged.
https://ai.google.dev/gemini-api/docs/thought-signatures
"""

from typing import Final

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.reasoning import CALL_MARK

_EXTRA: Final = "extra_content"
_SKIPS_THE_CHECK: Final = {"google": {"thought_signature": "skip_thought_signature_validator"}}
"""The value that Google documents for calls of another model."""


def signature_of(call: JsonObject, call_id: str) -> str:
    """Return the encoded signature of a call, or of a message if `call_id` is empty; "" if it has none.

    It consists of the mark, the id of the call, and its `extra_content` as JSON.
    """
    extra = call.get(_EXTRA)
    return f"{CALL_MARK}{call_id}:{orjson.dumps(extra).decode()}" if isinstance(extra, dict) and extra else ""


def read_signature(data: object) -> tuple[str, JsonObject] | None:
    """Decode the output of `signature_of` to the id of the call and its `extra_content`; None for anything else."""
    if not isinstance(data, str) or not data.startswith(CALL_MARK):
        return None
    call_id, brace, written = data.removeprefix(CALL_MARK).partition(":{")
    try:
        extra = orjson.loads("{" + written)
    except orjson.JSONDecodeError:
        return None
    return (call_id, extra) if brace else None


def sign_calls(message: JsonObject, signatures: dict[str, JsonObject], *, are_required: bool) -> None:
    """Put signatures back into an assistant's message; its first call gets one in any case if they are required."""
    calls = message.get("tool_calls") or []
    for call in calls:
        if call["id"] in signatures:
            call[_EXTRA] = signatures[call["id"]]
    if "" in signatures:
        message[_EXTRA] = signatures[""]
    if are_required and calls and _EXTRA not in calls[0]:
        calls[0][_EXTRA] = _SKIPS_THE_CHECK
