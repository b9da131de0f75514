"""Sends modules that share something costly, such as a running gateway, to one worker of pytest-xdist.

They say so with a module's mark, `pytest.mark.xdist_group("name")`. xdist's own `loadgroup` would read it, but writes it into
an attribute that pytest has no more since 9.1, without a word: each worker would then start its own gateway.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_MARK = re.compile(r'xdist_group\("([^"]+)"\)')


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # not typed
    """Keeps a group's tests on one worker; all others go where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return group_of(self.config.rootpath / file) or nodeid


@cache
def group_of(module: Path) -> str:
    """Return the group that a test module is marked with, empty if none."""
    found = _MARK.search(module.read_text())
    return found[1] if found else ""


def make_scheduler(config: Any, log: Any) -> GroupScheduling | None:
    """Make the scheduler of `--dist loadgroup`."""
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None
