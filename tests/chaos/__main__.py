"""`make chaos`: everything fails at random, then clients and upstreams leave; fails if anything was lost, or Envoy."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.leaving import leaving
from tests.chaos.storm import storm


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=50, help="requests per second")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats the faults of a run")
    parser.add_argument("--tries", type=int, default=1000, help="clients and upstreams that leave")
    parser.add_argument("--megabytes", type=int, default=48, help="of their largest bodies")
    asked = parser.parse_args()
    print(f"{asked.rate:g} requests a second for {asked.seconds:g} s, --seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        table = asyncio.run(storm(Path(folder), seconds=asked.seconds, rate=asked.rate, seed=asked.seed))
    print(table)
    return 1 if table.problems or not all(_leave(asked, continues) for continues in (True, False)) else 0


def _leave(asked: argparse.Namespace, continues_streams: bool) -> bool:
    """Let clients and upstreams leave, half of the tries at a time; whether all was well."""
    print(f"clients and upstreams that leave; streams {'continued' if continues_streams else 'gated'}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        running = leaving(
            Path(folder),
            tries=asked.tries // 2,
            largest=asked.megabytes << 20,
            seed=asked.seed,
            continues_streams=continues_streams,
        )
        tally = asyncio.run(running)
    print(tally, flush=True)
    return not (tally.crashes or tally.problems)


sys.exit(main())
