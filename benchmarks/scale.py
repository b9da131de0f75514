"""How long a thousand agents and a thousand models take: from the changed file until Envoy and ext_proc serve all of them.

Run with `python -m benchmarks.scale`; the goal is 15 s on 2 cores.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.gateway import interruptible, running
from benchmarks.ports import free_port
from control_plane.status import read_status
from control_plane.supervisor.instance import read_instance

LIMIT_SECONDS = 120
NOBODY = "http://127.0.0.1:9"


def main() -> None:
    """Start a gateway with one agent and one model, change it to many, and print what the change took."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=1_000)
    count = arguments.parse_args().count
    ports = [free_port() for _ in range(5)]
    with tempfile.TemporaryDirectory(prefix="plano-scale-") as name:
        folder = Path(name)
        with interruptible(), running(configuration(1, ports), folder, workers=1) as run_dir:
            print(f"one agent and one model change to {count:,} of each ...", file=sys.stderr, flush=True)
            before, started = _cpu_seconds(run_dir), time.perf_counter()
            (folder / "plano_config.yaml").write_text(yaml.safe_dump(configuration(count, ports)))
            while _served(run_dir) != count:
                if time.perf_counter() - started > LIMIT_SECONDS:
                    raise TimeoutError(f"not served after {LIMIT_SECONDS} s")
                time.sleep(0.1)
            seconds = time.perf_counter() - started
            spent = {name: round(used - before[name], 1) for name, used in _cpu_seconds(run_dir).items()}
    print(f"{count:,} agents and {count:,} models are served {seconds:.1f} s after the file changed; seconds of CPU: {spent}")


def configuration(count: int, ports: list[int]) -> dict[str, object]:
    """Build a configuration with so many agents and models."""
    agent_port, model_port, metrics_port, control_plane_port, admin_port = ports
    names = [f"agent-{number}" for number in range(count)]
    offered = [{"id": name, "description": f"Knows about topic {name}."} for name in names]
    return {
        "version": "v0.4.0",
        "agents": [{"id": name, "url": NOBODY} for name in names],
        "model_providers": [{"model": f"openai/model-{number}", "base_url": NOBODY} for number in range(count)],
        "listeners": [
            {"type": "agent", "name": "agents", "address": "127.0.0.1", "port": agent_port, "agents": offered},
            {"type": "model", "name": "models", "address": "127.0.0.1", "port": model_port},
        ],
        "overrides": {
            "metrics_port": metrics_port,
            "control_plane_metrics_port": control_plane_port,
            "admin_port": admin_port,
        },
    }


def _served(run_dir: Path) -> int:
    """Count the agents that are served, as the control plane says once all of them are acknowledged."""
    status = read_status(run_dir / "status.json")
    return len(status.listeners[0].serves) if status else 0


def _cpu_seconds(run_dir: Path) -> dict[str, float]:
    """Return what each process has kept a core busy for (proc(5): utime and stime, own and of children that ended)."""
    tick = os.sysconf("SC_CLK_TCK")
    instance = read_instance(run_dir / "plano.json")
    pids = {process.name: process.pid for process in instance.processes} if instance else {}
    fields = {name: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for name, pid in pids.items()}
    return {name: sum(map(int, found[11:15])) / tick for name, found in fields.items()}


if __name__ == "__main__":
    main()
