"""`plano up` in this process: claims the run dir, checks that all can start, runs until stopped, and cleans up."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from control_plane.supervisor.environment import raise_file_limit
from control_plane.supervisor.envoy_binary import envoy_binary
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance, read_instance
from control_plane.supervisor.journal import Journal, open_journal
from control_plane.supervisor.launch import build_launch
from control_plane.supervisor.leftovers import clear_leftovers
from control_plane.supervisor.lock import AlreadyLocked, locked
from control_plane.supervisor.log_rotation import LogRotation
from control_plane.supervisor.ports import check_ports
from control_plane.supervisor.request import UpRequest
from control_plane.supervisor.run_dir import RunDir, claim_directory, place_sockets
from control_plane.supervisor.supervisor import Launch, Supervisor


def run_gateway(request: UpRequest, *, on_healthy: Callable[[Instance], None], tell: Callable[[str], None]) -> None:
    """Run the gateway until a signal stops it. Raises CannotStart; nothing runs then."""
    with _claimed(request.run_dir) as run_dir:
        launch = _prepare(request, run_dir, os.environ)
        with open_journal(run_dir.log("supervisor"), tell) as journal:
            asyncio.run(_supervise(launch, journal, on_healthy))


@contextmanager
def _claimed(path: Path) -> Iterator[RunDir]:
    """Hold a clean run dir while the gateway runs."""
    path = claim_directory(path)
    try:
        with locked(path / "plano.lock"):
            clear_leftovers(path)
            run_dir = place_sockets(path)
            try:
                yield run_dir
            finally:
                clear_leftovers(path)
    except AlreadyLocked as error:
        instance = read_instance(path / "plano.json")
        who = f"pid {instance.pid}, " if instance else ""
        raise CannotStart(
            f"a gateway runs already ({who}run dir {path}); stop it with `plano down`, or name another --run-dir"
        ) from error


def _prepare(request: UpRequest, run_dir: RunDir, env: Mapping[str, str]) -> Launch:
    open_files = raise_file_limit()
    check_ports(request.summary.claims)
    return build_launch(request, run_dir, open_files=open_files, envoy=envoy_binary(env), env=env)


async def _supervise(launch: Launch, journal: Journal, on_healthy: Callable[[Instance], None]) -> None:
    rotation = LogRotation(launch.instance_file.parent, launch.log_limits, admin_socket=launch.admin_socket)
    supervisor = Supervisor(launch, journal, rotation, on_healthy=on_healthy)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, rotation.reopen)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, supervisor.stop, number.name)
    await supervisor.run()
