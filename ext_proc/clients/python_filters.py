"""Calls Python filters: each in a process of its own, so that no user's code keeps the event loop or another filter waiting.

A call that takes too long cannot be stopped, so its process is ended. The calls beside it are made once more, in the next one.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import orjson

from ext_proc.plan.plan import Plan
from ext_proc.ports import Egress, EgressResponse
from ext_proc.python_filters.frames import LENGTH_BYTES, length_of, write_frame
from process_log import get_logger

_TIMED_OUT: Final = EgressResponse(504, {}, b"", "UT")
_GONE: Final = EgressResponse(503, {}, b"", "UF")


class PythonFilters:
    """An Egress whose routes to Python filters lead to a process; it passes on all other calls."""

    def __init__(self, egress: Egress, plan: Plan) -> None:
        self._egress = egress
        self._filters = {item.route: item.id for item in plan.filters.values() if item.callable}
        self._functions = {item.id: item.callable for item in plan.filters.values() if item.callable}
        self._folder = plan.python_folder
        self._processes: dict[str, _Process] = {}
        self._is_closed = False
        self._log = get_logger()

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        """See `ports.Egress.post`."""
        filter_id = self._filters.get(route)
        if filter_id is None:
            return await self._egress.post(route, path, headers=headers, body=body, timeout_seconds=timeout_seconds)
        asked = {"filter": filter_id, "path": path, "headers": dict(headers), "body": orjson.Fragment(body)}
        used: list[_Process] = []
        try:
            async with asyncio.timeout(timeout_seconds):
                said = await self._call(filter_id, asked, used)
        except TimeoutError:
            self._leave(filter_id, used[-1])
            return _TIMED_OUT
        except OSError as error:
            self._log.warning("python_filter_ended", filter=filter_id, error=str(error))
            return _GONE
        return self._response(filter_id, said)

    def prepare(self) -> None:
        """Start the processes, so that their imports are done when the first call comes."""
        for filter_id in self._functions:
            self._process(filter_id)

    def close(self) -> None:
        """End each process when nothing waits for it any more."""
        self._is_closed = True
        for process in self._processes.values():
            process.end_when_idle()

    async def aclose(self) -> None:
        """End all processes at once."""
        for process in self._processes.values():
            await process.end()

    async def _call(self, filter_id: str, asked: dict[str, Any], used: list["_Process"]) -> dict[str, Any]:
        used.append(self._process(filter_id))
        try:
            return await used[-1].call(asked)
        except OSError:  # Perhaps because of another call.
            used.append(self._process(filter_id))
            return await used[-1].call(asked)

    def _process(self, filter_id: str) -> "_Process":
        process = self._processes.get(filter_id)
        if process is None or process.has_ended:
            settings = {"folder": self._folder, "functions": {filter_id: self._functions[filter_id]}}
            process = self._processes[filter_id] = _Process(settings, ends_when_idle=self._is_closed)
        return process

    def _leave(self, filter_id: str, process: "_Process") -> None:
        process.kill()
        if self._processes.get(filter_id) is process:
            del self._processes[filter_id]

    def _response(self, filter_id: str, said: dict[str, Any]) -> EgressResponse:
        if "status" in said:
            return EgressResponse(said["status"], {}, orjson.dumps({"message": said["message"]}))
        if "error" in said:
            self._log.warning("python_filter_failed", filter=filter_id, error=said["error"])
            return EgressResponse(500, {}, b"")
        return EgressResponse(200, {}, b"" if said["body"] is None else orjson.dumps(said["body"]))


class _Process:
    """One process, from its start to its end."""

    def __init__(self, settings: dict[str, Any], *, ends_when_idle: bool) -> None:
        self.has_ended = False
        """Whether it takes no more calls."""
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._calls = 0
        self._ends_when_idle = ends_when_idle
        self._child: asyncio.subprocess.Process | None = None
        self._started = asyncio.ensure_future(self._start(settings))
        self._reading = asyncio.ensure_future(self._read())

    async def call(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Run a function.

        Raises:
            ConnectionError: the process has ended.
        """
        self._calls += 1
        number = self._calls
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        try:
            pipe = await asyncio.shield(self._started)
            pipe.write(write_frame({**asked, "id": number}))
            await pipe.drain()
            return await answered
        finally:
            del self._waiting[number]
            self._end_if_idle()

    def end_when_idle(self) -> None:
        """Take no more calls, and end after the last one."""
        self._ends_when_idle = True
        self._end_if_idle()

    async def end(self) -> None:
        """End now, and wait for it."""
        self.kill()
        with suppress(OSError):
            await asyncio.shield(self._started)
            if self._child is not None:
                await self._child.wait()
        await asyncio.wait({self._reading})

    def kill(self) -> None:
        """End now, whatever it does; calls that wait fail."""
        self.has_ended = True
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            if self._child.returncode is None:
                with suppress(ProcessLookupError):
                    self._child.kill()

    def _end_if_idle(self) -> None:
        if self._ends_when_idle and not self._waiting:
            self.kill()

    async def _start(self, settings: dict[str, Any]) -> asyncio.StreamWriter:
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-P", "-m", "ext_proc.python_filters")
        self._child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert self._child.stdin is not None
        self._child.stdin.write(write_frame(settings))
        if self.has_ended:
            self.kill()
        return self._child.stdin

    async def _read(self) -> None:
        try:
            await asyncio.shield(self._started)
            assert self._child is not None
            assert self._child.stdout is not None
            while True:
                head = await self._child.stdout.readexactly(LENGTH_BYTES)
                said = orjson.loads(await self._child.stdout.readexactly(length_of(head)))
                if (answered := self._waiting.get(said["id"])) is not None and not answered.done():
                    answered.set_result(said)
        except (asyncio.IncompleteReadError, OSError):
            self._end()

    def _end(self) -> None:
        self.has_ended = True
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(ConnectionError("the process of Python filters has ended"))
