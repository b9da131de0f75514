import stat
from dataclasses import replace
from pathlib import Path

import pytest

from control_plane.errors import Problem
from control_plane.status import ClientStatus, ConfigState, ServedListener, Status, read_status, write_status

STATUS = Status(
    config_file="plano_config.yaml",
    state=ConfigState.REJECTED,
    version="a",
    tried_version="b",
    loaded_at="2026-01-01T00:00:00+00:00",
    published_at="2026-01-01T00:00:00+00:00",
    problems=(Problem(path="agents[0].url", code="no-scheme", message="has no scheme", line=3, file="plano_config.yaml"),),
    listeners=(ServedListener(name="travel", kind="agent", address="0.0.0.0", port=8001, serves=("weather",)),),
    clients=(ClientStatus(node_id="envoy-1", role="envoy", acked={"cds": "a"}, refused={"lds": "no"}),),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_status(STATUS, tmp_path / "status.json")
    assert read_status(tmp_path / "status.json") == STATUS


def test_it_is_replaced_as_a_whole_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "status.json"
    write_status(STATUS, file)
    with file.open("rb") as old:
        write_status(replace(STATUS, version="c"), file)
        assert b'"version": "a"' in old.read()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "status.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_status(STATUS, tmp_path / "status.json")
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"state": "odd"}'])
def test_what_is_not_a_status_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "status.json").write_bytes(content)
    assert read_status(tmp_path / "status.json") is None


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read_status(tmp_path / "status.json") is None
