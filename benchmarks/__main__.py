"""`make bench`: one table, measured in one run on one machine, with bare Envoy to the same upstream as 1.

Load generator, proxies and upstream share the machine's cores, so ratios count, not absolute numbers. `--requests` sets the
length of one measurement, `--soak` that of the run that looks for errors and for growth of memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bare_envoy
from benchmarks.gateway import MODEL, MODEL_WITH_FALLBACK, Ports, gateway, memory_mb

QUESTION = "What is the weather in London tomorrow, and should I take an umbrella? "
CONNECTIONS = 32
ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured path with one body size: the best of the rounds, as noise only ever slows down."""

    path: str
    workers: int
    body_kb: int
    rps: float
    p50_ms: float
    p99_ms: float
    errors: int


def request(port: int, body_kb: int, model: str) -> bytes:
    """Build a chat completion request whose body has about this many kilobytes."""
    content = QUESTION * max(1, (body_kb * 1024 - 80) // len(QUESTION))
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": content}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


def measure(port: int, body_kb: int, connections: int, requests: int, model: str = MODEL) -> dict[str, float]:
    """Run the load generator as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(requests)]
    done = subprocess.run(command, input=request(port, body_kb, model), stdout=subprocess.PIPE, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def row(path: str, workers: int, body_kb: int, port: int, requests: int, model: str = MODEL) -> Row:
    """Measure throughput with many connections, and latency with one."""
    size = max(200, requests // (1 if body_kb < 10 else 5))
    measure(port, body_kb, CONNECTIONS, size // 10, model)
    busy = [measure(port, body_kb, CONNECTIONS, size, model) for _ in range(ROUNDS)]
    calm = [measure(port, body_kb, 1, max(100, size // 10), model) for _ in range(ROUNDS)]
    return Row(
        path=path,
        workers=workers,
        body_kb=body_kb,
        rps=max(r["rps"] for r in busy),
        p50_ms=min(r["p50_ms"] for r in calm),
        p99_ms=min(r["p99_ms"] for r in calm),
        errors=int(sum(r["errors"] for r in (*busy, *calm))),
    )


def table(rows: list[Row]) -> str:
    """Render the rows against bare Envoy with the same body."""
    lines = [
        f"{'path':<16}{'workers':>8}{'body':>8}{'requests/s':>12}{'ratio':>8}{'p50 added':>12}{'p99 added':>12}{'errors':>8}"
    ]
    for r in rows:
        bare = next(b for b in rows if b.workers == 0 and b.body_kb == r.body_kb)
        added = f"{r.p50_ms - bare.p50_ms:>9.2f} ms{r.p99_ms - bare.p99_ms:>9.2f} ms"
        lines.append(
            f"{r.path:<16}{r.workers or '-':>8}{r.body_kb:>5} KB{r.rps:>12,.0f}{r.rps / bare.rps:>8.2f}{added}{r.errors:>8}"
        )
    return "\n".join(lines)


def soak(folder: Path, ports: Ports, requests: int) -> str:
    """Send many requests and compare the memory before and after."""
    measure(ports.agent, 1, CONNECTIONS, requests // 10)
    measure(ports.model, 1, CONNECTIONS, requests // 10)
    before = memory_mb(folder)
    halves = [measure(port, 1, CONNECTIONS, requests // 2) for port in (ports.agent, ports.model)]
    errors = int(sum(half["errors"] for half in halves))
    after = memory_mb(folder)
    return f"{requests:,} requests: {errors} errors; memory of all processes {before:.0f} MB before, {after:.0f} MB after"


def _paths(ports: Ports) -> list[tuple[str, int, str]]:
    return [
        ("agent listener", ports.agent, MODEL),
        ("model listener", ports.model, MODEL),
        ("model, fallback", ports.model, MODEL_WITH_FALLBACK),
    ]


def main() -> None:
    """Measure everything and print it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--requests", type=int, default=20_000)
    arguments.add_argument("--soak", type=int, default=100_000)
    options = arguments.parse_args()
    os.environ["BENCH_KEY"] = "bench"
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="plano-bench-") as name:
        folder = Path(name)
        with bare_envoy.upstream(folder) as upstream, bare_envoy.proxy(folder, upstream) as bare:
            rows.extend(row("bare Envoy", 0, size, bare, options.requests) for size in (1, 100))
            for workers in sorted({1, os.cpu_count() or 1}):
                place = folder / f"workers-{workers}"
                with gateway(place, upstream, workers=workers) as ports:
                    for path, port, model in _paths(ports):
                        rows.extend(row(path, workers, size, port, options.requests, model) for size in (1, 100))
                    if workers == 1:
                        verdict = soak(place, ports, options.soak)
    print(table(rows))
    print(verdict)


if __name__ == "__main__":
    main()
