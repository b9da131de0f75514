"""The server against the real gRPC client: every kind of call, its end, back-pressure, cancellation and draining."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from ext_proc.grpc_server.bidirectional_stream import BidirectionalStream, by_coroutine
from ext_proc.grpc_server.http2.header_blocks import Headers
from ext_proc.grpc_server.server import GrpcServer
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.grpc_server.tasks import Tasks
from ext_proc.grpc_server.unary_call import unary
from tests.kit.envoy import short_folder

EOF = grpc.aio.EOF  # type: ignore[attr-defined]
MEGABYTE = 1 << 20


class Service:
    """What the tests call, and what became of it."""

    def __init__(self) -> None:
        self.written = 0
        self.read = 0
        self.cancelled = 0
        tasks = Tasks()
        self.server = GrpcServer(
            {
                "/t.T/Upper": unary(self.upper, tasks),
                "/t.T/Echo": by_coroutine(self.echo, tasks),
                "/t.T/Flood": by_coroutine(self.flood, tasks),
                "/t.T/Stuck": by_coroutine(self.stuck, tasks),
                "/t.T/Fail": by_coroutine(self.fail, tasks),
                "/t.T/FailOnce": unary(self.fail_once, tasks),
            },
            tasks,
        )

    async def upper(self, message: bytes, metadata: Headers) -> bytes:
        return message.upper() + metadata.get("x-suffix", "").encode()

    async def echo(self, call: BidirectionalStream) -> None:
        while (message := await call.read()) is not None:
            await call.write(message)

    async def flood(self, call: BidirectionalStream) -> None:
        await call.read()
        while True:
            await call.write(b"x" * MEGABYTE)
            self.written += 1

    async def stuck(self, call: BidirectionalStream) -> None:
        try:
            await call.read()
            self.read += 1
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def fail(self, call: BidirectionalStream) -> None:
        message = await call.read()
        if message == b"abort":
            raise Abort(Status.NOT_FOUND, "nö: 100%")
        raise ZeroDivisionError("secret")

    async def fail_once(self, message: bytes, metadata: Headers) -> bytes:
        raise ZeroDivisionError("secret")


class Running:
    """A server and its client."""

    def __init__(self, service: Service, channel: grpc.aio.Channel) -> None:
        self.service = service
        self.channel: Any = channel  # bytes go in and come out: no serializers, which its types demand

    def stream(self, name: str) -> Any:
        return self.channel.stream_stream(f"/t.T/{name}")()

    async def once(self, name: str, message: bytes, **metadata: str) -> bytes:
        call = self.channel.unary_unary(f"/t.T/{name}")
        answer: bytes = await call(message, metadata=tuple((key.replace("_", "-"), value) for key, value in metadata.items()))
        return answer

    async def settled(self, count: Callable[[], int]) -> int:
        """Return a number once it stays the same while others are served: it must be one that somebody waits to increase."""
        unchanged, seen = 0, -1
        while unchanged < 50:
            await self.once("Upper", b"others go on")
            unchanged, seen = (unchanged + 1, seen) if seen == count() else (0, count())
        return seen


OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[Running]:
    service = Service()
    port = await service.server.start(address)
    async with asyncio.timeout(30), grpc.aio.insecure_channel(address.replace(":0", f":{port}"), options=OPTIONS) as channel:
        yield Running(service, channel)
    await service.server.drain(0.1)


@pytest.fixture
async def it() -> AsyncIterator[Running]:
    async with serving("127.0.0.1:0") as running:
        yield running


async def until(is_true: Callable[[], bool]) -> None:
    while not is_true():  # noqa: ASYNC110 - nothing announces what a server has noticed; the test's timeout bounds it
        await asyncio.sleep(0.001)


async def test_one_message_in_one_out(it: Running) -> None:
    assert await it.once("Upper", b"abc", x_suffix="!") == b"ABC!"
    assert await it.once("Upper", b"") == b""


async def test_many_calls_at_once(it: Running) -> None:
    answers = await asyncio.gather(*(it.once("Upper", b"%d" % number) for number in range(500)))
    assert answers == [b"%d" % number for number in range(500)]


async def test_messages_go_back_and_forth(it: Running) -> None:
    call = it.stream("Echo")
    for message in (b"", b"x", b"y" * 100_000):
        await call.write(message)
        assert await call.read() == message
    await call.done_writing()
    assert await call.read() is EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_messages_far_larger_than_any_window(it: Running) -> None:
    call = it.stream("Echo")
    await call.write(large := os.urandom(MEGABYTE) * 50)
    assert await call.read() == large


async def test_an_unknown_method_is_unimplemented(it: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await it.once("Nothing", b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_compressed_messages_are_refused(it: Running) -> None:
    call = it.channel.unary_unary("/t.T/Upper")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"x" * 1000, compression=grpc.Compression.Gzip)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert await it.once("Upper", b"and the next call is served") == b"AND THE NEXT CALL IS SERVED"


@pytest.mark.parametrize("name", ["Fail", "FailOnce"])
async def test_a_bug_ends_its_call_and_tells_nothing(it: Running, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await it.once(name, b"")
    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert "secret" not in str(caught.value)
    assert await it.once("Upper", b"ok") == b"OK"


async def test_a_handler_ends_its_call_with_a_status(it: Running) -> None:
    call = it.stream("Fail")
    await call.write(b"abort")
    assert await call.code() is grpc.StatusCode.NOT_FOUND
    assert await call.details() == "nö: 100%"


async def test_a_call_without_a_message_is_refused(it: Running) -> None:
    call = it.channel.stream_stream("/t.T/Upper")()
    await call.done_writing()
    assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_reset_cancels_the_handler(it: Running) -> None:
    call = it.stream("Stuck")
    await call.write(b"")
    await until(lambda: it.service.read == 1)
    call.cancel()
    await until(lambda: it.service.cancelled == 1)


async def test_a_connection_that_is_gone_cancels_its_handlers(it: Running) -> None:
    calls = [it.stream("Stuck") for _ in range(3)]
    for call in calls:
        await call.write(b"")
    await until(lambda: it.service.read == 3)
    await it.channel.close(None)
    await until(lambda: it.service.cancelled == 3)


async def test_who_writes_faster_than_the_client_reads_waits(it: Running) -> None:
    call = it.stream("Flood")
    await call.write(b"")
    await call.read()
    # The client's window is full and it reads no more: what is written is bounded, whatever else the connection carries.
    settled = await it.settled(lambda: it.service.written)
    for _ in range(settled + 20):
        assert len(await call.read()) == MEGABYTE
    call.cancel()


async def test_a_handler_that_does_not_read_holds_its_client_up(it: Running) -> None:
    call = it.stream("Stuck")
    sent = 0

    async def send() -> None:
        nonlocal sent
        while True:
            await call.write(b"x" * MEGABYTE)
            sent += 1

    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(send())
        assert 0 < await it.settled(lambda: sent) < 64, "and others go on"
        sending.cancel()
    call.cancel()


async def test_draining_waits_for_calls_and_takes_no_new_ones() -> None:
    async with asyncio.timeout(30), short_folder() as folder, serving(f"unix:{folder}/s.sock") as it:
        call = it.stream("Echo")
        await call.write(b"1")
        await call.read()
        draining = asyncio.ensure_future(it.service.server.drain(10))
        await until(lambda: not (folder / "s.sock").exists())
        await call.write(b"2")
        assert await call.read() == b"2"
        assert not draining.done()
        await call.done_writing()
        assert await call.code() is grpc.StatusCode.OK
        await draining
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await it.once("Upper", b"late")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_draining_gives_up_what_takes_too_long() -> None:
    async with serving("127.0.0.1:0") as it:
        call = it.stream("Stuck")
        await call.write(b"")
        await until(lambda: it.service.read == 1)
        await it.service.server.drain(0.05)
        assert it.service.cancelled == 1


async def test_a_socket_that_was_left_behind_is_taken_over() -> None:
    async with asyncio.timeout(30), short_folder() as folder:
        address = f"unix://{folder}/s.sock"
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(f"{folder}/s.sock")
        server = GrpcServer({}, Tasks())
        assert await server.start(address) == 0
        await server.drain(1)
        assert not (folder / "s.sock").exists()


async def test_what_is_not_grpc_is_told_so(it: Running) -> None:
    """Plain HTTP/1.1 has its connection ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(it))
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"not HTTP/2" in await reader.read()
    writer.close()


def _port(it: Running) -> int:
    listening: Any = it.service.server
    port: int = listening._listening.sockets[0].getsockname()[1]
    return port
