"""Every golden file has its input: none outlives the case that made it."""

from pathlib import Path

import pytest

from tests.kit.golden import GOLDEN_ROOT, INPUT_MARK, OUTPUT_MARK


def test_every_golden_file_has_an_input(request: pytest.FixtureRequest) -> None:
    orphans = sorted(path for path in GOLDEN_ROOT.rglob(f"*{OUTPUT_MARK}*") if not _inputs(path))
    if request.config.getoption("--update-golden"):
        for orphan in orphans:
            orphan.unlink()
        return
    assert not orphans, f"without input: {', '.join(str(o.relative_to(GOLDEN_ROOT)) for o in orphans)}"


def _inputs(golden: Path) -> list[Path]:
    case_and_view = golden.name.split(OUTPUT_MARK)[0]
    case = case_and_view.rpartition(".")[0] or case_and_view
    return list(golden.parent.glob(f"{case}{INPUT_MARK}*"))
