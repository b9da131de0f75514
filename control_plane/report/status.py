"""`plano status`: processes, listeners, upstreams, configuration and acknowledgements, as text and as JSON."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

from control_plane.report.problems import problem_line
from control_plane.report.running import places, serves
from control_plane.report.table import table
from control_plane.report.upstreams import upstreams_text
from control_plane.status import ClientStatus, ConfigState, Status
from control_plane.supervisor.instance import Phase, ProcessView
from control_plane.supervisor.overview import ListenerHealth, Overview

_STATES = {
    ConfigState.OK: "ok: the file is served as it is",
    ConfigState.INVALID: "invalid: the last good configuration is served",
    ConfigState.REJECTED: "rejected by Envoy or ext_proc: the last good configuration is served",
}


def status_text(overview: Overview) -> Iterator[str]:
    """Show an instance."""
    instance = overview.instance
    if instance is None:
        yield f"Nothing runs in {overview.run_dir}."
        return
    yield f"Plano is {'healthy' if overview.healthy else 'not healthy'} ({instance.phase}, pid {instance.pid})."
    if instance.phase is Phase.ABANDONED:
        yield "Its supervisor is dead: what still runs goes on, and is not started again when it ends."
        yield "`plano up` starts the gateway anew in its place; `plano down` ends it."
    yield ""
    yield from table([("process", "state", "pid", "uptime", "restarts", "last exit"), *map(_process, instance.processes)])
    yield ""
    yield from table([("listener", "health", "url", "serves"), *map(_listener, overview.listeners)])
    yield ""
    yield from upstreams_text(overview.upstreams, overview.failovers)
    yield ""
    yield from _configuration(overview.status, instance.config_file)
    yield ""
    yield from table(places(instance, overview.run_dir))


def status_json(overview: Overview) -> str:
    """Render the same for programs."""
    instance = overview.instance
    answer = {
        "running": instance is not None,
        "healthy": overview.healthy,
        "run_dir": overview.run_dir,
        "phase": instance and instance.phase,
        "pid": instance and instance.pid,
        "started_at": instance and instance.started_at,
        "admin_socket": instance and instance.admin_socket,
        "stats_url": instance and instance.stats_url,
        "metrics_url": instance and instance.metrics_url,
        "processes": [asdict(process) for process in instance.processes] if instance else [],
        "config": asdict(overview.status) if overview.status else None,
        "listeners": [{**asdict(health.listener), "healthy": health.healthy} for health in overview.listeners],
        "upstreams": None if overview.upstreams is None else [asdict(upstream) for upstream in overview.upstreams],
        "failovers": None if overview.failovers is None else [asdict(failover) for failover in overview.failovers],
    }
    return json.dumps(answer, indent=2)


def _configuration(status: Status | None, config_file: str) -> Iterator[str]:
    if status is None:
        yield from table([("configuration", config_file), ("state", "not known: the control plane has not reported yet")])
        return
    rows = [("configuration", status.config_file), ("state", _STATES[status.state]), ("version", status.version)]
    yield from table([*rows, ("served since", status.published_at)])
    yield from (f"    {problem_line(problem)}" for problem in status.problems)
    yield from (f"    warning: {problem_line(warning)}" for warning in status.warnings)
    if status.clients:
        yield ""
        yield from table([("client", "role", "runs", "refused"), *map(_client, status.clients)])


def _client(client: ClientStatus) -> tuple[str, ...]:
    return client.node_id, client.role, _versions(client.acked), "; ".join(map(": ".join, client.refused.items())) or "-"


def _versions(acked: dict[str, str]) -> str:
    """Render each type's version, a hash of its resources."""
    return ", ".join(f"{name} {version[:8]}" for name, version in acked.items()) or "-"


def duration(seconds: float) -> str:
    """Render seconds in at most two units."""
    minutes, rest = divmod(int(max(0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [f"{days}d", f"{hours}h", f"{minutes}m", f"{rest}s"]
    first = next((index for index, value in enumerate((days, hours, minutes)) if value), 3)
    return " ".join(units[first : first + 2])


def _process(view: ProcessView) -> tuple[str, ...]:
    uptime = duration(time.time() - view.started_at) if view.started_at else "-"
    return view.name, view.state, str(view.pid or "-"), uptime, str(view.restarts), view.last_exit or "-"


def _listener(health: ListenerHealth) -> tuple[str, ...]:
    listener = health.listener
    return listener.name, "healthy" if health.healthy else "unhealthy", listener.url, serves(listener)
