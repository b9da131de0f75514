"""`make bench`: one table, measured in one run on one machine, with bare Envoy to the same upstream as 1.

Load generator, proxies and upstream share the machine's cores, so ratios count, not absolute numbers. CPU per request says
where the time goes. `--requests` sets the length of one measurement, `--soak` that of the run that looks for errors and for
growth of memory.
"""

import argparse
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import bare_envoy
from benchmarks.gateway import MODEL_WITH_FALLBACK, STREAMING, STREAMING_WITH_FALLBACK, Ports, gateway
from benchmarks.measuring import CONNECTIONS, LARGE, SMALL, STREAM, Row, Way, best_of, measure, row, table
from benchmarks.processes import cpu_seconds, cpu_seconds_of, memory_mb
from benchmarks.stream_upstream import stream_upstream

TURNS: Final = 4
STREAM_SETTINGS: Final[dict[str, dict[str, bool]]] = {
    "fallback, ungated": {"continues_streams": False, "gates_streams": False},
    "fallback, gated": {"continues_streams": False},
    "and continued": {},
}


def soak(folder: Path, ports: Ports, requests: int) -> str:
    """Send many requests and compare the memory before and after."""
    print(f"{requests:,} requests, for errors and memory ...", file=sys.stderr, flush=True)
    ways = [Way(name="", port=port, load=SMALL) for port in (ports.agent, ports.model)]
    for way in ways:
        measure(way, CONNECTIONS, requests // 10)
    before = memory_mb(folder)
    errors = int(sum(measure(way, CONNECTIONS, requests // 2)["errors"] for way in ways))
    after = memory_mb(folder)
    return f"{requests:,} requests: {errors} errors; memory of all processes {before:.0f} MB before, {after:.0f} MB after"


def _ways(ports: Ports, workers: int) -> list[Way]:
    small_and_large = [
        Way(name=name, port=port, load=load, workers=workers)
        for name, port in (("agent listener", ports.agent), ("model listener", ports.model))
        for load in (SMALL, LARGE)
    ]
    with_fallback = [
        Way(name="model, fallback", port=ports.model, load=load, model=MODEL_WITH_FALLBACK, workers=workers)
        for load in (SMALL, LARGE)
    ]
    streams = Way(name="model listener", port=ports.model, load=STREAM, model=STREAMING, workers=workers)
    return [*small_and_large, *with_fallback, streams]


def _bare(folder: Path, upstream: int, streams: int, requests: int) -> list[Row]:
    rows = []
    for port, loads in ((upstream, (SMALL, LARGE)), (streams, (STREAM,))):
        with bare_envoy.proxy(folder, port) as bare:
            ways = [Way(name="bare Envoy", port=bare.port, load=load) for load in loads]
            rows += [row(way, requests, partial(_cpu_of_bare, bare.pid)) for way in ways]
    return rows


def _streams_with_fallback(folder: Path, upstream: int, streams: int, requests: int) -> list[Row]:
    """Measure streams of a model with a fallback, by what the listener does about them, with one worker.

    In turns: they are compared with one another, and differ by less than a machine does from minute to minute.
    """
    with ExitStack() as stack:
        ways = []
        for number, (name, settings) in enumerate(STREAM_SETTINGS.items()):
            place = folder / f"streams-{number}"
            ports = stack.enter_context(gateway(place, upstream, streams, workers=1, **settings))
            way = Way(name=name, port=ports.model, load=STREAM, model=STREAMING_WITH_FALLBACK, workers=1)
            ways.append((way, partial(cpu_seconds, place)))
        turns = [[row(way, requests, cpu) for way, cpu in ways] for _ in range(TURNS)]
    return [best_of(rows) for rows in zip(*turns, strict=True)]


def _cpu_of_bare(pid: int) -> dict[str, float]:
    return {"Envoy": cpu_seconds_of(pid)}


def main() -> None:
    """Measure everything and print it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--requests", type=int, default=20_000)
    arguments.add_argument("--soak", type=int, default=100_000)
    options = arguments.parse_args()
    os.environ["BENCH_KEY"] = "bench"
    # Ends like Ctrl-C: what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plano-bench-")))
        upstream, streams = stack.enter_context(bare_envoy.upstream(folder)), stack.enter_context(stream_upstream())
        rows = _bare(folder, upstream, streams, options.requests)
        for workers in sorted({1, os.cpu_count() or 1}):
            place = folder / f"workers-{workers}"
            with gateway(place, upstream, streams, workers=workers) as ports:
                rows += [row(way, options.requests, partial(cpu_seconds, place)) for way in _ways(ports, workers)]
                if workers == 1:
                    verdict = soak(place, ports, options.soak)
        rows += _streams_with_fallback(folder, upstream, streams, options.requests)
    print(table(rows))
    print(verdict)


if __name__ == "__main__":
    main()
