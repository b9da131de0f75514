"""Ways to the same upstream under one load, measured in turns: throughput, latency, CPU per request and errors."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.gateway import MODEL
from benchmarks.load import Result, send_load
from benchmarks.stream_upstream import EVENTS

QUESTION: Final = "What is the weather in London tomorrow, and should I take an umbrella? "
CONNECTIONS: Final = 32
BARE: Final = "bare Envoy"
_WARM_UP_SECONDS: Final = 1

Cpu = Callable[[], Mapping[str, float]]
"""Returns the CPU seconds that processes have spent, by role: `Envoy`, `workers`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked for."""

    body_kb: float
    streams: bool = False

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"{EVENTS} events" if self.streams else f"{self.body_kb:g} KB"

    def body(self, model: str) -> bytes:
        """Build a chat completion request whose body has about this many kilobytes."""
        content = QUESTION * max(1, int(self.body_kb * 1024 - 80) // len(QUESTION))
        request: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": content}]}
        return json.dumps(request | ({"stream": True} if self.streams else {})).encode()


SMALL: Final = Load(body_kb=0.5)
LARGE: Final = Load(body_kb=100)
STREAM: Final = Load(body_kb=0.5, streams=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How requests are sent, and whose CPU they take."""

    name: str
    port: int
    load: Load
    cpu: Cpu
    model: str = MODEL
    workers: int = 0
    """0 for bare Envoy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What several rounds came to."""

    way: Way
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]
    """Per request, by role."""
    generator_cpu_us: float
    errors: int

    @property
    def total_us(self) -> float:
        """CPU per request of Envoy and the workers together."""
        return sum(self.cpu_us.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """How everything is measured."""

    wrk: str
    folder: Path
    seconds: float
    """Of one measurement; whole seconds, at least 1."""
    rounds: int

    def rows(self, ways: Sequence[Way]) -> list[Row]:
        """Measure ways that are compared with each other in turns, since a machine differs from minute to minute."""
        taken: dict[int, list[_Measurement]] = {number: [] for number in range(len(ways))}
        for way in ways:
            self.send(way, CONNECTIONS, _WARM_UP_SECONDS)
        for round_ in range(self.rounds):
            for number, way in enumerate(ways):
                workers = f", {way.workers} workers" if way.workers else ""
                _progress(f"round {round_ + 1} of {self.rounds}: {way.name}, {way.load.name}{workers} ...")
                taken[number].append(self._measure(way))
                _progress(f" {taken[number][-1].busy.requests / taken[number][-1].busy.seconds:,.0f} requests/s\n")
        return [_summary(way, taken[number]) for number, way in enumerate(ways)]

    def send(self, way: Way, connections: int, seconds: float) -> Result:
        """Send load one way."""
        url = f"http://127.0.0.1:{way.port}/v1/chat/completions"
        body = way.load.body(way.model)
        return send_load(self.wrk, url, body, connections=connections, seconds=seconds, folder=self.folder)

    def _measure(self, way: Way) -> "_Measurement":
        """Throughput and CPU with many connections, and latency with one."""
        before = way.cpu()
        busy = self.send(way, CONNECTIONS, self.seconds)
        spent = {role: 1e6 * (seconds - before[role]) / busy.requests for role, seconds in way.cpu().items()}
        return _Measurement(busy=busy, calm=self.send(way, 1, self.seconds / 3), cpu_us=spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measurement:
    busy: Result
    calm: Result
    cpu_us: Mapping[str, float] = field(default_factory=dict)


def _summary(way: Way, taken: Sequence[_Measurement]) -> Row:
    return Row(
        way=way,
        rps=median(m.busy.requests / m.busy.seconds for m in taken),
        p50_ms=median(m.calm.p50_ms for m in taken),
        p99_ms=median(m.calm.p99_ms for m in taken),
        cpu_us={role: median(m.cpu_us[role] for m in taken) for role in taken[0].cpu_us},
        generator_cpu_us=median(m.busy.generator_cpu_us for m in taken),
        errors=sum(m.busy.errors + m.calm.errors for m in taken),
    )


def _progress(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def table(rows: Sequence[Row]) -> str:
    """Render rows as a Markdown table; multiples are of bare Envoy under the same load."""
    head = (
        "path",
        "workers",
        "load",
        "CPU of Envoy",
        "of workers",
        "of both, x bare",
        "requests/s",
        "x bare",
        "p50 added",
        "p99 added",
        "load generator",
        "errors",
    )
    lines = [head, *(_line(row, rows) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rendered = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([rendered[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rendered[1:]])


def _line(row: Row, rows: Sequence[Row]) -> tuple[str, ...]:
    way = row.way
    bare = next(other for other in rows if other.way.name == BARE and other.way.load == way.load)
    return (
        way.name,
        str(way.workers or "-"),
        way.load.name,
        f"{row.cpu_us['Envoy']:,.0f} µs",
        f"{row.cpu_us.get('workers', 0):,.0f} µs",
        f"{row.total_us / bare.total_us:.2f}",
        f"{row.rps:,.0f}",
        f"{row.rps / bare.rps:.2f}",
        f"{row.p50_ms - bare.p50_ms:.2f} ms",
        f"{row.p99_ms - bare.p99_ms:.2f} ms",
        f"{row.generator_cpu_us:,.0f} µs",
        str(row.errors),
    )
