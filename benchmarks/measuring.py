"""One way through a proxy under one load: throughput, latency, CPU and errors."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.gateway import MODEL
from benchmarks.stream_upstream import EVENTS

QUESTION: Final = "What is the weather in London tomorrow, and should I take an umbrella? "
CONNECTIONS: Final = 32
ROUNDS: Final = 3

Cpu = Callable[[], Mapping[str, float]]
"""Tells the CPU seconds that processes have spent, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked for."""

    body_kb: int
    streams: bool = False

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"{EVENTS} events" if self.streams else f"{self.body_kb} KB"

    @property
    def share(self) -> float:
        """How many of these requests make a measurement as long as one of small ones, as a share."""
        return 0.2 if self.streams or self.body_kb > 10 else 1

    def request(self, port: int, model: str) -> bytes:
        """Build a chat completion request whose body has about this many kilobytes."""
        content = QUESTION * max(1, (self.body_kb * 1024 - 80) // len(QUESTION))
        asked = {
            "model": model,
            "messages": [{"role": "user", "content": content}],
            **({"stream": True} if self.streams else {}),
        }
        body = json.dumps(asked)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


SMALL: Final = Load(body_kb=1)
LARGE: Final = Load(body_kb=100)
STREAM: Final = Load(body_kb=1, streams=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How requests are sent."""

    name: str
    port: int
    load: Load
    model: str = MODEL
    workers: int = 0
    """0 for bare Envoy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The best of the rounds: noise only ever slows down."""

    way: Way
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]
    """Per request, by process."""
    errors: int


def measure(way: Way, connections: int, requests: int) -> dict[str, float]:
    """Run the load generator as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", str(way.port), str(connections), str(requests)]
    done = subprocess.run(command, input=way.load.request(way.port, way.model), stdout=subprocess.PIPE, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def row(way: Way, requests: int, cpu: Cpu) -> Row:
    """Measure throughput and CPU with many connections, and latency with one; say on standard error what is being measured."""
    print(f"{way.name}, {way.load.name}, {way.workers or 'no'} workers ...", end=" ", file=sys.stderr, flush=True)
    size = max(200, int(requests * way.load.share))
    measure(way, CONNECTIONS, size // 10)
    busy, spent = zip(*(_with_cpu(way, size, cpu) for _ in range(ROUNDS)), strict=True)
    calm = [measure(way, 1, max(100, size // 10)) for _ in range(ROUNDS)]
    measured = Row(
        way=way,
        rps=max(r["rps"] for r in busy),
        p50_ms=min(r["p50_ms"] for r in calm),
        p99_ms=min(r["p99_ms"] for r in calm),
        cpu_us={name: min(s[name] for s in spent) for name in spent[0]},
        errors=int(sum(r["errors"] for r in (*busy, *calm))),
    )
    print(f"{measured.rps:,.0f} requests/s", file=sys.stderr, flush=True)
    return measured


def _with_cpu(way: Way, requests: int, cpu: Cpu) -> tuple[dict[str, float], dict[str, float]]:
    before = cpu()
    result = measure(way, CONNECTIONS, requests)
    return result, {name: 1e6 * (seconds - before[name]) / requests for name, seconds in cpu().items()}


def best_of(rows: Sequence[Row]) -> Row:
    """Put several measurements of one way together."""
    return Row(
        way=rows[0].way,
        rps=max(row.rps for row in rows),
        p50_ms=min(row.p50_ms for row in rows),
        p99_ms=min(row.p99_ms for row in rows),
        cpu_us={name: min(row.cpu_us[name] for row in rows) for name in rows[0].cpu_us},
        errors=sum(row.errors for row in rows),
    )


def table(rows: list[Row]) -> str:
    """Render the rows against bare Envoy under the same load."""
    return "\n".join([_HEAD, *(_line(row, rows) for row in rows)])


_HEAD: Final = (
    f"{'path':<18}{'workers':>8}{'load':>11}{'requests/s':>12}{'ratio':>7}{'p50 added':>12}{'p99 added':>12}"
    f"{'CPU of workers':>16}{'of Envoy':>10}{'errors':>8}"
)


def _line(row: Row, rows: list[Row]) -> str:
    way = row.way
    bare = next(other for other in rows if other.way.workers == 0 and other.way.load == way.load)
    added = f"{row.p50_ms - bare.p50_ms:>9.2f} ms{row.p99_ms - bare.p99_ms:>9.2f} ms"
    cpu = f"{row.cpu_us.get('workers', 0):>13,.0f} µs{row.cpu_us['Envoy']:>7,.0f} µs"
    name = f"{way.name:<18}{way.workers or '-':>8}{way.load.name:>11}"
    return f"{name}{row.rps:>12,.0f}{row.rps / bare.rps:>7.2f}{added}{cpu}{row.errors:>8}"
