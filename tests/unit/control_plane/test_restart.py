"""What a running gateway keeps is never changed in silence."""

from pathlib import Path

import pytest

from control_plane.app import FileCompiler
from control_plane.config.model import Overrides
from control_plane.reading import EXAMPLE_RUNTIME
from control_plane.restart import restart_warnings

CONFIG = """\
version: v0.4.0
agents: [{id: weather, url: "http://127.0.0.1:10510"}]
listeners: [{type: agent, name: travel, port: 8001, agents: [{id: weather, description: Tells the weather.}]}]
"""


@pytest.mark.parametrize("field", ["admin_port", "control_plane_metrics_port", "metrics_port"])
def test_each_of_these_ports_waits_for_a_restart(field: str) -> None:
    changed = Overrides.model_validate({field: 19999})
    (warning,) = restart_warnings(Overrides.model_validate({}), changed, file="plano_config.yaml")
    assert (warning.path, warning.code) == (f"overrides.{field}", "needs-restart")
    assert "19999" in warning.message


def test_limits_of_processes_wait_for_a_restart() -> None:
    changed = Overrides.model_validate({"limits": {"max_memory_bytes": 1 << 28}})
    (warning,) = restart_warnings(Overrides.model_validate({}), changed, file="plano_config.yaml")
    assert warning.path == "overrides.limits.max_memory_bytes"


def test_a_changed_file_says_what_it_cannot_change(tmp_path: Path) -> None:
    file, compiler = tmp_path / "plano_config.yaml", FileCompiler(EXAMPLE_RUNTIME)
    file.write_text(CONFIG)
    assert compiler.compile(file).warnings == ()
    file.write_text(f"{CONFIG}overrides: {{metrics_port: 19092}}\n")
    assert [warning.message for warning in compiler.compile(file).warnings] == [
        "is 19092 from the next `plano up` on; until then it stays 9092"
    ]
    file.write_text(CONFIG)
    assert compiler.compile(file).warnings == ()
