"""The adapter against real servers that stand where Envoy's egress listener is."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ext_proc.clients.egress import HttpxEgress
from ext_proc.ports import TOO_LARGE, EgressResponse
from tests.kit.asgi_server import serve


async def echo(request: Request) -> Response:
    body = (await request.body()).decode()
    return JSONResponse({"headers": dict(request.headers), "path": request.scope["raw_path"].decode(), "body": body})


async def refuse(request: Request) -> Response:
    return Response("no", status_code=418, headers={"x-why": "tea"})


async def envoy_could_not(request: Request) -> Response:
    return Response("upstream connect error", status_code=503, headers={"x-plano-local-reply": "UF"})


async def zipped(request: Request) -> Response:
    return Response(gzip.compress(b"x" * 2_000), headers={"content-encoding": "gzip"})


async def redirect(request: Request) -> Response:
    return Response(status_code=307, headers={"location": "http://elsewhere.invalid/"})


ROUTES = {"/echo/{rest:path}": echo, "/refuse": refuse, "/down": envoy_could_not, "/zipped": zipped, "/redirect": redirect}


@pytest.fixture
async def egress() -> AsyncIterator[HttpxEgress]:
    app = Starlette(routes=[Route(path, handler, methods=["POST"]) for path, handler in ROUTES.items()])
    async with serve(app) as url:
        adapter = HttpxEgress(url, max_response_bytes=1_000)
        yield adapter
        await adapter.aclose()


async def post(egress: HttpxEgress, path: str, *, timeout_seconds: float = 5, **headers: str) -> EgressResponse:
    return await egress.post("filter/f", path, headers=headers, body=b"{}", timeout_seconds=timeout_seconds)


async def test_a_call_says_where_it_goes_and_how_long_it_may_take(egress: HttpxEgress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    reply = await post(egress, "/echo/v1/a%20b?q=1", timeout_seconds=2.5, **{"x-tenant": "acme"})
    assert reply.status == 200
    assert not reply.local_reply
    seen = orjson.loads(reply.body)
    assert seen["path"] == "/echo/v1/a%20b"
    assert seen["body"] == "{}"
    headers = seen["headers"]
    assert headers.pop("host").startswith("127.0.0.1")
    assert headers == {
        "x-plano-route": "filter/f",
        "x-envoy-upstream-rq-timeout-ms": "2500",
        "x-tenant": "acme",
        "content-length": "2",
    }


async def test_an_upstreams_own_answer_is_no_local_reply(egress: HttpxEgress) -> None:
    reply = await post(egress, "/refuse")
    assert (reply.status, reply.body, reply.headers["x-why"]) == (418, b"no", "tea")
    assert (reply.timed_out, reply.unreachable) == (False, False)


async def test_envoys_answer_is_a_local_reply(egress: HttpxEgress) -> None:
    reply = await post(egress, "/down")
    assert (reply.status, reply.local_reply, reply.unreachable, reply.timed_out) == (503, "UF", True, False)


async def test_redirects_are_not_followed(egress: HttpxEgress) -> None:
    assert (await post(egress, "/redirect")).status == 307


async def test_a_response_beyond_the_limit_is_given_up(egress: HttpxEgress) -> None:
    reply = await post(egress, "/zipped")
    assert (reply.status, reply.local_reply) == (502, TOO_LARGE)


async def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    adapter = HttpxEgress(f"http://127.0.0.1:{port}")
    reply = await post(adapter, "/")
    assert (reply.status, reply.unreachable) == (503, True)
    await adapter.aclose()


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def listen(path: Path, answer: Answer) -> asyncio.Server:
    return await asyncio.start_unix_server(answer, path)


async def test_a_unix_socket_is_spoken_to(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.close()

    async with await listen(tmp_path / "egress.sock", answer):
        adapter = HttpxEgress(f"unix://{tmp_path}/egress.sock")
        assert (await post(adapter, "/x")).body == b"ok"
        await adapter.aclose()


async def test_a_silent_gateway_is_not_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ext_proc.clients.egress._GUARD_SECONDS", 0.01)
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await listen(tmp_path / "egress.sock", answer), asyncio.timeout(5):
        adapter = HttpxEgress(f"unix://{tmp_path}/egress.sock")
        reply = await post(adapter, "/x", timeout_seconds=0.01)
        assert (reply.status, reply.timed_out) == (504, True)
        over.set()
        await adapter.aclose()


@pytest.mark.parametrize("garbage", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"])
async def test_a_connection_that_breaks_is_unreachable(tmp_path: Path, garbage: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        writer.close()

    async with await listen(tmp_path / "egress.sock", answer):
        adapter = HttpxEgress(f"unix://{tmp_path}/egress.sock")
        assert (await post(adapter, "/x")).unreachable
        await adapter.aclose()
