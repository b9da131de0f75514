"""deploy/prometheus.yaml against the services that it scrapes."""

from typing import Any

import yaml

from tests.deployment.compose import ROOT, bootstrap, options, port, service


def jobs() -> dict[str, dict[str, Any]]:
    config = yaml.safe_load((ROOT / "deploy/prometheus.yaml").read_text(encoding="utf-8"))
    return {job["job_name"]: job for job in config["scrape_configs"]}


def target(job: str) -> str:
    (group,) = jobs()[job]["static_configs"]
    (found,) = group["targets"]
    return str(found)


def test_the_python_parts_are_scraped_where_they_serve() -> None:
    assert jobs().keys() == {"envoy", "ext_proc", "control_plane"}
    assert target("ext_proc") == f"ext-proc:{port(options('ext-proc')['metrics'])}"
    assert target("control_plane") == f"control-plane:{port(options('control-plane')['metrics'])}"


def test_envoy_is_scraped_on_its_stats_listener() -> None:
    (stats,) = bootstrap()["static_resources"]["listeners"]
    assert target("envoy") == f"envoy:{stats['address']['socket_address']['port_value']}"
    assert stats["address"]["socket_address"]["address"] == service("envoy")["networks"]["monitoring"]["ipv4_address"]
    assert jobs()["envoy"]["metrics_path"] == "/stats/prometheus"
    assert "'path_separated_prefix': '/stats'" in str(stats)


def test_prometheus_reads_the_file_that_is_mounted() -> None:
    source, target_path, _ = service("prometheus")["volumes"][0].split(":")
    assert (ROOT / source) == ROOT / "deploy/prometheus.yaml"
    assert f"--config.file={target_path}" in service("prometheus")["command"]
