"""`make bench`: one table, measured in one run on one machine, with bare Envoy to the same upstream as 1.

Load generator, proxies and upstream share the machine's cores, so ratios count, not absolute numbers; CPU per request, of Envoy
and of the workers apart, is what depends least on what else the machine does. `--only` measures some paths alone.
"""

import argparse
import fnmatch
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import bare_envoy
from benchmarks.gateway import MODEL_WITH_FALLBACK, STREAMING, STREAMING_WITH_FALLBACK, Gateway, gateway, interruptible
from benchmarks.load import NoLoadGenerator, find_wrk
from benchmarks.measuring import BARE, CONNECTIONS, LARGE, SMALL, STREAM, Bench, Row, Way, table
from benchmarks.processes import cpu_seconds, cpu_seconds_of, memory_mb
from benchmarks.stream_upstream import stream_upstream

CONTINUED: Final = "stream, fallback, gated and continued"
STREAM_SETTINGS: Final[dict[str, dict[str, bool]]] = {
    "stream, fallback, ungated": {"continues_streams": False, "gates_streams": False},
    "stream, fallback, gated": {"continues_streams": False},
}
"""What listeners other than the usual one do about streams of models with fallbacks: each has a gateway of its own."""


def _ways_of_bare(stack: ExitStack, folder: Path, upstream: int, streams: int) -> list[Way]:
    ways = []
    for port, loads in ((upstream, (SMALL, LARGE)), (streams, (STREAM,))):
        bare = stack.enter_context(bare_envoy.proxy(folder, port))
        cpu = partial(_cpu_of_bare, bare.pid)
        ways += [Way(name=BARE, port=bare.port, load=load, cpu=cpu) for load in loads]
    return ways


def _ways_of_gateway(served: Gateway, workers: int) -> list[Way]:
    agent, model = (
        partial(Way, port=port, cpu=partial(cpu_seconds, served.run_dir), workers=workers)
        for port in (served.agent_port, served.model_port)
    )
    whole = [
        way
        for load in (SMALL, LARGE)
        for way in (
            agent(name="agent", load=load),
            model(name="model", load=load),
            model(name="model with a fallback", load=load, model=MODEL_WITH_FALLBACK),
        )
    ]
    continued = model(name=CONTINUED, load=STREAM, model=STREAMING_WITH_FALLBACK)
    return [*whole, model(name="stream", load=STREAM, model=STREAMING), continued]


def _way_of_stream(name: str, served: Gateway, workers: int) -> Way:
    cpu = partial(cpu_seconds, served.run_dir)
    return Way(name=name, port=served.model_port, cpu=cpu, load=STREAM, model=STREAMING_WITH_FALLBACK, workers=workers)


def _cpu_of_bare(pid: int) -> dict[str, float]:
    return {"Envoy": cpu_seconds_of(pid)}


def _soak(bench: Bench, ways: Sequence[Way], run_dir: Path, seconds: float) -> str:
    """Send load for long and compare the memory before and after."""
    print(f"{seconds:g} s of load, for errors and memory ...", file=sys.stderr, flush=True)
    for way in ways:
        bench.send(way, CONNECTIONS, seconds / 10)
    before = sum(memory_mb(run_dir).values())
    results = [bench.send(way, CONNECTIONS, seconds / len(ways)) for way in ways]
    after = memory_mb(run_dir)
    requests, errors = (sum(counts) for counts in zip(*((r.requests, r.errors) for r in results), strict=True))
    parts = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in after.items())
    memory = f"memory {before:.0f} MB before, {sum(after.values()):.0f} MB after ({parts})"
    return f"\n{requests:,} requests: {errors} errors; {memory}"


def _measure(options: argparse.Namespace, wrk: str) -> str:
    """Start everything, measure, and return the tables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plano-bench-")))
        bench = Bench(wrk=wrk, folder=folder, seconds=options.seconds, rounds=options.rounds)
        upstream, streams = stack.enter_context(bare_envoy.upstream(folder)), stack.enter_context(stream_upstream())

        def start(name: str, workers: int, **settings: bool) -> Gateway:
            print(f"a gateway starts: {name} ...", file=sys.stderr, flush=True)
            return stack.enter_context(gateway(folder / name, upstream, streams, workers=workers, **settings))

        bare = _ways_of_bare(stack, folder, upstream, streams)
        ways = [way for n in options.workers for way in _ways_of_gateway(start(f"workers-{n}", n), n)]
        few = options.workers[0]
        for name, settings in STREAM_SETTINGS.items():
            if fnmatch.fnmatch(name, options.only):
                ways.append(_way_of_stream(name, start(name.replace(" ", "-"), few, **settings), few))
        chosen = [way for way in ways if fnmatch.fnmatch(way.name, options.only)]
        rows: list[Row] = []
        for load in (SMALL, LARGE, STREAM):
            if compared := [way for way in chosen if way.load == load]:
                rows += bench.rows([*(way for way in bare if way.load == load), *compared])
        soaked = [way for way in chosen if way.load == SMALL and way.workers == few]
        verdict = [_soak(bench, soaked, folder / f"workers-{few}" / "run", options.soak)] if soaked else []
    return "\n".join([table(rows), *verdict]) if rows else f"no path is called {options.only!r}"


def main() -> None:
    """Measure and print the table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("--seconds", type=float, default=3, help="of one measurement")
    arguments.add_argument("--rounds", type=int, default=5, help="in each of which every path takes its turn")
    arguments.add_argument("--only", default="*", metavar="PATTERN", help="measure these paths only, such as 'model*'")
    arguments.add_argument("--soak", type=float, default=60, metavar="SECONDS", help="of load to look for errors and leaks")
    cores = sorted({1, os.cpu_count() or 1})
    arguments.add_argument("--workers", type=int, nargs="+", default=cores, help="of ext_proc: a gateway for each number")
    options = arguments.parse_args()
    try:
        wrk = find_wrk(os.environ)
    except NoLoadGenerator as error:
        sys.exit(str(error))
    with interruptible():
        print(_measure(options, wrk))


if __name__ == "__main__":
    main()
