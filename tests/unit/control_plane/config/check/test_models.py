"""What the checks say about the embedding model beside what the goldens of problems show."""

import pytest

from control_plane.config import load
from control_plane.config.check import models

CONFIG = """
version: v0.4.0
agents:
  - {{id: weather, url: "http://127.0.0.1:1"}}
  - {{id: flights, url: "http://127.0.0.1:2"}}
model_providers: [{{model: openai/embed, access_key: $KEY}}]
overrides: {overrides}
listeners:
  - {{type: agent, name: travel, port: 8001, agents: [{{id: weather, description: Weather}}{more}]}}
"""
FLIGHTS = ", {id: flights, description: Flights}"


def warnings(overrides: str, more: str = FLIGHTS) -> list[str]:
    return [
        f"{problem.code}: {problem.message}"
        for problem in load(CONFIG.format(overrides=overrides, more=more), env={"KEY": "k"}).warnings
        if problem.code != "unused-agent"
    ]


def test_with_the_extra_there_is_nothing_to_say() -> None:
    assert (
        warnings("{}") == warnings("{agent_embedding_model: openai/embed}") == warnings("{agent_embedding_model: none}") == []
    )


def test_one_agent_leaves_nothing_to_decide() -> None:
    (warning,) = warnings("{agent_embedding_model: openai/embed}", more="")
    assert warning.startswith("no-effect: ")


@pytest.mark.parametrize(
    ("overrides", "missing"),
    [("{}", "numpy, onnxruntime, tokenizers"), ("{agent_embedding_model: openai/embed}", "numpy"), ("", "")],
)
def test_without_the_extra_it_is_said_what_decides(monkeypatch: pytest.MonkeyPatch, overrides: str, missing: str) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    if not overrides:
        assert warnings("{agent_embedding_model: none}") == warnings("{}", more="") == []
        return
    (warning,) = warnings(overrides)
    assert warning.startswith(f"no-semantic-rung: matching words decide alone: {missing}")
    assert "plano-gateway[semantic]" in warning
