"""Envoy's bootstrap lies in the run dir, for us alone, and names one endpoint for each worker."""

import stat
from pathlib import Path

import yaml

from control_plane import ir
from control_plane.bootstrap import BootstrapSettings, write_bootstrap
from control_plane.config.model import Overrides


def test_bootstrap(tmp_path: Path) -> None:
    settings = BootstrapSettings(
        file=tmp_path / "bootstrap.yaml",
        xds="unix:///tmp/plano-x/xds.sock",
        admin="unix:///tmp/plano-x/admin.sock",
        ext_proc="unix:///tmp/plano-x/ext_proc-{worker}.sock",
        workers=2,
    )
    overrides = Overrides.model_validate({"admin_port": 9999, "limits": {"max_memory_bytes": 1 << 28}})
    write_bootstrap(settings, ir.Limits(max_connections=77), overrides)
    assert stat.S_IMODE(settings.file.stat().st_mode) == 0o600
    text = settings.file.read_text()
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
    write_bootstrap(settings, ir.Limits(max_connections=1), overrides)
    assert settings.file.read_text() == text, "Envoy runs with it"
