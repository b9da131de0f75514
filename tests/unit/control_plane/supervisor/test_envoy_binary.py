"""Envoy comes with the package, or is named."""

from pathlib import Path

import pytest

from control_plane.supervisor.envoy_binary import envoy_binary
from control_plane.supervisor.errors import CannotStart


def test_the_binary_that_comes_with_the_package() -> None:
    assert envoy_binary({}).name == "envoy"


def test_another_binary(tmp_path: Path) -> None:
    other = tmp_path / "envoy-other"
    other.touch(mode=0o755)
    assert envoy_binary({"PLANO_ENVOY": str(other)}) == other
    other.chmod(0o644)
    with pytest.raises(CannotStart, match="PLANO_ENVOY"):
        envoy_binary({"PLANO_ENVOY": str(other)})
