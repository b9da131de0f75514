"""Paths of values in the file: keys and positions, written `listeners[0].agents[1].id`."""

import re

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def render_path(path: Path) -> str:
    """Write a path as users read it."""
    return "".join(_render_step(step) for step in path).removeprefix(".")


def _render_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_KEY.fullmatch(step) else f'["{step}"]'
