"""Common parts of chat chunks, translated from any API."""

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.translation import Exchange


def chunk_head(exchange: Exchange, *, model: str = "") -> JsonObject:
    """Return the first members of each chunk, for a stream whose upstream has no id."""
    return {"id": f"chatcmpl-{exchange.id}", "object": "chat.completion.chunk", "created": exchange.created, "model": model}


def tells_usage(exchange: Exchange) -> bool:
    """Whether the client requests a last chunk with the usage."""
    options = exchange.request.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True
