"""How much a request says: an estimate in tokens, of any API, where nobody needs to know exactly."""

from typing import Final

from ext_proc.codec.json_body import JsonObject

_BYTES_PER_TOKEN: Final = 4
_UNSAID: Final = frozenset(
    {"model", "role", "type", "data", "file_data", "url", "file_url", "image_url", "encrypted_content", "signature"}
)
"""Fields whose text is not what is said: images, files, sealed reasoning, and constant words."""


def estimate_size(body: JsonObject) -> int:
    """Count a quarter of the bytes of all text, but at least one token. Images and files count nothing."""
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
