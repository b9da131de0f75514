"""Warns of secrets that are written in the file itself."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from control_plane.config.check.finding import Finding, warning
from control_plane.config.model import PlanoConfig
from control_plane.config.model.walk import written_fields
from control_plane.config.source.paths import Path
from control_plane.ir.secret import Secret

_CREDENTIAL_NAME: Final = re.compile(r"(?i)auth|cookie|key|password|secret|token")
_PASSWORD_IN_URL: Final = re.compile(r"://[^/@\s]*:[^/@\s]+@|(?i:password\s*=)")


def check_literal_secrets(config: PlanoConfig, is_variable: Callable[[Path], bool]) -> Iterator[Finding]:
    """Find secrets that do not come from a variable."""
    for path, secret in _secrets(config):
        if not is_variable(path) and _is_credential(path, secret):
            message = "is a secret in the file itself; write it as `$VARIABLE` and put the value into the environment or .env"
            yield warning(path, "literal-secret", message)


def _secrets(config: PlanoConfig) -> Iterator[tuple[Path, Secret]]:
    for path, _, value in written_fields(config):
        if isinstance(value, Secret):
            yield path, value
        elif isinstance(value, tuple):
            yield from (((*path, place), item) for place, item in enumerate(value) if isinstance(item, Secret))
        elif isinstance(value, dict):
            yield from (((*path, name), item) for name, item in value.items() if isinstance(item, Secret))


def _is_credential(path: Path, secret: Secret) -> bool:
    """Whether the value of a secret field is really secret: a header may be harmless, a URL may have no password."""
    if path[-2] in ("headers", "http_headers"):
        return bool(_CREDENTIAL_NAME.search(str(path[-1])))
    if path[-1] in ("connection_string", "url"):
        return bool(_PASSWORD_IN_URL.search(secret.reveal()))
    return True
