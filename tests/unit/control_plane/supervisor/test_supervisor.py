"""Bring-up, restart, drain and giving up, with small real processes in the places of the three children."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from control_plane.supervisor.child import ChildSpec
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance, ListenerView, Phase, ProcessState, read_instance
from control_plane.supervisor.journal import open_journal
from control_plane.supervisor.log_rotation import LogLimits, LogRotation
from control_plane.supervisor.supervisor import Launch, Supervisor
from tests.unit.control_plane.supervisor.processes import QUICK, WAITS, blink, python

LIMITS = LogLimits(max_bytes=1 << 20, max_age_seconds=3600, kept=1)

STAND_IN = """
import http.server, signal, socketserver, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    busy = 3

    def do_GET(self):
        body = b""
        if self.path.startswith("/stats"):
            Handler.busy -= 1
            body = b"http.admin.downstream_rq_active: 1\\nhttp.listener/a.downstream_rq_active: %d\\n" % max(0, Handler.busy)
            note(f"busy {max(0, Handler.busy)}")
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        note(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

def note(text):
    with open(sys.argv[2], "a") as notes:
        notes.write(text + "\\n")

def stop(*_):
    note("SIGTERM")
    sys.exit(0)

class Admin(Handler):
    def address_string(self):
        return "admin"

signal.signal(signal.SIGTERM, stop)
threading.Thread(target=socketserver.UnixStreamServer(sys.argv[3], Admin).serve_forever, daemon=True).start()
http.server.HTTPServer.allow_reuse_address = True
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
"""Answers as a healthy Envoy would, a listener and the admin interface alike, and notes what it is asked."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def noting(name: str, notes: Path, log: Path, before: str = "") -> ChildSpec:
    """A child that notes its end in the same file as the stand-in."""
    code = f"""
import signal, sys
def stop(*_):
    open({str(notes)!r}, "a").write("{name} stopped\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
{before}
while True: signal.pause()
"""
    return python(code, name=name, log=log)


class Gateway:
    """A supervisor over stand-ins."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        self._folder = folder
        self.notes = folder / "notes"
        self.notes.touch()
        self.said: list[str] = []
        self.healthy: asyncio.Queue[Instance] = asyncio.Queue()
        self._journal = exits.enter_context(open_journal(folder / "supervisor.log", self.said.append))
        port = free_port()
        socket_file = folder / "xds.sock"
        admin = str(Path(exits.enter_context(TemporaryDirectory(prefix="plano-"))) / "admin.sock")
        envoy = python(STAND_IN, name="envoy", log=folder / "envoy.log")
        self.launch = Launch(
            control_plane=noting("control_plane", self.notes, folder / "control_plane.log", f"open({str(socket_file)!r}, 'w')"),
            ext_proc=noting("ext_proc", self.notes, folder / "ext_proc.log", f"open({str(folder / 'worker.sock')!r}, 'w')"),
            envoy=replace(envoy, argv=(*envoy.argv, str(port), str(self.notes), admin)),
            xds_socket=socket_file,
            worker_sockets=(folder / "worker.sock",),
            config_file="plano_config.yaml",
            sockets=str(folder),
            instance_file=folder / "plano.json",
            status_file=folder / "status.json",
            admin_socket=admin,
            stats_url="http://127.0.0.1:9901/stats/prometheus",
            metrics_url="http://127.0.0.1:9092/metrics",
            listeners=(ListenerView(name="a", kind="agent", url=f"http://127.0.0.1:{port}", serves=("weather",)),),
            log_limits=LIMITS,
            backoff=QUICK,
        )

    def supervisor(self) -> Supervisor:
        rotation = LogRotation(self._folder, LIMITS, admin_socket=self.launch.admin_socket)
        return Supervisor(self.launch, self._journal, rotation, on_healthy=self.healthy.put_nowait)

    @property
    def instance(self) -> Instance:
        instance = read_instance(self.launch.instance_file)
        assert instance
        return instance


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with ExitStack() as exits:
        yield Gateway(tmp_path, exits)


async def test_from_start_to_drained_stop(gateway: Gateway) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        supervisor = gateway.supervisor()
        tasks.create_task(supervisor.run())
        instance = await gateway.healthy.get()
        assert instance == gateway.instance
        assert gateway.said == [
            "Starting the control plane and 1 worker of ext_proc ...",
            "The control plane serves the configuration. Starting Envoy ...",
            "The workers listen.",
            'Listener "a" is healthy.',
        ]
        assert (instance.phase, instance.pid) == (Phase.HEALTHY, os.getpid())
        assert [(p.name, p.state) for p in instance.processes] == [
            ("control_plane", ProcessState.RUNNING),
            ("ext_proc", ProcessState.RUNNING),
            ("envoy", ProcessState.RUNNING),
        ]
        supervisor.stop("asked to")
    assert gateway.notes.read_text().splitlines() == [
        "/healthcheck/fail",
        "/drain_listeners?inboundonly=",
        "busy 2",
        "busy 1",
        "busy 0",
        "SIGTERM",
        "ext_proc stopped",
        "control_plane stopped",
    ]
    assert {p.state for p in gateway.instance.processes} == {ProcessState.STOPPED}


async def test_a_child_that_dies_later_is_started_again(gateway: Gateway) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        supervisor = gateway.supervisor()
        tasks.create_task(supervisor.run())
        before = await gateway.healthy.get()
        ext_proc = before.processes[1]
        assert ext_proc.pid
        os.kill(ext_proc.pid, signal.SIGKILL)
        while gateway.instance.processes[1].restarts == 0:
            await blink()
        after = gateway.instance.processes[1]
        assert after.pid not in (None, ext_proc.pid)
        assert after.last_exit == "killed by SIGKILL"
        assert gateway.instance.processes[0].pid == before.processes[0].pid
        supervisor.stop("asked to")
    assert any(line.startswith("ext_proc ended (killed by SIGKILL)") for line in gateway.said)
    assert '"event":"child_died"' in (gateway.launch.instance_file.parent / "supervisor.log").read_text()


async def test_gives_up_when_a_child_cannot_start(gateway: Gateway) -> None:
    log = gateway.launch.ext_proc.log
    gateway.launch = replace(gateway.launch, ext_proc=python("raise SystemExit('no such module')", name="ext_proc", log=log))
    async with asyncio.timeout(20):
        with pytest.raises(CannotStart) as caught:
            await gateway.supervisor().run()
    lines = str(caught.value).splitlines()
    assert lines == ["ext_proc does not start: exit code 1, 3 times in a row", "    no such module", f"Its log: {log}"]
    assert gateway.healthy.empty()
    assert {p.state for p in gateway.instance.processes} == {ProcessState.STOPPED}
    assert {p.pid for p in gateway.instance.processes} == {None}


async def test_gives_up_when_health_does_not_come(gateway: Gateway) -> None:
    deaf = python("print('waiting for clusters', flush=True)\n" + WAITS, name="envoy", log=gateway.launch.envoy.log)
    gateway.launch = replace(gateway.launch, envoy=deaf, healthy_within_seconds=1.0)
    async with asyncio.timeout(20):
        with pytest.raises(CannotStart, match="not healthy within 1 s") as caught:
            await gateway.supervisor().run()
    assert f"envoy: running, 0 restarts; log: {deaf.log}" in str(caught.value)
    assert "    waiting for clusters" in str(caught.value)
    assert 'the last thing to wait for: listener "a" becomes healthy: http://127.0.0.1:' in str(caught.value)


async def test_stop_before_healthy_is_no_failure(gateway: Gateway) -> None:
    gateway.launch = replace(
        gateway.launch, control_plane=python(WAITS, name="control_plane", log=gateway.launch.control_plane.log)
    )
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        supervisor = gateway.supervisor()
        tasks.create_task(supervisor.run())
        while not gateway.launch.instance_file.exists():
            await blink()
        supervisor.stop("asked to")
    assert gateway.healthy.empty()
    assert gateway.instance.phase is Phase.STOPPING


async def test_asked_twice_it_stops_at_once(gateway: Gateway) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"
    log, listen = gateway.launch.ext_proc.log, f"open({str(gateway.launch.worker_sockets[0])!r}, 'w')\n"
    gateway.launch = replace(gateway.launch, ext_proc=python(listen + stubborn, name="ext_proc", log=log, grace_seconds=600))
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        supervisor = gateway.supervisor()
        tasks.create_task(supervisor.run())
        await gateway.healthy.get()
        supervisor.stop("asked to")
        supervisor.stop("asked again")
    assert gateway.instance.processes[1].last_exit == "killed by SIGKILL"
