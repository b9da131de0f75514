"""A file in every form that it takes, or every reason why not."""

import os
from pathlib import Path

import pytest

from control_plane.errors import ConfigError
from control_plane.inspection import EXAMPLE_RUNTIME, NoConfigFile, find_config, inspect_file

GOOD = """\
version: v0.4.0
agents: [{id: weather, url: "http://127.0.0.1:10510"}]
listeners: [{type: agent, name: travel, port: 8001, agents: [{id: weather, description: Tells the weather.}]}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plano_config.yaml"
    path.write_text(GOOD)
    return path


def test_every_form(file: Path) -> None:
    inspection = inspect_file(file, env={}, runtime=EXAMPLE_RUNTIME)
    assert inspection.config.listeners[0].name == "travel"
    assert inspection.gateway.plans[0].agents[0].id == "weather"
    assert inspection.resources.version
    assert inspection.warnings == ()


def test_problems_name_the_file(file: Path) -> None:
    file.write_text(GOOD.replace("{id: weather, desc", "{id: wether, desc"))
    with pytest.raises(ConfigError) as caught:
        inspect_file(file, env={}, runtime=EXAMPLE_RUNTIME)
    assert [(problem.file, problem.line, problem.code) for problem in caught.value.problems] == [
        (str(file), 3, "unknown-agent")
    ]


def test_bytes_that_are_not_text_are_a_problem(file: Path) -> None:
    file.write_bytes(b"version: \xff\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        inspect_file(file, env={}, runtime=EXAMPLE_RUNTIME)


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_what_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoConfigFile, match="cannot read"):
        inspect_file(tmp_path / name, env=os.environ, runtime=EXAMPLE_RUNTIME)


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
