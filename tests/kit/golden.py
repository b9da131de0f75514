"""Golden files: expected output that a human can review, one file per view, beside the input that it comes from.

`<case>.in.<ext>` is an input, `<case>.<view>.golden.<ext>` an output. `pytest --update-golden` rewrites, and removes orphans.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

GOLDEN_ROOT = Path(__file__).parents[1] / "golden"
INPUT_MARK = ".in."
OUTPUT_MARK = ".golden."


def golden_inputs(folder: Path) -> list[Path]:
    """List the inputs of a folder in a stable order, for parametrize."""
    return sorted(path for path in folder.iterdir() if INPUT_MARK in path.name)


def golden_id(path: Path) -> str:
    """Name a case, for parametrize's `ids`."""
    return path.name.split(INPUT_MARK)[0]


def golden_path(source: Path, view: str, ext: str = "yaml") -> Path:
    """Name the golden file of one view of an input."""
    return source.with_name(f"{golden_id(source)}.{view}{OUTPUT_MARK}{ext}")


def assert_golden(path: Path, text: str, request: pytest.FixtureRequest) -> None:
    """Compare text with a golden file, or rewrite the file under --update-golden."""
    if request.config.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8")
        return
    assert path.exists(), f"{path.name} is missing: run `make golden` and review the new file"
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: run `make golden` and review the change"


def assert_no_orphans(folder: Path, expected: Iterable[Path], request: pytest.FixtureRequest) -> None:
    """Fail for golden files that no test produces, or remove them under --update-golden."""
    orphans = sorted(set(folder.glob(f"*{OUTPUT_MARK}*")) - set(expected))
    if request.config.getoption("--update-golden"):
        for orphan in orphans:
            orphan.unlink()
        return
    assert not orphans, f"no test produces {', '.join(o.name for o in orphans)}: run `make golden`"
