"""`plano keys new`: a key that a configuration takes as it is printed."""

import pytest
import yaml
from click.testing import CliRunner, Result

from control_plane.cli import main
from control_plane.config import load

CONFIG = """\
version: v0.4.0
model_providers:
  - {{model: openai/gpt-4o, access_key: $OPENAI_API_KEY}}
callers:
{caller}
listeners:
  - {{type: model, name: models, auth: {{}}}}
"""


def make(name: str) -> Result:
    return CliRunner().invoke(main, ["keys", "new", name])


def test_what_is_printed_is_a_line_of_an_environment_file_and_a_caller() -> None:
    made = make("team a/b")
    variable, _, key = made.stdout.strip().partition("=")
    caller = next(line for line in made.stderr.splitlines() if line.strip().startswith("-"))
    config = load(CONFIG.format(caller=caller), env={variable: key, "OPENAI_API_KEY": "sk"}).config
    assert config.callers[0].name == "team a/b"
    assert config.callers[0].keys[0].reveal() == key
    assert key not in made.stderr
    assert yaml.safe_load(caller)


def test_keys_are_long_and_never_the_same() -> None:
    keys = {make("team").stdout.partition("=")[2] for _ in range(10)}
    assert len(keys) == 10
    assert min(map(len, keys)) > 50


@pytest.mark.parametrize("name", ["", "  ", "t\u00e9am", "a\nb"])
def test_a_name_that_no_header_takes_is_refused(name: str) -> None:
    refused = make(name)
    assert refused.exit_code == 1
    assert "sk-plano" not in refused.output
