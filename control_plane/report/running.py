"""What `plano up` prints once the gateway is healthy: where it listens, what each listener serves, how to stop it."""

from collections.abc import Iterator

from control_plane.report.table import table
from control_plane.supervisor.instance import Instance, ListenerView

SHOWN_NAMES = 6
"""Of what one listener serves; more are counted."""


def running_text(instance: Instance, *, run_dir: str, stop_with: str) -> Iterator[str]:
    """Say what runs."""
    yield "Plano is running."
    yield ""
    yield from table([("listener", "url", "serves"), *((view.name, view.url, serves(view)) for view in instance.listeners)])
    yield ""
    yield from table(
        [
            ("metrics", instance.metrics_url),
            ("Envoy admin", instance.admin_url),
            ("configuration", instance.config_file),
            ("run dir, logs", run_dir),
        ]
    )
    yield ""
    yield f"Stop with {stop_with}."


def serves(listener: ListenerView) -> str:
    """Name what a listener serves, the first few of many."""
    shown, more = listener.serves[:SHOWN_NAMES], len(listener.serves) - SHOWN_NAMES
    names = ", ".join(shown) or "none"
    return f"{listener.kind}s: {names}" + (f" and {more} more" if more > 0 else "")
