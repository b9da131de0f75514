"""The gateway under measurement: `plano up` on a configuration whose two agents and one model lead to the bench upstream."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.ports import free_port

MODEL = "openai/gpt-4o"
MODEL_WITH_FALLBACK = "openai/gpt-4o-mini"
"""Its answers pass the first-byte gate."""
STREAMING = "openai/gpt-4.1"
"""Answers by event streams."""
STREAMING_WITH_FALLBACK = "openai/gpt-4.1-mini"

AGENTS = {
    "weather_agent": "Get real-time weather conditions and multi-day forecasts for any city worldwide.",
    "flight_agent": "Get live flight information between airports: status, departure and arrival times, gates and delays.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a running gateway listens."""

    agent: int
    model: int


@contextmanager
def gateway(folder: Path, upstream_port: int, stream_port: int, *, workers: int, **streams: bool) -> Iterator[Ports]:
    """Run the gateway with so many ext_proc workers; stops it at the end. `streams` are settings of the model listener."""
    ports = Ports(agent=free_port(), model=free_port())
    folder.mkdir(parents=True)
    config = folder / "plano_config.yaml"
    config.write_text(yaml.safe_dump(_configuration(ports, upstream_port, stream_port, streams)))
    plano = [str(Path(sys.executable).with_name("plano"))]
    run_dir = ["--run-dir", str(folder / "run")]
    # In sessions of their own: Ctrl-C is for the benchmark, which then stops what it has started.
    command = [*plano, "up", str(config), "--detach", "--workers", str(workers), *run_dir]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        if started.wait():
            raise subprocess.CalledProcessError(started.returncode, command)
        yield ports
    finally:
        if started.wait() == 0:
            subprocess.run([*plano, "down", *run_dir], check=True, stdout=subprocess.DEVNULL, start_new_session=True)


def _configuration(ports: Ports, upstream_port: int, stream_port: int, streams: dict[str, bool]) -> dict[str, object]:
    url, stream_url = (f"http://127.0.0.1:{port}" for port in (upstream_port, stream_port))
    choices = [{"id": name, "description": description} for name, description in AGENTS.items()]
    return {
        "version": "v0.4.0",
        "agents": [{"id": name, "url": url} for name in AGENTS],
        "model_providers": [
            {"model": MODEL, "base_url": url, "access_key": "$BENCH_KEY"},
            {"model": MODEL_WITH_FALLBACK, "base_url": url, "access_key": "$BENCH_KEY", "fallbacks": [MODEL]},
            {"model": STREAMING, "base_url": stream_url, "access_key": "$BENCH_KEY"},
            {"model": STREAMING_WITH_FALLBACK, "base_url": stream_url, "access_key": "$BENCH_KEY", "fallbacks": [STREAMING]},
        ],
        "listeners": [
            {"type": "agent", "name": "agents", "address": "127.0.0.1", "port": ports.agent, "agents": choices},
            {"type": "model", "name": "models", "address": "127.0.0.1", "port": ports.model, **streams},
        ],
        "overrides": {
            "metrics_port": free_port(),
            "control_plane_metrics_port": free_port(),
            "admin_port": free_port(),
        },
    }
