"""The gateway under measurement: `plano up` on a configuration whose agents and models lead to the bench upstreams."""

import os
import signal
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
"""Its answers pass the first-token gate."""
STREAMING = "openai/gpt-4.1"
"""Answers by event streams."""
STREAMING_WITH_FALLBACK = "openai/gpt-4.1-mini"

AGENTS = {
    "weather_agent": "Get real-time weather conditions and multi-day forecasts for any city worldwide.",
    "flight_agent": "Get live flight information between airports: status, departure and arrival times, gates and delays.",
}
CHOICES = [{"id": name, "description": description} for name, description in AGENTS.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running gateway."""

    run_dir: Path
    agent_port: int
    model_port: int


@contextmanager
def gateway(folder: Path, upstream_port: int, stream_port: int, *, workers: int, **streams: bool) -> Iterator[Gateway]:
    """Run the gateway with so many ext_proc workers; stops it at the end. `streams` are settings of the model listener."""
    agent_port, model_port = free_port(), free_port()
    agents: dict[str, object] = {"type": "agent", "name": "agents", "address": "127.0.0.1", "port": agent_port}
    models = {"type": "model", "name": "models", "address": "127.0.0.1", "port": model_port, **streams}
    configuration = _configuration(upstream_port, stream_port) | {"listeners": [agents | {"agents": CHOICES}, models]}
    with running(configuration, folder, workers=workers) as run_dir:
        yield Gateway(run_dir=run_dir, agent_port=agent_port, model_port=model_port)


@contextmanager
def running(configuration: dict[str, object], folder: Path, *, workers: int) -> Iterator[Path]:
    """Run a gateway on any configuration, which is written into the folder; yields the run dir, stops the gateway at the end.

    Its processes are in sessions of their own: Ctrl-C is for the benchmark, which then stops what it has started, whatever
    else is asked of it meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "plano_config.yaml"
    config.write_text(yaml.safe_dump(configuration))
    plano = [str(Path(sys.executable).with_name("plano"))]
    run_dir = folder / "run"
    command = [*plano, "up", str(config), "--detach", "--workers", str(workers), "--run-dir", str(run_dir)]
    environment = {**os.environ, "BENCH_KEY": "bench"}
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, env=environment)
    try:
        if started.wait():
            raise subprocess.CalledProcessError(started.returncode, command)
        yield run_dir
    finally:
        with _uninterrupted():
            if started.wait() == 0:
                down = [*plano, "down", "--run-dir", str(run_dir)]
                subprocess.run(down, check=True, stdout=subprocess.DEVNULL, start_new_session=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end a benchmark as Ctrl-C does: what was started is stopped on the way out."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print("\ninterrupted; everything that was started is stopped", file=sys.stderr)
        sys.exit(130)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _configuration(upstream_port: int, stream_port: int) -> dict[str, object]:
    url, stream_url = (f"http://127.0.0.1:{port}" for port in (upstream_port, stream_port))
    return {
        "version": "v0.4.0",
        "agents": [{"id": name, "url": url} for name in AGENTS],
        "model_providers": [
            {"model": MODEL, "base_url": url, "access_key": "$BENCH_KEY"},
            {"model": MODEL_WITH_FALLBACK, "base_url": url, "access_key": "$BENCH_KEY", "fallbacks": [MODEL]},
            {"model": STREAMING, "base_url": stream_url, "access_key": "$BENCH_KEY"},
            {"model": STREAMING_WITH_FALLBACK, "base_url": stream_url, "access_key": "$BENCH_KEY", "fallbacks": [STREAMING]},
        ],
        "overrides": {
            "metrics_port": free_port(),
            "control_plane_metrics_port": free_port(),
            "admin_port": free_port(),
        },
    }
