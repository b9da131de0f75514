"""The real program: a master and its workers as processes, a worker killed, metrics added up, an orderly end."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ext_proc.process.master import worker_address
from tests.kit.ads_stub import AdsStub, response, serving_ads
from tests.kit.envoy import short_folder
from tests.kit.ext_proc_client import body_message, connected, headers_message
from tests.kit.filter_configs import filter_config

CHAT = b'{"messages":[{"role":"user","content":"hello"}],"model":"fast"}'


class Program:
    """A running `python -m ext_proc`, read through its log."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process = process
        self.folder = folder

    async def logs(self, event: str, **fields: object) -> dict[str, Any]:
        """Wait for a line of the log."""
        assert self.process.stderr is not None
        async with asyncio.timeout(30):
            while line := await self.process.stderr.readline():
                entry: dict[str, Any] = orjson.loads(line)
                if entry["event"] == event and fields.items() <= entry.items():
                    return entry
        raise AssertionError(f"the program ended before it logged {event}")

    async def decides(self, worker: int) -> bool:
        async with connected(f"unix:{self.folder}/w-{worker}.sock") as client:
            await client.channel.channel_ready()
            answers = await client.exchange("models", headers_message(), body_message(CHAT))
        # The answer comes first: what is counted and logged does not delay it.
        await self.logs("request_decided", worker=worker)
        return bool(answers[-1].HasField("request_body"))


@asynccontextmanager
async def program(workers: int) -> AsyncIterator[Program]:
    async with (
        short_folder() as folder,
        serving_ads(AdsStub(response(filter_config())), f"unix:{folder}/xds.sock"),
        program_in(folder, workers) as it,
    ):
        yield it


@asynccontextmanager
async def program_in(folder: Path, workers: int) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ext_proc", "--xds", f"unix:{folder}/xds.sock", "--workers", str(workers)),
        *("--listen", f"unix:{folder}/w-{{worker}}.sock", "--metrics", "127.0.0.1:0", "--grace", "2"),
        stderr=PIPE,
    )
    try:
        yield Program(process, folder)
    finally:
        if process.returncode is None:
            process.kill()
        # Workers that nobody can reach any more, and that have no master, end.
        for number in range(workers):
            (folder / f"w-{number}.sock").unlink(missing_ok=True)
        assert process.stderr is not None
        # Ends when the last worker has ended, and none may stay.
        async with asyncio.timeout(20):
            await process.stderr.read()
        await process.wait()


async def test_a_killed_worker_comes_back_and_its_counts_stay() -> None:
    async with asyncio.timeout(60), program(2) as it:
        port = (await it.logs("metrics_serving"))["port"]
        pids = {}
        for _ in range(2):
            applied = await it.logs("config_applied")
            pids[applied["worker"]] = applied["pid"]
        assert await it.decides(0)
        assert await it.decides(1)
        await kill(pids[1])
        assert (await it.logs("worker_died", worker=1))["status"] == -signal.SIGKILL
        reborn = await it.logs("config_applied", worker=1)
        assert await it.decides(0)
        assert reborn["pid"] != pids[1]
        assert await it.decides(1)
        metrics = await scrape(port)
        assert counted(metrics, 'plano_requests_total{api="chat_completions",listener="models",outcome="forwarded"}') == 4
        assert counted(metrics, "plano_ext_proc_worker_restarts_total") == 1
        assert counted(metrics, "plano_ext_proc_workers") == 2
        assert counted(metrics, 'plano_requests_in_flight{listener="models"}') == 0


async def test_sigterm_ends_all_of_it() -> None:
    async with asyncio.timeout(60), program(2) as it:
        for _ in range(2):
            await it.logs("config_applied")
        it.process.terminate()
        await it.logs("worker_draining")
        assert await it.process.wait() == 0
        assert not list(it.folder.glob("w-*.sock")), "the workers closed their sockets"


async def test_workers_outlive_a_killed_master_until_those_of_the_next_one_have_taken_over() -> None:
    async with asyncio.timeout(60), program(1) as first:
        old = await first.logs("config_applied")
        first.process.kill()
        assert await first.decides(0), "nobody is in charge, and requests go on"
        async with program_in(first.folder, 1) as second:
            new = await second.logs("worker_listening")
            await first.logs("worker_draining", pid=old["pid"])
            assert new["pid"] != old["pid"]
            assert await second.decides(0)


async def test_workers_without_a_master_end_once_their_sockets_are_removed() -> None:
    async with asyncio.timeout(60), program(1) as it:
        await it.logs("config_applied")
        it.process.kill()
        (it.folder / "w-0.sock").unlink()
        await it.logs("worker_draining")


async def kill(pid: int) -> None:
    killer = await asyncio.create_subprocess_exec("kill", "-9", str(pid))
    assert await killer.wait() == 0


async def scrape(port: int) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://127.0.0.1:{port}/metrics")).text


def counted(metrics: str, sample: str) -> float:
    [value] = [line.rpartition(" ")[2] for line in metrics.splitlines() if line.rpartition(" ")[0] == sample]
    return float(value)


@pytest.mark.parametrize(
    ("listen", "worker", "address"),
    [
        ("unix:///run/w-{worker}.sock", 3, "unix:///run/w-3.sock"),
        ("0.0.0.0:50051", 2, "0.0.0.0:50053"),
        ("[::]:50051", 0, "[::]:50051"),
        ("127.0.0.1:0", 2, "127.0.0.1:0"),
        ("unix:///run/only.sock", 0, "unix:///run/only.sock"),
    ],
)
def test_each_worker_has_an_address_of_its_own(listen: str, worker: int, address: str) -> None:
    assert worker_address(listen, worker) == address
