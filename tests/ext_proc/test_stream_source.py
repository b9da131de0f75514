"""The port of continuations over real connections: pieces as they come, cuts that are told, answers that are let go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from ext_proc.clients.stream_source import StreamedAnswer, StreamSource
from ext_proc.continuation.ports import CutOff
from protos.contract.headers import ROUTE_HEADER
from tests.kit.envoy import free_port
from tests.kit.llm_provider import cutting, failing
from tests.kit.stub_upstream import Answer, Behave, Received, serving


@asynccontextmanager
async def source(behave: Behave) -> AsyncIterator[StreamSource]:
    async with asyncio.timeout(10), serving(behave) as upstream:
        made = StreamSource(f"http://127.0.0.1:{upstream.port}")
        yield made
        await made.aclose()


@asynccontextmanager
async def answer(behave: Behave) -> AsyncIterator[StreamedAnswer]:
    async with source(behave) as made:
        with closing(await made.ask("r", "/", {}, b"")) as begun:
            yield begun


async def test_a_request_arrives_as_it_is_and_nothing_is_added() -> None:
    received: list[Received] = []

    async def behave(request: Received, _writer: asyncio.StreamWriter) -> Answer:
        received.append(request)
        return Answer(201, b"said", {"X-Name": "value", "set-cookie": "a=b"})

    headers = {"x-request-id": "r-1", "x-city": "Köln", "authorization": "Bearer k"}
    async with source(behave) as made:
        for _ in range(2):
            with closing(await made.ask("chain/a", "/v1/%2Fmessages?beta=true", headers, b"{}")) as begun:
                assert (begun.status, begun.headers["x-name"]) == (201, "value")
                assert [await begun.chunk(), await begun.chunk()] == [b"said", b""]
    assert [request.path for request in received] == ["/v1/%2Fmessages?beta=true"] * 2
    sent = received[1].headers
    assert sent.keys() == {"host", "x-request-id", "x-city", "authorization", ROUTE_HEADER, "content-length"}
    assert sent["x-city"] == "Köln"
    assert (sent[ROUTE_HEADER], received[1].body) == ("chain/a", b"{}")


async def test_pieces_come_when_they_come() -> None:
    go_on = asyncio.Event()

    async def behave(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await go_on.wait()
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")
        await writer.drain()

    async with answer(behave) as begun:
        assert await begun.chunk() == b"first"
        go_on.set()
        assert [await begun.chunk(), await begun.chunk()] == [b"second", b""]


async def test_a_cut_is_told() -> None:
    async with answer(cutting(b"half")) as begun:
        assert await begun.chunk() == b"half"
        with pytest.raises(CutOff):
            await begun.chunk()


async def test_an_answer_that_is_let_go_ends_at_the_upstream() -> None:
    left = asyncio.Event()

    async def behave(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        while not writer.transport.is_closing():
            writer.write(b"4\r\nmore\r\n")
            await asyncio.sleep(0.005)
        left.set()

    async with source(behave) as made:
        (await made.ask("r", "/", {}, b"")).close()
        await left.wait()


async def test_an_error_is_an_answer() -> None:
    async with answer(failing(503, {"error": "down"})) as begun:
        assert begun.status == 503


@pytest.mark.parametrize("is_socket", [True, False])
async def test_nobody_there_is_a_cut(is_socket: bool, tmp_path: Path) -> None:
    made = StreamSource(f"unix://{tmp_path}/none.sock" if is_socket else f"http://127.0.0.1:{free_port()}")
    with pytest.raises(CutOff):
        await made.ask("r", "/", {}, b"")
    await made.aclose()
