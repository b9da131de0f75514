"""docs/operations.md names metrics and events that exist."""

import re
from itertools import chain
from pathlib import Path

import pytest

from control_plane import telemetry
from ext_proc.telemetry import names

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
METRICS = {value for module in (names, telemetry) for value in vars(module).values() if str(value).startswith("plano_")}
_ROWS = re.findall(r"^\| `(?:ext_proc|control_plane|supervisor)` \|(.*)\|$", TEXT, re.MULTILINE)
EVENTS = sorted({event for row in _ROWS for event in re.findall(r"`(\w+)`", row)})


def test_metrics_of_ours_exist() -> None:
    named = set(re.findall(r"`(plano_\w+)`", TEXT))
    assert named
    assert named <= METRICS


@pytest.fixture(scope="module")
def sources() -> str:
    files = chain((ROOT / "ext_proc").rglob("*.py"), (ROOT / "control_plane").rglob("*.py"))
    return "".join(file.read_text(encoding="utf-8") for file in files)


@pytest.mark.parametrize("event", EVENTS)
def test_events_exist(event: str, sources: str) -> None:
    assert f'"{event}"' in sources


def test_the_readme_leads_there() -> None:
    assert "(docs/operations.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
