"""Plain HTTP on the server's connections: whole answers, answers that break off, clients that leave or do not read."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from ext_proc.grpc_server.exchange import Exchange, Serve
from ext_proc.grpc_server.http2.header_blocks import Headers
from ext_proc.grpc_server.server import GrpcServer
from ext_proc.grpc_server.tasks import Tasks

PIECE = b"x" * 100_000
OK = ((":status", "200"), ("content-type", "text/plain"))


class Service:
    """What the tests ask for by path, and what became of it."""

    def __init__(self) -> None:
        self.written = 0
        self.is_cancelled = asyncio.Event()
        self.server = GrpcServer({}, Tasks(), self.serves)

    def serves(self, headers: Headers) -> Serve | None:
        return {"/echo": self.echo, "/endless": self.endless, "/breaks": self.breaks}.get(headers[":path"])

    async def echo(self, exchange: Exchange) -> None:
        body = await exchange.read()
        exchange.begin((*OK, ("x-city", exchange.headers["x-city"].encode("latin-1"))))
        await exchange.write(body)

    async def endless(self, exchange: Exchange) -> None:
        try:
            exchange.begin(OK)
            while True:
                await exchange.write(PIECE)
                self.written += 1
        except asyncio.CancelledError:
            self.is_cancelled.set()
            raise

    async def breaks(self, exchange: Exchange) -> None:
        exchange.begin(OK)
        await exchange.write(b"so far")
        raise ZeroDivisionError("secret")


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    yield made
    await made.server.drain(0.1)


@pytest.fixture
async def url(service: Service) -> str:
    return f"http://127.0.0.1:{await service.server.start('127.0.0.1:0')}"


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=url, http1=False, http2=True) as made:
        yield made


@pytest.mark.parametrize("body", [b"", b"small", PIECE * 30], ids=["empty", "small", "large"])
async def test_a_request_is_read_whole_and_answered(client: httpx.AsyncClient, body: bytes) -> None:
    answers = await asyncio.gather(
        *(client.post("/echo", content=body, headers={b"x-city": "Köln".encode()}) for _ in range(3))
    )
    for answer in answers:
        assert (answer.status_code, answer.headers["x-city"], answer.content) == (200, "Köln", body)


async def test_a_client_that_does_not_read_holds_its_answer_up_and_no_other(
    service: Service, client: httpx.AsyncClient, url: str
) -> None:
    # On a connection of its own: httpx has one window for all that come by one.
    async with httpx.AsyncClient(base_url=url, http1=False, http2=True) as slow, slow.stream("POST", "/endless") as held:
        assert held.status_code == 200
        settled = -1
        while settled != service.written:
            settled = service.written
            # Others are served meanwhile.
            assert (await client.post("/echo", content=PIECE, headers={"x-city": "Bonn"})).content == PIECE
        assert settled * len(PIECE) < 1 << 25
        pieces = held.aiter_raw()
        while service.written < settled + 5:
            await anext(pieces)
    await service.is_cancelled.wait()


async def test_an_answer_that_breaks_off_does_not_look_complete(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/breaks")


async def test_what_is_neither_grpc_nor_for_anybody_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/elsewhere")).status_code == 415
