"""Checks names: allowed characters, and names reserved by the gateway. Names are used in headers, metrics and Envoy."""

import re
from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding
from control_plane.config.lookup import defined_ids
from control_plane.config.model import PlanoConfig
from control_plane.config.providers import PROVIDER_NAMES
from control_plane.config.source.paths import Path

RESERVED_IDS: Final = frozenset(
    {
        *PROVIDER_NAMES,
        "arch_internal",
        "arch_listener_llm",
        "bright_staff",
        "brightstaff",
        "egress",
        "envoy",
        "ext_proc",
        "ext_proc_answers",
        "mistral_7b_instruct",
        "opentelemetry_collector",
        "xds",
    }
)
"""Names of the gateway's and Plano's own upstreams: as ids they would be misleading in statistics and logs."""

_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NAME: Final = re.compile(r"[!-~](?:[ -~]{0,254}[!-~])?")
_LISTENER_NAME: Final = re.compile(r"(?!.*[/()])[!-~](?:[ -~]{0,126}[!-~])?")

_ID_RULE: Final = "should consist of at most 128 letters, digits, `_`, `-` and `.`, and begin with a letter, a digit or `_`"
_NAME_RULE: Final = "should consist of at most 256 visible ASCII characters, without parentheses; spaces only inside"
_LISTENER_RULE: Final = (
    "should consist of at most 128 visible ASCII characters, without `/` and parentheses; spaces only inside"
)


def check_ids(config: PlanoConfig) -> Iterator[Finding]:
    """Find ids of agents and filters that are malformed or reserved."""
    for path, id_ in defined_ids(config):
        if not _ID.fullmatch(id_):
            yield Finding((*path, "id"), "bad-name", _ID_RULE)
        elif id_ in RESERVED_IDS:
            kind = str(path[0]).removesuffix("s")
            yield Finding((*path, "id"), "reserved-id", f"`{id_}` is a built-in name; choose another, such as `{id_}_{kind}`")


def check_names(config: PlanoConfig) -> Iterator[Finding]:
    """Find malformed names of listeners, models and aliases."""
    for index, listener in enumerate(config.listeners):
        if not _LISTENER_NAME.fullmatch(listener.name):
            yield Finding(("listeners", index, "name"), "bad-name", _LISTENER_RULE)
    for path, name in _model_names(config):
        if not _NAME.fullmatch(name) or "(" in name or ")" in name:
            yield Finding(path, "bad-name", _NAME_RULE)


def _model_names(config: PlanoConfig) -> Iterator[tuple[Path, str]]:
    for index, entry in enumerate(config.model_providers):
        yield ("model_providers", index, "model"), entry.model
        if entry.name is not None:
            yield ("model_providers", index, "name"), entry.name
    for alias in config.model_aliases:
        yield ("model_aliases", alias), alias
