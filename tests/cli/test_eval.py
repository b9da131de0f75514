"""`plano eval` on the labelled set: figures for people and programs, the floor, and what cannot be evaluated."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from control_plane.cli import main

DATA = Path(__file__).parents[1] / "data" / "routing"
CONFIG = str(DATA / "telecom.yaml")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Some lines of every kind, to be quick."""
    lines = (DATA / "telecom.jsonl").read_text().splitlines()
    file = tmp_path / "few.jsonl"
    file.write_text("\n".join(lines[::12]))
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["eval", *map(str, arguments)])


def test_a_configuration_is_evaluated_with_nothing_running(few: Path, tmp_path: Path) -> None:
    done = run(few, "--config", CONFIG, "--run-dir", tmp_path / "none", "--json", "--min-accuracy", "0.6")
    assert done.exit_code == 0, done.output
    known = json.loads(done.stdout)
    assert known["conversations"] == 25
    assert known["accuracy"] >= 0.7
    assert known["rungs"]["semantic"]["conversations"] > 10
    assert known["out_of_scope"]["recall"] >= 0.5


def test_below_the_floor_it_fails(few: Path, tmp_path: Path) -> None:
    done = run(few, "--config", CONFIG, "--run-dir", tmp_path / "none", "--min-accuracy", "1")
    assert done.exit_code == 1
    assert "conversations, " in done.stdout
    assert "is below 1" in done.stderr


def test_messages_that_are_no_conversation_are_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "hi"}], "expect": []}\n{"messages": [3], "expect": []}\n')
    done = run(file, "--config", CONFIG, "--run-dir", tmp_path / "none")
    assert done.exit_code == 1
    assert f"{file}:2: messages: " in done.stderr


def test_models_of_providers_are_not_passed_over(few: Path, tmp_path: Path) -> None:
    file = tmp_path / "plano_config.yaml"
    text = Path(CONFIG).read_text()
    file.write_text(
        f"{text}\nmodel_providers: [{{model: openai/gpt-4o, access_key: k}}]\n"
        "overrides: {agent_orchestration_model: openai/gpt-4o}\n"
    )
    done = run(few, "--config", file, "--run-dir", tmp_path / "none")
    assert done.exit_code == 1
    assert "decisions need models of providers, and no gateway runs in" in done.stderr
