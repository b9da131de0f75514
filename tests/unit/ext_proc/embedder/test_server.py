"""The embedder as OpenAI's SDK sees it, with vectors of the test's own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import httpx
import numpy as np
import pytest
from aiohttp import web
from openai import AsyncOpenAI

from ext_proc.embedder.server import MAX_INPUTS, Embedder


class Lengths:
    """Vectors that tell which text they belong to."""

    def __init__(self) -> None:
        self.loaded = 0
        self.together = threading.Barrier(2, timeout=10)
        self.meets = False

    def load(self) -> "Lengths":
        self.loaded += 1
        return self

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if self.meets:
            self.together.wait()
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


@pytest.fixture
def model() -> Lengths:
    return Lengths()


@pytest.fixture
async def url(model: Lengths) -> AsyncIterator[str]:
    runner = web.AppRunner(Embedder(model.load, threads=2).app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_the_sdk_gets_vectors_in_the_order_of_its_texts(url: str, model: Lengths, encoding: str) -> None:
    assert model.loaded == 0, "nothing is loaded for a gateway that asks nothing"
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:
        for _ in range(2):
            answer = await client.embeddings.create(model="any", input=["three", "a"], encoding_format=encoding)  # type: ignore[arg-type]
    assert [entry.index for entry in answer.data] == [0, 1]
    if encoding == "float":
        assert [entry.embedding for entry in answer.data] == [[5, 1], [1, 1]]
    assert model.loaded == 1


async def test_two_questions_are_embedded_at_the_same_time(url: str, model: Lengths) -> None:
    async with httpx.AsyncClient() as client:
        await client.post(f"{url}/v1/embeddings", json={"input": "load it"})
        model.meets = True
        answers = await asyncio.gather(*(client.post(f"{url}/v1/embeddings", json={"input": text}) for text in "ab"))
    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"input": []}', b'{"input": [1]}', b'{"input": 3}'])
async def test_what_is_no_request_is_refused(url: str, body: bytes) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/v1/embeddings", content=body)
        many = await client.post(f"{url}/v1/embeddings", json={"input": ["a"] * (MAX_INPUTS + 1)})
    assert (answer.status_code, many.status_code) == (400, 400)
    assert answer.json()["error"]["param"] == "input"
