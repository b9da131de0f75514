"""What is said about this installation beside what a configuration says of itself."""

from pathlib import Path

import pytest

from control_plane import reading
from control_plane.config import load
from tests.unit.control_plane.config.check.test_models import CONFIG, FLIGHTS


def warnings(overrides: str, more: str = FLIGHTS) -> list[str]:
    config = load(CONFIG.format(overrides=overrides, more=more), env={"KEY": "k"}).config
    return [f"{problem.code}: {problem.message}" for problem in reading.missing_extra(config, Path("x.yaml"))]


@pytest.mark.parametrize(
    ("overrides", "missing"),
    [("{}", "numpy, onnxruntime, tokenizers"), ("{agent_embedding_model: openai/embed}", "numpy is missing")],
)
def test_without_the_extra_it_is_said_what_decides(monkeypatch: pytest.MonkeyPatch, overrides: str, missing: str) -> None:
    assert warnings(overrides) == []
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    (warning,) = warnings(overrides)
    assert warning.startswith(f"no-semantic-rung: matching words decide alone: {missing}")
    assert "plano-gateway[semantic]" in warning


def test_where_nothing_is_decided_by_meaning_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    assert warnings("{agent_embedding_model: none}") == warnings("{}", more="") == []
