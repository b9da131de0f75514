"""A benchmark that is interrupted leaves nothing running."""

import asyncio
import signal
import sys
from pathlib import Path

from control_plane.supervisor.instance import read_instance
from control_plane.supervisor.processes import is_running
from tests.kit.envoy import free_port

BENCHMARK = """
import signal, sys
from pathlib import Path
from benchmarks.gateway import gateway, interruptible
with interruptible(), gateway(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[2]), workers=1):
    print("measures", flush=True)
    signal.pause()
"""


async def test_an_interrupted_benchmark_stops_its_gateway(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BENCHMARK, str(tmp_path), str(free_port()), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"measures\n"
    instance = read_instance(tmp_path / "run" / "plano.json")
    assert instance
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)  # impatience is no reason to leave anything
    assert await process.wait() == 130
    assert not [child.name for child in instance.processes if child.pid and is_running(child.pid, child.start_mark)]
