"""Serves the sentence model as `POST /v1/embeddings`. Only Envoy calls it, and limits the load."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
from aiohttp import web

from ext_proc.embedder.files import MODEL_NAME

EMBEDDINGS_PATH: Final = "/v1/embeddings"
MAX_INPUTS: Final = 256
_MAX_BODY: Final = 4 * 1024 * 1024

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]


class BadRequest(Exception):
    """The request cannot be embedded; the message gives the reason."""


class Embedder:
    """Answers requests in its own threads; loads the model at the first one."""

    def __init__(self, load: Callable[[], Embed], threads: int) -> None:
        self._load = load
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="embed")
        self._loading = asyncio.Lock()

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_post(EMBEDDINGS_PATH, self._embeddings)
        return app

    async def _embeddings(self, request: web.Request) -> web.Response:
        try:
            texts, is_base64 = read_request(await request.read())
        except BadRequest as error:
            return _json(
                400, {"error": {"message": str(error), "type": "invalid_request_error", "param": "input", "code": None}}
            )
        loop = asyncio.get_running_loop()
        async with self._loading:
            embed = await loop.run_in_executor(self._threads, lambda: self._model)
        vectors = await loop.run_in_executor(self._threads, embed, texts)
        return _json(200, render_answer(vectors, is_base64=is_base64))

    @cached_property
    def _model(self) -> Embed:
        return self._load()


def read_request(body: bytes) -> tuple[list[str], bool]:
    """Return the texts, and whether vectors are requested as base64.

    Raises:
        BadRequest: it is not a request for embeddings.
    """
    try:
        value = orjson.loads(body)
        texts = value["input"]
    except (ValueError, LookupError, TypeError):
        raise BadRequest("The body should be JSON with an `input`.") from None
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not 0 < len(texts) <= MAX_INPUTS or not all(isinstance(text, str) for text in texts):
        raise BadRequest(f"`input` should be a text, or a list of 1 to {MAX_INPUTS} texts.")
    return texts, value.get("encoding_format") == "base64"


def render_answer(vectors: npt.NDArray[np.float32], *, is_base64: bool) -> dict[str, Any]:
    """Return the answer, as in OpenAI's API."""
    rows = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors] if is_base64 else vectors.tolist()
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
    return {"object": "list", "model": MODEL_NAME, "data": data, "usage": {"prompt_tokens": 0, "total_tokens": 0}}


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
