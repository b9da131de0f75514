"""Every form of configuration that Plano's documentation and demos show is read, and what is said about it is reviewed."""

from pathlib import Path

import pytest

from control_plane.config import load
from control_plane.gateway import build_gateway
from control_plane.gateway.runtime import Runtime
from control_plane.xds import translate
from tests.kit.golden import GOLDEN_ROOT, assert_golden, assert_no_orphans, golden_id, golden_inputs, golden_path
from tests.kit.problems import TEST_ENV, render_problems

FOLDER = GOLDEN_ROOT / "configs_that_load"
CASES = golden_inputs(FOLDER)


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_loads(case: Path, request: pytest.FixtureRequest) -> None:
    loaded = load(case.read_bytes(), env=TEST_ENV)
    assert "key-of" not in repr(loaded)
    assert_golden(golden_path(case, "warnings"), render_problems(warnings=loaded.warnings), request)


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_becomes_resources(case: Path) -> None:
    config = load(case.read_bytes(), env=TEST_ENV).config
    runtime = Runtime(egress_address="unix:///egress.sock", egress_url="unix:///egress.sock", access_log_path="/dev/stdout")
    translate(build_gateway(config, runtime=runtime))


def test_no_warnings_without_case(request: pytest.FixtureRequest) -> None:
    assert_no_orphans(FOLDER, [golden_path(case, "warnings") for case in CASES], request)
