"""GET /metrics of the master: the sum of all workers' metrics, and the master's own."""

import platform
from importlib.metadata import version
from threading import Thread
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from ext_proc.telemetry import names


class MasterMetrics:
    """The master's registry and its HTTP server."""

    def __init__(self, folder: str) -> None:
        self._registry = CollectorRegistry()
        MultiProcessCollector(self._registry, folder)  # type: ignore[no-untyped-call]
        self.workers = Gauge(names.WORKERS, "Worker processes running", registry=self._registry)
        self.restarts = Counter(names.WORKER_RESTARTS, "Workers that died and were restarted", registry=self._registry)
        self.embedder_restarts = Counter(
            names.EMBEDDER_RESTARTS, "Times that the embedder died and was restarted", registry=self._registry
        )
        build = Gauge(names.BUILD_INFO, "1, with what runs here", ("version", "python"), registry=self._registry)
        build.labels(version("plano-gateway"), platform.python_version()).set(1)
        self._server: tuple[Any, Thread] | None = None

    def serve(self, host: str, port: int) -> int:
        """Serve on an address, in a thread of its own; return the port."""
        self._server = start_http_server(port, host, self._registry)
        return int(self._server[0].server_port)

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
