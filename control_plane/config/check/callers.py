"""`callers`: what tells them apart, and what they may use is there."""

import json
from collections.abc import Iterator
from pathlib import Path as FilesystemPath

from control_plane.config.check.finding import Finding, warning
from control_plane.config.check.urls import url_defect
from control_plane.config.model import Caller, Jwt, Listener, PlanoConfig
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest
from control_plane.ir.secret import Secret


def check_callers(config: PlanoConfig) -> Iterator[Finding]:
    """Find callers with the same key, listeners that no caller can use, and unknown names."""
    yield from _names_and_keys(config)
    for index, listener in enumerate(config.listeners):
        yield from _what_is_shown(index, listener)
        if listener.asks_for_keys and not any(shown_at(listener, caller) for caller in callers_of(config, listener.name)):
            yield Finding(("listeners", index, "auth"), "no-callers", "nobody could use this listener: none of `callers` may")
    if config.callers and not any(listener.asks_for_keys for listener in config.listeners):
        yield warning(("callers",), "no-effect-yet", "no listener asks for keys: set `auth: {}` at those that should")
    for index, caller in enumerate(config.callers):
        yield from _permissions(index, caller, config)


def callers_of(config: PlanoConfig, listener: str) -> list[Caller]:
    """Return the callers whose keys a listener accepts."""
    return [caller for caller in config.callers if caller.listeners is None or listener in caller.listeners]


def shown_at(listener: Listener, caller: Caller) -> tuple[Secret, ...]:
    """Return what a caller is told by at a listener: its keys, names of its certificates, or subjects of its tokens."""
    if listener.auth is not None and listener.auth.client_certificates:
        return tuple(map(Secret, caller.certificates))
    if listener.auth is not None and (jwt := listener.auth.jwt) is not None:
        return tuple(Secret(known.subject) for known in caller.subjects if known.issuer == jwt.issuer)
    return caller.keys


def _what_is_shown(index: int, listener: Listener) -> Iterator[Finding]:
    auth, path = listener.auth, ("listeners", index, "auth")
    if auth is None:
        return
    if sum((auth.shows_keys, auth.client_certificates, auth.jwt is not None)) > 1:
        message = "asks for one of keys, certificates and tokens, not for several: leave `api_keys` out"
        yield Finding(path, "two-kinds-of-auth", message)
    if auth.client_certificates and (listener.tls is None or listener.tls.client_ca is None):
        message = "needs `tls.client_ca`: without it, no connection has a certificate"
        yield Finding((*path, "client_certificates"), "no-client-ca", message)
    if auth.jwt is not None:
        yield from _jwt((*path, "jwt"), auth.jwt)


def _jwt(path: Path, jwt: Jwt) -> Iterator[Finding]:
    if (jwt.jwks_url is None) == (jwt.jwks_file is None):
        yield Finding(path, "no-jwks", "needs `jwks_url` or `jwks_file`, and not both")
    if jwt.jwks_url is not None and (defect := url_defect(jwt.jwks_url)):
        yield Finding((*path, "jwks_url"), "invalid-url", defect)
    if jwt.jwks_file is not None and not _has_keys(jwt.jwks_file):
        yield Finding((*path, "jwks_file"), "bad-jwks", "is no file with a JSON object that has `keys`")


def _has_keys(path: str) -> bool:
    try:
        found = json.loads(FilesystemPath(path).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and isinstance(found.get("keys"), list)


def _names_and_keys(config: PlanoConfig) -> Iterator[Finding]:
    names: set[str] = set()
    seen: dict[tuple[str, object], str] = {}
    for index, caller in enumerate(config.callers):
        if not (caller.name.isascii() and caller.name.isprintable()):
            yield Finding(("callers", index, "name"), "invalid-name", "must be printable ASCII: it is sent in a header")
        if caller.name in names:
            yield Finding(("callers", index, "name"), "duplicate-caller", f"`{caller.name}` is another caller's name, too")
        names.add(caller.name)
        shown: dict[str, list[object]] = {
            "keys": [key.reveal() for key in caller.keys],
            "certificates": [*caller.certificates],
            "subjects": [(known.issuer, known.subject) for known in caller.subjects],
        }
        if not any(shown.values()):
            message = "needs `keys`, `certificates` or `subjects`: nobody could be it"
            yield Finding(("callers", index), "nothing-shown", message)
        for field, place, value in ((field, *item) for field, values in shown.items() for item in enumerate(values)):
            other = seen.setdefault((field, value), caller.name)
            if other != caller.name:
                message = f"is one of `{other}`, too: callers are told apart by their {field}"
                yield Finding(("callers", index, field, place), "duplicate-key", message)


def _permissions(index: int, caller: Caller, config: PlanoConfig) -> Iterator[Finding]:
    listeners = {listener.name for listener in config.listeners}
    agents = {agent.id for listener in config.listeners for agent in listener.agents}
    models = {provider.model for provider in config.model_providers} | set(config.model_aliases)
    wildcards = tuple(name[:-1] for name in models if name.endswith("/*"))
    models |= {f"{name.partition('/')[0]}/*" for name in models if "/" in name}
    for field, known in (("listeners", listeners), ("agents", agents), ("models", models)):
        for place, name in enumerate(getattr(caller, field) or ()):
            if name not in known and not (field == "models" and name.startswith(wildcards)):
                message = f"there is no `{name}` among the {field}{suggest(name, known)}"
                yield Finding(("callers", index, field, place), "unknown-permission", message)
