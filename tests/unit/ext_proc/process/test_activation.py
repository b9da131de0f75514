"""A process that is started when it is first called finds the call waiting for it."""

import asyncio
import socket
from pathlib import Path

import pytest

from ext_proc.process.activation import connection, listening


@pytest.mark.parametrize("kind", ["unix", "tcp"])
async def test_the_first_caller_is_waited_for_and_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s.sock"
    path.write_text("left by one that was killed")
    with listening(f"unix://{path}" if kind == "unix" else "127.0.0.1:0") as listener:
        waiting = asyncio.ensure_future(connection(listener))
        await asyncio.sleep(0)
        assert not waiting.done()
        with socket.socket(listener.family) as caller:
            caller.connect(listener.getsockname())
            caller.sendall(b"hello")
            await waiting
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.recv(5) == b"hello"
    assert path.exists() is (kind == "tcp")
