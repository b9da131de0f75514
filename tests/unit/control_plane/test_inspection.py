"""A file in every form that it takes, or every reason why not."""

from pathlib import Path

import pytest

from control_plane.errors import ConfigError
from control_plane.inspection import inspect_file
from control_plane.reading import EXAMPLE_RUNTIME

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
    assert inspection.gateway.filter_config.listeners[0].agents[0].id == "weather"
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
