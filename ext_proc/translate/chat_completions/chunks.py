"""What the chunks of every chat stream have in common, whatever API they are translated from."""

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.translation import Exchange


def chunk_head(exchange: Exchange, *, model: str = "") -> JsonObject:
    """Return the members that each chunk begins with, for a stream whose upstream gives no id."""
    return {"id": f"chatcmpl-{exchange.id}", "object": "chat.completion.chunk", "created": exchange.created, "model": model}


def tells_usage(exchange: Exchange) -> bool:
    """Tell if the client wants a last chunk with the usage."""
    options = exchange.request.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True
