"""The output of `plano up` once the gateway is healthy: addresses, agents and models, how to stop it."""

from collections.abc import Iterator

from control_plane.report.table import table
from control_plane.supervisor.instance import Instance, ListenerView

SHOWN_NAMES = 6
"""How many names of one listener are listed; the others are counted."""


def running_text(instance: Instance, *, run_dir: str, stop_with: str) -> Iterator[str]:
    """Describe the running gateway."""
    yield "Plano is running."
    yield ""
    yield from table([("listener", "url", "serves"), *((view.name, view.url, serves(view)) for view in instance.listeners)])
    yield ""
    yield from table([*places(instance, run_dir), ("configuration", instance.config_file)])
    yield ""
    yield f"Stop with {stop_with}."


def places(instance: Instance, run_dir: str) -> list[tuple[str, str]]:
    """List the addresses of metrics and logs of an instance."""
    return [
        ("metrics", instance.metrics_url),
        ("Envoy's metrics", instance.stats_url),
        ("Envoy's admin interface", f"unix://{instance.admin_socket}"),
        ("run dir, logs", run_dir),
    ]


def serves(listener: ListenerView) -> str:
    """List the first few agents or models of a listener."""
    shown, more = listener.serves[:SHOWN_NAMES], len(listener.serves) - SHOWN_NAMES
    names = ", ".join(shown) or "none"
    return f"{listener.kind}s: {names}" + (f" and {more} more" if more > 0 else "")
