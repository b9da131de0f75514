"""The `.env` beside a configuration."""

from pathlib import Path

import pytest

from control_plane.config import environment
from control_plane.errors import ConfigError


def test_the_process_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nexport B='from file'\nC=$A\nEMPTY=\nBARE\n", encoding="utf-8")
    merged = environment(tmp_path / "plano_config.yaml", {"A": "process", "D": "4"})
    assert merged == {"A": "process", "B": "from file", "C": "$A", "D": "4", "EMPTY": ""}


def test_without_a_file(tmp_path: Path) -> None:
    assert environment(tmp_path / "plano_config.yaml", {"A": "1"}) == {"A": "1"}


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(ConfigError) as caught:
        environment(tmp_path / "plano_config.yaml", {})
    assert caught.value.problems[0].code == "unreadable-env-file"
