"""Checks URLs of agents, filters and providers: scheme, host, optionally port and path, and nothing else."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from control_plane.config.check.finding import Finding
from control_plane.config.model import Instance, PlanoConfig
from control_plane.config.source.paths import Path

_HOST: Final = re.compile(r"(?=.{1,253}\.?\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?")
_BARE: Final = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?")
_VISIBLE: Final = re.compile(r"[!-~]+")
_API_PATHS: Final = ("/chat/completions", "/completions", "/responses", "/messages", "/embeddings")
_NO_QUERY: Final = "should end with its path: a `?` or `#` does not belong here"


def check_urls(config: PlanoConfig) -> Iterator[Finding]:
    """Find invalid URLs."""
    for path, url in _urls(config):
        message = url_defect(url)
        if message:
            yield Finding(path, "bad-url", message)


def check_base_urls(config: PlanoConfig) -> Iterator[Finding]:
    """Find addresses of providers that end with the path of an API, which the gateway would append again."""
    for index, provider in enumerate(config.model_providers):
        for path, url in _instances(("model_providers", index, "base_url"), provider.instances):
            suffix = next((end for end in _API_PATHS if url.rstrip("/").endswith(end)), None)
            if suffix is not None and url_defect(url) is None:
                yield Finding(path, "full-address", f"should end before `{suffix}`, which the gateway adds for each API")


def _urls(config: PlanoConfig) -> Iterator[tuple[Path, str]]:
    for index, agent in enumerate(config.agents):
        yield from _instances(("agents", index, "url"), agent.instances)
    for index, filter_ in enumerate(config.filters):
        yield from _instances(("filters", index, "url"), filter_.instances)
    for index, provider in enumerate(config.model_providers):
        yield from _instances(("model_providers", index, "base_url"), provider.instances)
    for index, source in enumerate(config.model_metrics_sources):
        if source.url is not None:
            yield ("model_metrics_sources", index, "url"), source.url


def _instances(path: Path, instances: tuple[Instance, ...]) -> Iterator[tuple[Path, str]]:
    for index, instance in enumerate(instances):
        yield (*path, index, "url"), instance.url


def url_defect(url: str) -> str | None:
    """Describe what is wrong with a URL, without repeating it: it may contain a secret."""
    if "://" not in url:
        example = url if _BARE.fullmatch(url) else "host:port"
        return f"should begin with http:// or https://, such as `http://{example}`"
    if url.endswith(("?", "#")):
        return _NO_QUERY
    if not _VISIBLE.fullmatch(url):
        return "should have neither spaces nor characters outside ASCII"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "should have a port between 1 and 65535, if any, and an IPv6 address only in brackets"
    return "should have a port between 1 and 65535" if port == 0 else _defect(parts)


def collector_defect(url: str) -> str | None:
    """Describe what is wrong with the URL of a gRPC collector."""
    return url_defect(url) or ("should have no path: gRPC has its own" if urlsplit(url).path.strip("/") else None)


def _defect(parts: SplitResult) -> str | None:
    if parts.scheme not in ("http", "https"):
        return "should begin with http:// or https://"
    if parts.username is not None or parts.password is not None:
        return "should not hold a user name or password"
    if parts.query or parts.fragment:
        return _NO_QUERY
    if not is_host(parts.hostname or ""):
        return "should name a host, such as `http://localhost:8001`"
    return None


def is_host(host: str) -> bool:
    """Whether a text is a DNS name or an IP address without brackets."""
    if _HOST.fullmatch(host):
        return True
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False
