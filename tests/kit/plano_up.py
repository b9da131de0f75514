"""A whole gateway for tests: `plano up --detach` on a configuration, with ports and a run dir of its own."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from control_plane.supervisor.admin import admin_client
from tests.cli.instances import Site, taken_down
from tests.kit.envoy import free_port

Config = dict[str, Any]
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
EVERY_API = ["chat_completions", "messages", "responses"]
"""Of an agent that is asked in the client's own."""
_PORTS = ("admin_port", "metrics_port", "control_plane_metrics_port")


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that serves, and one client for all its ports."""

    site: Site
    config: Config
    http: httpx.AsyncClient

    def url(self, listener: str) -> str:
        """Return the URL of a listener of the configuration."""
        return next(f"http://127.0.0.1:{entry['port']}" for entry in self.config["listeners"] if entry["name"] == listener)

    def override_url(self, name: str) -> str:
        """Return the URL of a port among the overrides, such as `metrics_port`."""
        return f"http://127.0.0.1:{self.config['overrides'][name]}"

    async def post(self, listener: str, body: object, path: str = CHAT, **headers: str) -> httpx.Response:
        """Send JSON, or bytes as they are, to a listener."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(
            f"{self.url(listener)}{path}", content=content, headers={"content-type": "application/json"} | named
        )

    async def access_log(self) -> list[dict[str, Any]]:
        """Have Envoy write what it has, and return all lines."""
        await self.admin("POST", "/reopen_logs")
        text = (self.site.run_dir / "access.log").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    async def logged(self, fact: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first line of the access log that shows a fact, as soon as it is there."""
        while True:
            for line in await self.access_log():
                if fact(line):
                    return line

    def logs(self) -> Iterator[tuple[str, str]]:
        """Yield the name and text of everything that the gateway wrote into its run dir."""
        for file in sorted(self.site.run_dir.glob("*")):
            with suppress(FileNotFoundError):  # replaced at this moment
                if file.is_file():
                    yield file.name, file.read_text(errors="replace")

    def instance(self) -> dict[str, Any]:
        """Return what the supervisor says, without a process of its own as `plano status` is."""
        instance: dict[str, Any] = json.loads((self.site.run_dir / "plano.json").read_text())
        return instance

    def process(self, name: str) -> dict[str, Any]:
        """Return what the supervisor says of a process."""
        return next(dict(process) for process in self.instance()["processes"] if process["name"] == name)

    async def admin(self, method: str, path: str, **parameters: str) -> httpx.Response:
        """Ask Envoy's admin interface."""
        async with admin_client(self.instance()["admin_socket"]) as client:
            return await client.request(method, path, params=parameters, timeout=30)

    async def stat(self, name: str) -> int:
        """Return one of Envoy's counters or gauges, 0 if it does not exist yet."""
        answer = await self.admin("GET", "/stats", filter=f"^{name}$")
        return int(answer.text.rpartition(": ")[2] or 0)

    async def is_healthy(self) -> bool:
        """Ask the first listener for its health."""
        try:
            answer = await self.http.get(f"http://127.0.0.1:{self.site.port}/healthz")
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def state(self) -> dict[str, Any]:
        """Return what the control plane says of the configuration."""
        state: dict[str, Any] = json.loads((self.site.run_dir / "status.json").read_text())
        return state

    def write(self, config: Config | str) -> None:
        """Replace the configuration file, as an editor would."""
        draft = self.site.config.with_suffix(".draft")
        draft.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
        draft.replace(self.site.config)


@asynccontextmanager
async def plano_up(
    config: Config, folder: Path, *, workers: int = 1, env: dict[str, str] | None = None
) -> AsyncIterator[Running]:
    """Run a gateway; its listeners get free ports on loopback."""
    config = placed(config)
    file = folder / "plano_config.yaml"
    file.write_text(yaml.safe_dump(config))
    site = Site(file, folder / "run", port=config["listeners"][0]["port"])
    limits = httpx.Limits(max_connections=None)
    async with taken_down(site), httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as http:
        up = await site.plano("up", str(file), "--detach", "--workers", str(workers), env=env)
        running = Running(site, config, http)
        assert up.code == 0, up.err + "".join(f"\n--- {name}\n{text[-2000:]}" for name, text in running.logs())
        yield running


def placed(config: Config) -> Config:
    """Give each listener an address and a free port, and the gateway's own servers theirs."""
    listeners = [{"address": "127.0.0.1", "port": free_port(), **listener} for listener in config["listeners"]]
    overrides = {name: free_port() for name in _PORTS} | config.get("overrides", {})
    return {"version": "v0.4.0"} | config | {"listeners": listeners, "overrides": overrides}
