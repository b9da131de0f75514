"""`make chaos`: everything fails at random for minutes; prints what became of the requests, and fails if one was lost."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.storm import storm


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=50, help="requests per second")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats the faults of a run")
    asked = parser.parse_args()
    print(f"{asked.rate:g} requests a second for {asked.seconds:g} s, --seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        table = asyncio.run(storm(Path(folder), seconds=asked.seconds, rate=asked.rate, seed=asked.seed))
    print(table)
    return 1 if table.problems else 0


sys.exit(main())
