"""Reports changed settings that need a restart, because processes were started with them."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from control_plane.config.model import Overrides
from control_plane.errors import Problem

_FIELDS: Final = (
    *("admin_port", "control_plane_metrics_port", "metrics_port"),
    *(f"limits.{name}" for name in ("log_files", "log_max_age", "log_max_bytes", "max_connections", "max_memory_bytes")),
)


def restart_warnings(started: Overrides, wanted: Overrides, *, file: str) -> Iterator[Problem]:
    """List the settings that change at the next start."""
    for field in _FIELDS:
        before, now = attrgetter(field)(started), attrgetter(field)(wanted)
        if before != now:
            message = f"is {now} from the next `plano up` on; until then it stays {before}"
            yield Problem(path=f"overrides.{field}", code="needs-restart", message=message, file=file)
