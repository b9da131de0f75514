"""The queries of the Grafana dashboards and Prometheus alerts, and what they need of a gateway's metrics."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import promql_parser as promql
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.deployment.compose import ROOT

Served = Mapping[str, Sequence[Mapping[str, str]]]
"""Name of a sample -> labels of each of its series, as Prometheus would have them."""
_VARIABLES = {"$__rate_interval": "5m", "$listener": "listener/.*"}
_ADDED = {"job", "instance"}
"""Labels that Prometheus adds to what it scrapes."""


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    loaded: dict[str, Any] = json.loads((ROOT / "deploy/grafana/dashboards/plano.json").read_text(encoding="utf-8"))
    return loaded


def alerts() -> list[dict[str, Any]]:
    """Return the alerting rules of all groups."""
    loaded = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def queries() -> list[tuple[str, set[str]]]:
    """Return each query, and the labels that its legend or its summary shows."""
    targets = [target for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    variables = dashboard()["templating"]["list"]
    shown = [(target["expr"], set(re.findall(r"{{(\w+)}}", target["legendFormat"]))) for target in targets]
    shown += [(rule["expr"], set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))) for rule in alerts()]
    listed = [re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]) for variable in variables]
    return shown + [(found[1], {found[2]}) for found in listed if found]


def read(*texts: str) -> dict[str, list[dict[str, str]]]:
    """Parse what the parts of a gateway serve."""
    served: dict[str, list[dict[str, str]]] = {}
    for text in texts:
        # With its type, the parser would name a counter as OpenMetrics does and Prometheus does not.
        for family in text_string_to_metric_families(re.sub(r"^# TYPE .*\n", "", text, flags=re.MULTILINE)):
            for sample in family.samples:
                served.setdefault(sample.name, []).append(dict(sample.labels))
    return served


def names(query: str) -> set[str]:
    """Return the names of the metrics that a query reads."""
    return {node.name or "" for node in _nodes(_parse(query)) if isinstance(node, promql.VectorSelector)}


def defects(query: str, served: Served, jobs: Collection[str], shown: Collection[str] = ()) -> list[str]:
    """Return what a query reads, groups by or shows that no series has.

    Raises:
        ValueError: The query is no PromQL.
    """
    served = {**served, "up": [{"job": job} for job in jobs]}
    tree = _parse(query)
    found = [defect for node in _nodes(tree) for defect in _node_defects(node, served)]
    return found + [f"{query} does not give {label}" for label in sorted(set(shown) - _given(tree, served))]


def _parse(query: str) -> promql.Expr:
    for variable, value in _VARIABLES.items():
        query = query.replace(variable, value)
    parsed: promql.Expr = promql.parse(query)
    return parsed


def _nodes(tree: promql.Expr) -> list[promql.Expr]:
    nodes: list[promql.Expr] = []
    promql.walk(tree, nodes.append)
    return nodes


def _node_defects(node: promql.Expr, served: Served) -> Iterator[str]:
    if isinstance(node, promql.VectorSelector):
        series = served.get(node.name or "", ())
        if not series:
            yield f"{node.name} is not served"
        elif not any(all(_matches(matcher, labels) for matcher in node.matchers.matchers) for labels in series):
            yield f"no {node.name} has {', '.join(map(str, node.matchers.matchers))}"
    elif isinstance(node, promql.AggregateExpr) and node.modifier:
        for label in sorted(set(node.modifier.labels) - _labels(node, served)):
            yield f"nothing in {node.prettify()} has the label {label}"


def _matches(matcher: promql.Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        return (value == matcher.value) is (matcher.op == promql.MatchOp.Equal)
    return bool(re.fullmatch(matcher.value, value)) is (matcher.op == promql.MatchOp.Re)


def _labels(tree: promql.Expr, served: Served) -> set[str]:
    return _ADDED | {label for node in _nodes(tree) for labels in _series(node, served) for label in labels}


def _series(node: promql.Expr, served: Served) -> Sequence[Mapping[str, str]]:
    return served.get(node.name or "", ()) if isinstance(node, promql.VectorSelector) else ()


def _given(tree: promql.Expr, served: Served) -> set[str]:
    """Return the labels of a query's result: those of its outermost aggregations, else those of its series."""
    grouped = [node.modifier for node in _nodes(tree) if isinstance(node, promql.AggregateExpr)]
    if grouped:
        return {label for modifier in grouped if modifier for label in modifier.labels}
    return _labels(tree, served)
