"""`plano up` with the real three processes: healthy, watched, drained, side by side, and gone without a trace."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from control_plane.supervisor.instance import read_instance
from tests.cli.instances import Site, taken_down, write_site
from tests.kit.stub_upstream import Answer, Received, always, serving

pytestmark = pytest.mark.timeout(240)

QUESTION = {"messages": [{"role": "user", "content": "Will it rain in Seattle?"}]}


async def ask(site: Site) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        return await client.post(f"http://127.0.0.1:{site.port}/v1/chat/completions", json=QUESTION)


async def until(site: Site, fact: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask for the status until it shows a fact; each question takes its time."""
    while not fact(status := await site.status()):
        pass
    return status


async def gone(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                await asyncio.to_thread(os.sched_yield)


def pids_of(status: dict[str, Any]) -> list[int]:
    return [status["pid"], *(process["pid"] for process in status["processes"])]


async def said(process: asyncio.subprocess.Process, word: str) -> str:
    """Read a command's output up to a line that has a word."""
    assert process.stdout
    lines = ""
    while word not in lines:
        line = (await process.stdout.readline()).decode()
        assert line, lines
        lines += line
    return lines


async def test_life_of_a_detached_instance(tmp_path: Path) -> None:
    async with asyncio.timeout(200), serving(always(Answer(body=b'{"answer": 42}'))) as agent:
        site = write_site(tmp_path, agent_port=agent.port)
        async with taken_down(site):
            up = await site.plano("up", str(site.config), "--detach", "--workers", "2")
            assert (up.code, up.err) == (0, "")
            assert f"travel    http://127.0.0.1:{site.port}  agents: weather" in up.out
            assert f"`plano down --run-dir {site.run_dir}`" in up.out
            assert (await ask(site)).json() == {"answer": 42}

            status = await until(site, lambda status: len(status["config"]["clients"]) == 3)
            assert status["healthy"]
            assert [process["name"] for process in status["processes"]] == ["control_plane", "ext_proc", "envoy"]
            assert status["config"]["state"] == "ok"
            assert {client["role"] for client in status["config"]["clients"]} == {"envoy", "ext_proc"}
            assert (await site.plano("status")).code == 0

            second = await site.plano("up", str(site.config))
            assert second.code == 1
            assert f"a gateway runs already (pid {status['pid']}, run dir {site.run_dir})" in second.err

            os.kill(status["processes"][1]["pid"], signal.SIGKILL)
            healed = await until(site, lambda status: status["healthy"] and status["processes"][1]["restarts"] == 1)
            assert healed["processes"][1]["last_exit"] == "killed by SIGKILL"
            assert [p["pid"] for p in healed["processes"] if p["name"] != "ext_proc"] == [
                p["pid"] for p in status["processes"] if p["name"] != "ext_proc"
            ]
            assert (await ask(site)).json() == {"answer": 42}
            assert "supervisor | " in (await site.plano("logs", "supervisor")).out

            down = await site.plano("down")
            assert (down.code, down.out.splitlines()[-1], down.err) == (0, "Stopped.", "")
            await gone(pids_of(healed))
            assert not list(site.run_dir.glob("*.sock"))
            assert (await site.plano("status")).code == 1


async def test_ctrl_c_lets_a_stream_end(tmp_path: Path) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def stream(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 10\r\n\r\nfirst")
        asked.set()
        await go_on.wait()
        writer.write(b"after")
        await writer.drain()

    async with asyncio.timeout(200), serving(stream) as agent:
        site = write_site(tmp_path, agent_port=agent.port)
        async with taken_down(site):
            gateway = await site.start("up", str(site.config), "--workers", "1")
            assert "Stop with Ctrl-C." in await said(gateway, "Stop with")
            async with asyncio.TaskGroup() as tasks:
                answer = tasks.create_task(ask(site))
                await asked.wait()
                gateway.send_signal(signal.SIGINT)
                await said(gateway, "Stopping")
                await refused(site)
                go_on.set()
            assert answer.result().text == "firstafter"
            out, err = await gateway.communicate()
            assert (gateway.returncode, out.decode(), err.decode()) == (0, "Stopped.\n", "")


async def refused(site: Site) -> None:
    """Wait until no new connection is taken."""
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{site.port}/healthz", headers={"connection": "close"})
            except httpx.ConnectError:
                return


async def test_two_side_by_side_one_with_a_long_run_dir(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(200),
        serving(always(Answer(body=b'{"agent": 1}'))) as one,
        serving(always(Answer(body=b'{"agent": 2}'))) as two,
    ):
        sites = (
            write_site(tmp_path / "one", agent_port=one.port),
            write_site(tmp_path / "two", agent_port=two.port, run_dir=tmp_path / "two" / ("long" * 30)),
        )
        async with taken_down(*sites):
            for site in sites:
                up = await site.plano("up", str(site.config), "--detach", "--workers", "1")
                assert (up.code, up.err) == (0, "")
            assert [(await ask(site)).json() for site in sites] == [{"agent": 1}, {"agent": 2}]
            instance = read_instance(sites[1].run_dir / "plano.json")
            assert instance
            sockets = Path(instance.sockets)
            assert sockets.parent != sites[1].run_dir
            assert (await sites[0].plano("down")).code == 0
            assert (await ask(sites[1])).json() == {"agent": 2}
            assert (await sites[1].plano("down")).code == 0
            with pytest.raises(FileNotFoundError):
                os.listdir(sockets)


async def test_detach_tells_why_it_failed_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "envoy"
    broken.write_text("#!/bin/sh\necho no such flag >&2\nexit 7\n")
    broken.chmod(0o755)
    async with asyncio.timeout(200):
        site = write_site(tmp_path, agent_port=9)
        up = await site.plano("up", str(site.config), "--detach", "--workers", "1", env={"PLANO_ENVOY": str(broken)})
        assert up.code == 1
        assert up.out.startswith("Starting the control plane and 1 worker of ext_proc ...\n")
        assert "envoy does not start: exit code 7, 3 times in a row\n    no such flag\n" in up.err
        assert f"{site.run_dir}/envoy.log" in up.err
        assert (await site.plano("status")).code == 1
        assert not (site.run_dir / "plano.json").exists()
        assert not list(site.run_dir.glob("*.sock"))


async def test_up_after_the_supervisor_was_killed(tmp_path: Path) -> None:
    async with asyncio.timeout(200), serving(always(Answer(body=b'{"answer": 42}'))) as agent:
        site = write_site(tmp_path, agent_port=agent.port)
        async with taken_down(site):
            assert (await site.plano("up", str(site.config), "--detach", "--workers", "1")).code == 0
            before = await site.status()
            os.kill(before["pid"], signal.SIGKILL)
            await gone([before["pid"]])
            status = await site.plano("status")
            assert status.code == 1
            assert status.out.startswith(f"Plano is not healthy (abandoned, pid {before['pid']}).\nIts supervisor is dead")
            assert (await ask(site)).json() == {"answer": 42}, "requests are served without it"
            up = await site.plano("up", str(site.config), "--detach", "--workers", "1")
            assert (up.code, up.err) == (0, "")
            await gone(pids_of(before))
            assert (await ask(site)).json() == {"answer": 42}
