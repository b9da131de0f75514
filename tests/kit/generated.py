"""Files that are made from others: `--check` fails when one is stale, `--write` makes them all anew."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from control_plane.config.reference import render_reference
from control_plane.xds.bootstrap import render_compose_bootstrap
from tests.kit.translation_reference import render_translation_reference

ROOT: Final = Path(__file__).parents[2]

GENERATED: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("docs/configuration.md", render_reference),
    ("docs/translation.md", render_translation_reference),
    ("envoy/bootstrap.yaml", render_compose_bootstrap),
)
"""(path from the project's root, what it should hold)."""


def stale_files(root: Path = ROOT) -> list[str]:
    """List the generated files that are missing or differ from what they should hold."""
    return [name for name, render in GENERATED if _read(root / name) != render()]


def write_files(root: Path = ROOT) -> None:
    """Make every generated file anew."""
    for name, render in GENERATED:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(), encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main() -> int:
    """Check or write, as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail if a file is stale")
    mode.add_argument("--write", action="store_true", help="make every file anew")
    if parser.parse_args().write:
        write_files()
    stale = stale_files()
    for name in stale:
        print(f"{name} is stale: run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
