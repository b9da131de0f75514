"""Configuration -> Envoy: one feature per case, and the views that show it, named in the case's first line.

`make golden` rewrites the files; a change in them is a change of a public contract, to be reviewed as one.
"""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from control_plane.config import load
from control_plane.config.source.yaml_source import parse_yaml
from control_plane.gateway import Runtime, build_gateway
from control_plane.xds import translate
from control_plane.xds.resources import Resources
from control_plane.xds.views import VIEWS, render_view
from protos.contract.headers import CREDENTIAL_HEADERS
from tests.kit.golden import assert_golden, assert_no_orphans, golden_id, golden_inputs, golden_path

FOLDER = Path(__file__).parent / "config"
CASES = golden_inputs(FOLDER)
RUNTIME = Runtime(egress_address="unix:///run/egress.sock", egress_url="unix:///run/egress.sock", access_log_path="/dev/stdout")
ENVIRONMENT = {f"{name}_API_KEY": f"key-of-{name.lower()}" for name in ("OPENAI", "ANTHROPIC", "GROQ", "GEMINI", "ZHIPU")}
ENVIRONMENT |= {f"{name}_API_KEY": f"key-of-{name.lower()}" for name in ("AZURE", "QWEN", "ACME")}
ENVIRONMENT["AWS_BEARER_TOKEN_BEDROCK"] = "key-of-aws"

CREDENTIALS = re.compile(r"( *)- " + r"\n *- ".join(map(re.escape, CREDENTIAL_HEADERS)) + r"\n")
"""The list in each route that keeps a client's credentials from its upstream."""


def resources(text: str) -> Resources:
    return translate(build_gateway(load(text, env=ENVIRONMENT).config, runtime=RUNTIME))


def views(case: Path) -> list[str]:
    return case.read_text().splitlines()[0].removeprefix("# views: ").split(", ")


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_a_configuration_becomes_these_resources(case: Path, request: pytest.FixtureRequest) -> None:
    made = resources(case.read_text())
    for view in views(case):
        shown = render_view(made, view).replace(made.version, "<hash of the rest>")
        assert_golden(golden_path(case, view), CREDENTIALS.sub(r"\1- <credentials of clients>\n", shown), request)


def test_every_golden_file_belongs_to_a_case(request: pytest.FixtureRequest) -> None:
    assert_no_orphans(FOLDER, [golden_path(case, view) for case in CASES for view in views(case)], request)


def test_every_view_is_shown_by_some_case() -> None:
    assert set(VIEWS) == {view for case in CASES for view in views(case)}


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_the_order_of_keys_does_not_matter(case: Path) -> None:
    shuffled = yaml.safe_dump(shuffle(parse_yaml(case.read_text())[0].data, random.Random(case.name)), sort_keys=False)
    assert resources(shuffled) == resources(case.read_text())


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_no_secret_is_rendered(case: Path) -> None:
    made = resources(case.read_text())
    assert not any("key-of-" in render_view(made, view) for view in VIEWS)


def shuffle(value: Any, dice: random.Random) -> Any:
    """Reorder the keys of mappings, and the entries of lists whose order means nothing."""
    if not isinstance(value, dict):
        return [shuffle(item, dice) for item in value] if isinstance(value, list) else value
    keys = dice.sample(sorted(value), len(value))
    return {key: unordered(key, shuffle(value[key], dice), dice) for key in keys}


def unordered(key: str, value: Any, dice: random.Random) -> Any:
    """Shuffle lists of named things; the agents of a listener and filter chains are ordered."""
    is_named = key in {"filters", "model_providers"} or (key == "agents" and all("url" in item for item in value))
    return dice.sample(value, len(value)) if is_named else value
