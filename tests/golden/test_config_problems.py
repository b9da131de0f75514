"""Configurations that cannot be served: everything that is wrong, at once, each at its line."""

from pathlib import Path

import pytest

from control_plane.config import load
from control_plane.errors import ConfigError
from tests.kit.golden import GOLDEN_ROOT, assert_golden, assert_no_orphans, golden_id, golden_inputs, golden_path
from tests.kit.problems import TEST_ENV, render_problems

FOLDER = GOLDEN_ROOT / "config_problems"
CASES = golden_inputs(FOLDER)


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_problems(case: Path, request: pytest.FixtureRequest) -> None:
    with pytest.raises(ConfigError) as caught:
        load(case.read_bytes(), env=TEST_ENV)
    text = render_problems(problems=caught.value.problems, warnings=caught.value.warnings)
    assert caught.value.problems
    assert "secret-word" not in text
    assert "in-the-file" not in text
    assert_golden(golden_path(case, "problems"), text, request)


def test_no_problems_without_case(request: pytest.FixtureRequest) -> None:
    assert_no_orphans(FOLDER, [golden_path(case, "problems") for case in CASES], request)
