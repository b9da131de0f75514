"""The embedder: its model behind the Egress port, in this process, or its own process on a socket."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from socket import socket

import numpy as np
import numpy.typing as npt
import orjson

from ext_proc.embedder.files import model_file, subject_vectors, tokenizer_file
from ext_proc.embedder.model import SentenceModel
from ext_proc.embedder.server import read_request, render_answer
from ext_proc.ports import EgressResponse
from ext_proc.routing.semantic.index import Subjects
from ext_proc.routing.semantic.model import EmbeddingModel
from ext_proc.routing.semantic.router import SemanticRouter
from ext_proc.routing.semantic.subjects import SUBJECTS

BUILT_IN = EmbeddingModel(
    upstream_model="", route="embedding/(built-in)", path="/v1/embeddings", timeout_seconds=1, is_built_in=True
)


@cache
def sentence_model() -> SentenceModel:
    return SentenceModel(model_file(), tokenizer_file())


@cache
def subjects() -> Subjects:
    vectors = subject_vectors()
    return Subjects(vectors[: len(SUBJECTS)], vectors[len(SUBJECTS) :])


_VECTORS: dict[str, npt.NDArray[np.float32]] = {}


def vectors_of(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Embed texts, each once in a process, and together: that is faster than one by one."""
    new = list({text for text in texts if text not in _VECTORS})
    if new:
        _VECTORS.update(zip(new, sentence_model().embed(new), strict=True))
    return np.stack([_VECTORS[text] for text in texts])


class ModelEgress:
    """Answers like the embedder, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.headers: list[Mapping[str, str]] = []

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        assert (route, path) == (BUILT_IN.route, BUILT_IN.path)
        texts, is_base64 = read_request(body)
        self.asked.append(texts)
        self.headers.append(headers)
        answer = render_answer(vectors_of(texts), is_base64=is_base64)
        return EgressResponse(200, {}, orjson.dumps(answer))


def semantic_router() -> SemanticRouter:
    return SemanticRouter(BUILT_IN, subjects())


@asynccontextmanager
async def embedder_process(listener: socket) -> AsyncIterator[Process]:
    """Run the embedder on a socket, as the master does."""
    command = (sys.executable, "-m", "ext_proc.embedder", "--socket", str(listener.fileno()), "--threads", "1")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, pass_fds=[listener.fileno()])
    yield process
    process.terminate()
    await process.wait()
