"""Estimates the tokens of a request in any API."""

from typing import Final

from ext_proc.codec.json_body import JsonObject

_BYTES_PER_TOKEN: Final = 4
_UNSAID: Final = frozenset(
    {"model", "role", "type", "data", "file_data", "url", "file_url", "image_url", "encrypted_content", "signature"}
)
"""Fields whose text does not count: images, files, encrypted reasoning, and constants."""


def estimate_size(body: JsonObject) -> int:
    """Return a quarter of the bytes of all text, at least 1. Images and files are not counted."""
    waiting: list[object] = [body]
    size = 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            size += len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(item for name, item in value.items() if name not in _UNSAID or not isinstance(item, str))
    return max(1, size // _BYTES_PER_TOKEN)
