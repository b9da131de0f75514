"""Envoy's bootstrap lies in the run dir, for us alone, and names one endpoint for each worker."""

import stat
from pathlib import Path

import pytest
import yaml

from control_plane import ir
from control_plane.supervisor.bootstrap import envoy_binary, write_bootstrap
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.run_dir import RunDir


def test_bootstrap(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path, Path("/tmp/plano-x"))
    write_bootstrap(run_dir, ir.Limits(max_connections=77), workers=2, stats="127.0.0.1:9999", max_memory_bytes=1 << 28)
    assert stat.S_IMODE(run_dir.bootstrap.stat().st_mode) == 0o600
    text = run_dir.bootstrap.read_text()
    clusters = {cluster["name"]: cluster for cluster in yaml.safe_load(text)["static_resources"]["clusters"]}
    (locality,) = clusters["ext_proc"]["load_assignment"]["endpoints"]
    paths = [endpoint["endpoint"]["address"]["pipe"]["path"] for endpoint in locality["lb_endpoints"]]
    assert paths == ["/tmp/plano-x/ext_proc-0.sock", "/tmp/plano-x/ext_proc-1.sock"]
    bootstrap = yaml.safe_load(text)
    assert bootstrap["admin"]["address"] == {"pipe": {"path": "/tmp/plano-x/admin.sock"}}
    assert "max_active_downstream_connections: '77'" in text
    assert "max_heap_size_bytes: '268435456'" in text
    (stats,) = bootstrap["static_resources"]["listeners"]
    assert stats["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 9999}


def test_the_binary_that_comes_with_the_package() -> None:
    assert envoy_binary({}).name == "envoy"


def test_another_binary(tmp_path: Path) -> None:
    other = tmp_path / "envoy-other"
    other.touch(mode=0o755)
    assert envoy_binary({"PLANO_ENVOY": str(other)}) == other
    other.chmod(0o644)
    with pytest.raises(CannotStart, match="PLANO_ENVOY"):
        envoy_binary({"PLANO_ENVOY": str(other)})
