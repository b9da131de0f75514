"""deploy/prometheus and deploy/grafana against the services that they read."""

import re
from typing import Any

import yaml

from tests.deployment.compose import ROOT, bootstrap, options, port, service
from tests.deployment.queries import alerts, dashboard, defects


def jobs() -> dict[str, dict[str, Any]]:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text(encoding="utf-8"))
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
    assert (ROOT / source) == ROOT / "deploy/prometheus"
    assert f"--config.file={target_path}/prometheus.yaml" in service("prometheus")["command"]
    config = yaml.safe_load((ROOT / source / "prometheus.yaml").read_text(encoding="utf-8"))
    assert [(ROOT / source / name).is_file() for name in config["rule_files"]] == [True]


def test_grafana_reads_from_services_that_it_reaches() -> None:
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/datasources/datasources.yaml").read_text(encoding="utf-8"))
    reached = {name for name in ("prometheus", "jaeger") if "dashboards" in service(name)["networks"]}
    assert {found["uid"]: found["url"] for found in provisioned["datasources"]} == {
        name: f"http://{name}:{port(service(name)['ports'][0])}" for name in reached
    }


def test_grafana_shows_the_folder_that_is_mounted() -> None:
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/dashboards/dashboards.yaml").read_text(encoding="utf-8"))
    mounted = service("grafana")["environment"]["GF_PATHS_PROVISIONING"]
    assert [provider["options"]["path"] for provider in provisioned["providers"]] == [f"{mounted}/dashboards"]
    home = service("grafana")["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].removeprefix(mounted)
    assert (ROOT / f"deploy/grafana{home}").is_file()


def test_alerts_are_documented_and_say_what_is_wrong() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (Plano[\w, ]+) \| (critical|warning) \|", text, re.MULTILINE)
    documented = {name: severity for names, severity in rows for name in names.split(", ")}
    assert {rule["alert"]: rule["labels"]["severity"] for rule in alerts()} == documented
    assert all(rule["annotations"]["summary"] for rule in alerts())


def test_panels_read_from_prometheus_and_have_an_id_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"} == {"prometheus"}


def test_what_queries_need_is_noticed() -> None:
    served = {"a_total": [{"job": "x", "kind": "input"}]}
    assert defects('sum by (kind) (rate(a_total{kind="input"}[5m])) > 1', served, {"x"}) == []
    assert defects("b_total", served, {"x"}) == ["b_total is not served"]
    assert defects('a_total{kind="output"}', served, {"x"}) == ['no a_total has kind="output"']
    assert defects("sum by (knd) (a_total)", served, {"x"}) == ["nothing in sum by (knd) (a_total) has the label knd"]
