"""Python filters in a configuration: mistakes in a user's code are problems of the file, with the line of either."""

from pathlib import Path

import pytest

from control_plane.errors import ConfigError
from control_plane.reading import EXAMPLE_RUNTIME, read_config

CONFIG = """
version: v0.4.0
filters:
  - id: mask
    type: python
    callable: {callable}
agents: [{{id: helper, url: "http://127.0.0.1:1"}}]
listeners:
  - {{type: agent, name: a, port: 27800, output_filters: [mask], agents: [{{id: helper, description: Helps.}}]}}
"""


def read(folder: Path, callable_: str) -> object:
    (folder / "mine.py").write_text("def mask(body):\n    return body\n\n\ndef odd(body, tenant):\n    return body\n")
    (folder / "broken.py").write_text("x = 1\nx.y\n")
    file = folder / "plano_config.yaml"
    file.write_text(CONFIG.format(callable=callable_))
    return read_config(file, env={}, runtime=EXAMPLE_RUNTIME)


def test_a_function_beside_the_configuration_is_found(tmp_path: Path) -> None:
    reading = read(tmp_path, "mine:mask")
    plan = reading.gateway.filter_config  # type: ignore[attr-defined]
    assert (plan.python_folder, [step.callable for step in plan.filters]) == (str(tmp_path), ["mine:mask"])


@pytest.mark.parametrize(
    ("callable_", "said"),
    [
        ("mine:nobody", "has no `nobody`"),
        ("mine:odd", "takes tenant as well"),
        ("broken:mask", "broken.py:2)"),
        ("no_such_module:mask", "No module named 'no_such_module'"),
    ],
)
def test_a_mistake_is_a_problem_at_its_line(tmp_path: Path, callable_: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, callable_)
    (problem,) = refused.value.problems
    assert (problem.path, problem.line, problem.code) == ("filters[0].callable", 6, "bad-python-filter")
    assert said in problem.message
