"""The gateway as a user runs it: a configuration file, `plano up --detach`, `plano down`."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demos.travel_booking.run.children import DemoFailed

CONFIG = Path(__file__).parents[1] / "plano_config.yaml"
PLANO = (str(Path(sys.executable).with_name("plano")),)
"""The command of the environment that runs the demo."""
UP_SECONDS = 90
DOWN_SECONDS = 60
EMBEDDED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ports:
    """The gateway's ports."""

    agents: int
    models: int
    metrics: int
    control_plane_metrics: int
    admin: int


def free_ports() -> Ports:
    """Choose the ports of a run."""
    return Ports(*choose_ports(5))


def choose_ports(count: int) -> list[int]:
    """Choose ports that nobody uses now."""
    with ExitStack() as stack:
        # All open at once, so that no two are the same.
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [opened.getsockname()[1] for opened in sockets]


def build_config(ports: Ports, agent_urls: Mapping[str, str], provider_url: str | None) -> dict[str, Any]:
    """Return the demo's configuration with this run's ports and URLs; no `provider_url` means the real provider."""
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    for agent in config["agents"]:
        agent["url"] = agent_urls[agent["id"]]
    for provider in config["model_providers"]:
        if provider_url is not None:
            provider["base_url"] = provider_url
    for listener in config["listeners"]:
        listener["address"] = "127.0.0.1"
        listener["port"] = ports.agents if listener["type"] == "agent" else ports.models
    config["overrides"] = {
        "metrics_port": ports.metrics,
        "control_plane_metrics_port": ports.control_plane_metrics,
        "admin_port": ports.admin,
    }
    return config


@contextmanager
def running_gateway(config: Path, run_dir: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Bring the gateway up, and down again whatever happens."""
    up = ("up", str(config), "--detach", "--run-dir", str(run_dir), "--workers", "1")
    down = ("down", "--run-dir", str(run_dir))
    try:
        _succeed(_plano(*up, environment=environment, seconds=UP_SECONDS))
        yield
    except BaseException:
        # How stopping goes matters less than what went wrong before.
        _plano(*down, environment=environment, seconds=DOWN_SECONDS)
        raise
    _succeed(_plano(*down, environment=environment, seconds=DOWN_SECONDS))


def wait_until_embedded(run_dir: Path) -> None:
    """Return once ext_proc's log says that the agents' descriptions are embedded, some seconds after the start."""
    log, end = run_dir / "ext_proc.log", time.monotonic() + EMBEDDED_SECONDS
    while '"event":"semantic_rung_ready"' not in log.read_text(encoding="utf-8", errors="replace"):
        if time.monotonic() > end:
            raise DemoFailed(f"the agents' descriptions were not embedded within {EMBEDDED_SECONDS} s")
        time.sleep(0.1)


def _succeed(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode != 0:
        raise DemoFailed(f"`plano {done.args[len(PLANO)]}` failed:\n{done.stdout}{done.stderr}".rstrip())


def _plano(*arguments: str, environment: Mapping[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
    command = [*PLANO, *arguments]
    try:
        return subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DemoFailed(f"`plano {arguments[0]}` did not return within {seconds} s") from error
