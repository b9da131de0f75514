"""`listeners[].tls`: files that Envoy can read, and that are what they are said to be."""

import ssl
from collections.abc import Iterator
from pathlib import Path

from control_plane.config.check.finding import Finding
from control_plane.config.model import PlanoConfig, Tls


def check_tls(config: PlanoConfig) -> Iterator[Finding]:
    """Find certificates and keys that are not there, or do not fit together."""
    for index, listener in enumerate(config.listeners):
        if listener.tls is not None:
            for field, message in _defects(listener.tls):
                yield Finding(("listeners", index, "tls", field), "bad-certificate", message)


def _defects(tls: Tls) -> Iterator[tuple[str, str]]:
    if Path(tls.certificate).parent != Path(tls.key).parent:
        yield "key", "should be in the folder of `certificate`: a renewal replaces both at once"
    unreadable = [
        (field, fault) for field in ("certificate", "key", "client_ca") if (fault := _unreadable(getattr(tls, field)))
    ]
    yield from unreadable
    if unreadable:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
    except (ssl.SSLError, ValueError):
        yield "certificate", "is no certificate in PEM, or `key` is not its key"
    try:
        context.load_verify_locations(tls.client_ca or tls.certificate)
    except ssl.SSLError:
        yield "client_ca" if tls.client_ca else "certificate", "has no certificate in PEM"


def _unreadable(path: str | None) -> str:
    if path is None:
        return ""
    try:
        with Path(path).open("rb"):
            return ""
    except OSError as error:
        return f"cannot be read: {error.strerror}"
