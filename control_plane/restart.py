"""What a running gateway cannot change: the ports that its processes were started with. A change of these is reported."""

from collections.abc import Iterator
from typing import Final

from control_plane.config.model import Overrides
from control_plane.errors import Problem

_FIELDS: Final = ("admin_port", "control_plane_metrics_port", "metrics_port")


def restart_warnings(started: Overrides, wanted: Overrides, *, file: str) -> Iterator[Problem]:
    """Name each setting that waits for the next start."""
    for field in _FIELDS:
        before, now = getattr(started, field), getattr(wanted, field)
        if before != now:
            message = f"is {now} from the next `plano up` on; until then it stays {before}"
            yield Problem(path=f"overrides.{field}", code="needs-restart", message=message, file=file)
