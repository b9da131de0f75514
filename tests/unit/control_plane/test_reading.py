"""A file and the gateway that it asks for; which file that is; and what its listeners serve."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from control_plane.reading import EXAMPLE_RUNTIME, NoConfigFile, find_config, read_config, served_names

CONFIG = """\
version: v0.4.0
agents: [{id: weather, url: "http://127.0.0.1:10510"}]
model_providers:
  - {model: openai/gpt-4o, access_key: $KEY}
  - {model: plano/Plano-Orchestrator}
model_aliases: {quick: {target: openai/gpt-4o}, judge: {target: plano/Plano-Orchestrator}}
listeners:
  - {type: agent, name: travel, port: 8001, agents: [{id: weather, description: Tells the weather.}]}
  - {type: model, name: models, port: 8002}
overrides: {agent_orchestration_model: plano/Plano-Orchestrator}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plano_config.yaml"
    path.write_text(CONFIG)
    return path


def test_what_listeners_serve(file: Path) -> None:
    gateway = read_config(file, env={"KEY": "k"}, runtime=EXAMPLE_RUNTIME).gateway
    assert {listener.name: served_names(listener, gateway) for listener in gateway.listeners} == {
        "travel": ("weather",),
        "models": ("openai/gpt-4o", "quick"),
    }


def test_reading_does_not_import_the_api_of_envoy() -> None:
    code = (
        "import sys, control_plane.cli.running, control_plane.supervisor.__main__; sys.exit('envoy_data_plane' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_what_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoConfigFile, match="cannot read"):
        read_config(tmp_path / name, env=os.environ, runtime=EXAMPLE_RUNTIME)


def test_the_file_named_wins(tmp_path: Path) -> None:
    assert find_config(Path("mine.yaml"), tmp_path) == Path("mine.yaml")


@pytest.mark.parametrize(
    ("present", "found"),
    [(("config.yaml",), "config.yaml"), (("config.yaml", "plano_config.yaml"), "plano_config.yaml")],
)
def test_default_files(tmp_path: Path, present: tuple[str, ...], found: str) -> None:
    for name in present:
        (tmp_path / name).touch()
    assert find_config(None, tmp_path) == tmp_path / found


def test_no_default_file(tmp_path: Path) -> None:
    with pytest.raises(NoConfigFile, match=r"plano_config\.yaml or config\.yaml"):
        find_config(None, tmp_path)
