"""`plano check`: all problems at once, for people and for programs, and never a secret."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from control_plane.cli import main

GOOD = """\
version: v0.4.0
agents:
  - id: weather
    url: http://127.0.0.1:10510
model_providers:
  - model: openai/gpt-4o
    access_key: $OPENAI_API_KEY
    default: true
listeners:
  - type: agent
    name: travel
    port: 8001
    agents:
      - id: weather
        description: Tells the weather.
"""
KEY = "sk-very-secret-key"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "plano_config.yaml"
    path.write_text(GOOD)
    return path


def plano(*arguments: object, env: Mapping[str, str | None] | None = None, stdin: str = "") -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env or {"OPENAI_API_KEY": KEY}, input=stdin)


def test_nothing_wrong(config: Path) -> None:
    result = plano("check", config)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "0 problems, 0 warnings\n", "")


def test_all_problems_with_their_lines(config: Path) -> None:
    config.write_text(GOOD.replace("      - id: weather", "      - id: wether").replace("http://127", "127"))
    result = plano("check", config, env={"OPENAI_API_KEY": None})
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{config}:4: agents[0].url: ")
    assert lines[1].startswith(f"{config}:7: model_providers[0].access_key: ")
    assert lines[1].endswith("[missing-variable]")
    assert lines[2].startswith(f"{config}:14: listeners[0].agents[0].id: ")
    assert lines[2].endswith("[unknown-agent]")
    assert lines[-1].startswith("3 problems")


def test_warnings_are_apart_and_do_not_fail(config: Path) -> None:
    config.write_text(GOOD.replace("$OPENAI_API_KEY", KEY))
    result = plano("check", config)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"warning: {config}:7: model_providers[0].access_key: ")
    assert result.stdout.endswith("0 problems, 1 warning\n")
    assert KEY not in result.output


def test_json(config: Path) -> None:
    config.write_text(GOOD.replace("      - id: weather", "      - id: wether"))
    result = plano("check", config, "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    problem = answer["problems"][0]
    assert set(problem) == {"file", "line", "path", "code", "message"}
    assert (problem["file"], problem["line"], problem["path"]) == (str(config), 14, "listeners[0].agents[0].id")
    assert [warning["code"] for warning in answer["warnings"]] == ["unused-agent"]


def test_standard_input() -> None:
    result = plano("check", "-", stdin=GOOD)
    assert (result.exit_code, result.stdout) == (0, "0 problems, 0 warnings\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = plano("check", tmp_path / "nowhere.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"plano: cannot read {tmp_path}/nowhere.yaml: No such file or directory\n"


def test_variables_come_from_the_file_beside_it(config: Path) -> None:
    config.with_name(".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    assert plano("check", config, env={"OPENAI_API_KEY": None}).exit_code == 0
