"""`plano dump`: what would be served, view by view, as YAML without secrets."""

from pathlib import Path

import pytest
import yaml

from control_plane.xds.views import VIEWS
from tests.cli.test_check import GOOD, KEY, plano


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "plano_config.yaml"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_each_view_is_yaml(config: Path, view: str) -> None:
    result = plano("dump", config, "--view", view)
    assert result.exit_code == 0, result.stderr
    assert all(isinstance(document, dict) for document in yaml.safe_load_all(result.stdout))
    assert KEY not in result.output


def test_clusters(config: Path) -> None:
    documents = list(yaml.safe_load_all(plano("dump", config, "--view", "clusters").stdout))
    names = [document["name"] for document in documents]
    assert {"agent/weather", "model/openai/gpt-4o"} <= set(names)
    assert names == sorted(names)


def test_all_views(config: Path) -> None:
    output = plano("dump", config).stdout
    assert [line for line in output.splitlines() if line.startswith("# ")] == [f"# {view}" for view in VIEWS]
    documents = [plano("dump", config, "--view", view).stdout for view in VIEWS]
    assert list(yaml.safe_load_all(output)) == [document for text in documents for document in yaml.safe_load_all(text)]
    assert KEY not in output
    assert "[redacted]" in output


def test_problems_go_to_stderr(config: Path) -> None:
    config.write_text(GOOD.replace("      - id: weather", "      - id: wether"))
    result = plano("dump", config)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "[unknown-agent]" in result.stderr


def test_an_unknown_view(config: Path) -> None:
    assert plano("dump", config, "--view", "everything").exit_code == 2
