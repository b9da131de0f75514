"""Requests embeddings by OpenAI's API, from a provider's model or the built-in one.

https://platform.openai.com/docs/api-reference/embeddings
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from ext_proc.ports import Egress, EgressResponse
from ext_proc.routing.agents.semantic_rung import SemanticRungFailed
from ext_proc.routing.semantic.index import Vectors
from ext_proc.routing.semantic.model import EmbeddingModel

MAX_INPUTS: Final = 64
"""Maximum of texts per request: the lowest limit of providers is 96."""
LONGEST_TEXT: Final = 2_000
"""Maximum of characters: sentence models read no more."""
_HEADERS: Final = {"accept": "application/json", "accept-encoding": "identity", "content-type": "application/json"}
_UNREADABLE: Final = "embeddings were unreadable"


async def embed(
    model: EmbeddingModel, texts: Sequence[str], *, egress: Egress, headers: Mapping[str, str], timeout_seconds: float = 0.0
) -> Vectors:
    """Return a normalised vector for each text.

    Raises:
        SemanticRungFailed: the model did not answer, or its answer is unreadable.
    """
    batches = [texts[start : start + MAX_INPUTS] for start in range(0, len(texts), MAX_INPUTS)]
    return np.concatenate([await _embed(model, batch, egress, headers, timeout_seconds) for batch in batches])


async def _embed(
    model: EmbeddingModel, texts: Sequence[str], egress: Egress, headers: Mapping[str, str], timeout_seconds: float
) -> Vectors:
    body: dict[str, object] = {"model": model.upstream_model, "input": [text[:LONGEST_TEXT] or " " for text in texts]}
    if model.is_built_in:
        body["encoding_format"] = "base64"
    reply = await egress.post(
        model.route,
        model.path,
        headers={**headers, **_HEADERS},
        body=orjson.dumps(body),
        timeout_seconds=timeout_seconds or model.timeout_seconds,
    )
    return read_vectors(_answered(reply), len(texts))


def _answered(reply: EgressResponse) -> bytes:
    if reply.timed_out:
        raise SemanticRungFailed("embeddings timed out")
    if reply.unreachable:
        raise SemanticRungFailed("embeddings were unreachable")
    if not 200 <= reply.status < 300:
        raise SemanticRungFailed(f"embeddings answered {reply.status}")
    return reply.body


def read_vectors(body: bytes, count: int) -> Vectors:
    """Read an answer of `count` embeddings, as lists of numbers or as base64 of little-endian float32.

    Raises:
        SemanticRungFailed: it is invalid.
    """
    try:
        entries = sorted(orjson.loads(body)["data"], key=lambda entry: entry["index"])
        vectors = np.stack([_vector(entry["embedding"]) for entry in entries])
    except (ValueError, LookupError, TypeError) as error:
        raise SemanticRungFailed(_UNREADABLE) from error
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True) if vectors.ndim == 2 else np.zeros(0)
    if len(vectors) != count or not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
        raise SemanticRungFailed(_UNREADABLE)
    return np.asarray(vectors / lengths, dtype=np.float32)


def _vector(embedding: Any) -> Vectors:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)
