"""Checks prompt targets and their endpoints."""

import re
from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding, undefined
from control_plane.config.check.urls import is_host
from control_plane.config.model import PlanoConfig
from control_plane.config.suggest import suggest

_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def check_endpoints(config: PlanoConfig) -> Iterator[Finding]:
    """Find endpoints that are malformed."""
    for name, endpoint in config.endpoints.items():
        if not _KEY.fullmatch(name):
            message = "should consist of letters, digits, `_` and `-`, and begin with a letter"
            yield Finding(("endpoints", name), "bad-name", message)
        host, colon, port = endpoint.endpoint.partition(":")
        is_port = not colon or (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536)
        if not is_host(host) or not is_port:
            yield Finding(("endpoints", name, "endpoint"), "bad-host", "should be `host` or `host:port`")


def check_guards(config: PlanoConfig) -> Iterator[Finding]:
    """Find guards that would guard nothing."""
    guards = config.prompt_guards.input_guards if config.prompt_guards else None
    if guards is not None and guards.jailbreak.filter is None:
        message = "nothing here recognizes a jailbreak by itself: name a `filter` that refuses them, or remove `prompt_guards`"
        yield Finding(("prompt_guards", "input_guards", "jailbreak"), "no-guard", message)


def check_prompt_targets(config: PlanoConfig) -> Iterator[Finding]:
    """Find targets with the same name, two defaults, or unknown endpoints."""
    seen: set[str] = set()
    default: str | None = None
    for index, target in enumerate(config.prompt_targets):
        if target.name in seen:
            message = f"`{target.name}` is the name of another target, too"
            yield Finding(("prompt_targets", index, "name"), "duplicate-target", message)
        seen.add(target.name)
        if target.default and default is not None:
            message = f"`{default}` is already the default; there can be one"
            yield Finding(("prompt_targets", index, "default"), "two-defaults", message)
        default = target.name if target.default and default is None else default
        if target.endpoint is not None and target.endpoint.name not in config.endpoints:
            message = f"no endpoint is called `{target.endpoint.name}`{suggest(target.endpoint.name, config.endpoints)}"
            yield undefined(("prompt_targets", index, "endpoint", "name"), "unknown-endpoint", message)
