from pathlib import Path
from typing import Any

import pytest
import yaml

from control_plane.xds.bootstrap import build_bootstrap, render_bootstrap
from tests.kit import envoy

LOCAL: dict[str, Any] = {
    "node_id": "n",
    "xds": "unix:///r/xds.sock",
    "ext_proc": ["unix:///r/0", "unix:///r/1"],
    "admin": "127.0.0.1:9901",
}
CONTAINER: dict[str, Any] = {
    "node_id": "y",
    "xds": "control-plane:15010",
    "ext_proc": ["ext-proc:50051"],
    "admin": "127.0.0.1:9901",
    "stats": "0.0.0.0:9902",
}


def rendered(arguments: dict[str, Any]) -> dict[str, Any]:
    plain = yaml.safe_load(render_bootstrap(build_bootstrap(**arguments)))
    static = plain["static_resources"]
    assert isinstance(static, dict)
    return static


@pytest.mark.parametrize("arguments", [LOCAL, CONTAINER], ids=["local", "container"])
def test_envoy_accepts_it_without_a_word_about_deprecation(tmp_path: Path, arguments: dict[str, Any]) -> None:
    config = tmp_path / "bootstrap.yaml"
    config.write_text(render_bootstrap(build_bootstrap(**arguments)))
    envoy.validate_file(config)


def test_each_worker_is_an_endpoint() -> None:
    ext_proc = next(cluster for cluster in rendered(LOCAL)["clusters"] if cluster["name"] == "ext_proc")
    (locality,) = ext_proc["load_assignment"]["endpoints"]
    assert [entry["endpoint"]["address"]["pipe"]["path"] for entry in locality["lb_endpoints"]] == ["/r/0", "/r/1"]


def test_names_are_resolved_and_addresses_are_not() -> None:
    assert [rendered(arguments)["clusters"][0]["type"] for arguments in (LOCAL, CONTAINER)] == ["STATIC", "STRICT_DNS"]


def test_the_statistics_are_served_only_if_asked_for() -> None:
    assert "listeners" not in rendered(LOCAL)
    (listener,) = rendered(CONTAINER)["listeners"]
    (host,) = listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"]
    assert [route["match"]["path_separated_prefix"] for route in host["routes"]] == ["/stats"]
