"""Configuration -> Envoy: one feature per case, in the views that its first line names.

A resource that resembles an earlier one, or one of the case after `like`, is shown by its differences (see
`tests.kit.folded_yaml`).

`make golden` rewrites the files; a change in them is a change of a public contract, to be reviewed as one.
"""

import random
import re
from copy import deepcopy
from functools import cache
from itertools import filterfalse
from pathlib import Path
from typing import Any

import pytest
import yaml

from control_plane.config import load
from control_plane.config.source.yaml_source import parse_yaml
from control_plane.gateway import Runtime, build_gateway
from control_plane.xds import translate
from control_plane.xds.resources import Resources
from control_plane.xds.views import VIEWS, render_view
from protos.contract.headers import CREDENTIAL_HEADERS
from tests.kit.folded_yaml import documents, fold_documents
from tests.kit.golden import assert_golden, assert_no_orphans, golden_id, golden_inputs, golden_path

FOLDER = Path(__file__).parent / "config"
CASES = golden_inputs(FOLDER)
RUNTIME = Runtime(egress_address="unix:///run/egress.sock", egress_url="unix:///run/egress.sock", access_log_path="/dev/stdout")
ENVIRONMENT = {f"{name}_API_KEY": f"key-of-{name.lower()}" for name in ("OPENAI", "ANTHROPIC", "GROQ", "GEMINI", "ZHIPU")}
ENVIRONMENT |= {f"{name}_API_KEY": f"key-of-{name.lower()}" for name in ("AZURE", "QWEN", "ACME")}
ENVIRONMENT["AWS_BEARER_TOKEN_BEDROCK"] = "key-of-aws"

MOST_LINES = 400
USUAL_BASES = {"listeners": "two-agents", "clusters": "provider-openai", "routes": "provider-openai"}
"""View -> the case that shows what most cases have."""

REPLIES = "replies-of-envoy"
"""The case that shows local replies."""
STATISTICS = "statistics-of-answers"
"""The case that shows the access loggers that count answers."""

UNDECIDED = "requests-without-decision"
"""The case that shows the routes of requests without a decision."""

CREDENTIALS = re.compile(r"( *)- " + r"\n *- ".join(map(re.escape, CREDENTIAL_HEADERS)) + r"\n")
"""The list in each route that keeps a client's credentials from its upstream."""
OWN_HEADERS = re.compile(r"( *)- x-plano-agent\n *- x-plano-model\n(?: *- x-[a-z-]+\n)+")
"""The list in each route table that keeps upstreams from sending the gateway's own response headers."""
OWN_HEADERS_CASE = "two-agents"
"""The case that shows it."""


def resources(text: str) -> Resources:
    return translate(build_gateway(load(text, env=ENVIRONMENT).config, runtime=RUNTIME))


def first_line(case: Path) -> tuple[dict[str, str], str]:
    """Return the views of a case, each with the resource that is shown (empty for all), and the case that it is like."""
    shown, _, like = case.read_text().splitlines()[0].removeprefix("# views: ").partition("; like ")
    return dict(re.findall(r"([a-z]+)(?: of ([^,]+))?", shown)), like


def views(case: Path) -> list[str]:
    return [*first_line(case)[0]]


def show(case: Path, view: str) -> str:
    """Render what a view of a case differs in from what was shown before."""
    like = first_line(case)[1] or USUAL_BASES.get(view, "")
    shown = seen(case, view)
    if not like or like == golden_id(case):
        return fold_documents(shown)
    return f"# like {like}:\n{fold_documents(shown, base=seen(FOLDER / f'{like}.in.yaml', view))}"


def seen(case: Path, view: str) -> list[Any]:
    """Return what is shown of a view, before folding."""
    shown = render(case, view)
    return list(shown) if view != "routes" or golden_id(case) == UNDECIDED else [*map(without_undecided, shown)]


@cache
def render(case: Path, view: str) -> tuple[Any, ...]:
    made = resources(case.read_text())
    text = render_view(made, view).replace(made.version, "<hash of the rest>")
    text = CREDENTIALS.sub(r"\1- <credentials of clients>\n", text)
    if golden_id(case) != OWN_HEADERS_CASE:
        text = OWN_HEADERS.sub(r"\1- <the gateway's own headers>\n", text)
    only = first_line(case)[0].get(view, "")
    shown = [document for document in documents(text) if only in ("", document.get("name"))]
    return tuple(
        map({REPLIES: replies, STATISTICS: statistics}.get(golden_id(case), without_common), shown)
        if view == "listeners"
        else shown
    )


def manager(listener: Any) -> dict[str, Any]:
    """Return the HTTP connection manager of a listener; empty if it has none."""
    config = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    return config if "http_filters" in config else {}


def replies(listener: Any) -> Any:
    """Show only the local replies."""
    return manager(listener)["local_reply_config"]


def without_undecided(table: Any) -> Any:
    """Omit the routes of requests without a decision, which most model listeners share."""
    table = deepcopy(table)
    for host in table["virtual_hosts"]:
        undecided = host["matcher"]["on_no_match"].get("matcher", {})
        if "(passed)" in str(undecided.get("matcher_list")):
            undecided["matcher_list"] = {"see": UNDECIDED}
    return table


def statistics(listener: Any) -> Any:
    """Show only the access loggers that count answers."""
    return [logger for logger in manager(listener)["access_log"] if is_statistics(logger)]


def is_statistics(logger: Any) -> bool:
    return "access_loggers.stats" in logger["typed_config"]["@type"]


def without_common(listener: Any) -> Any:
    """Omit the local replies and the statistics, which all listeners of clients share."""
    config = manager(listener)
    if config.get("local_reply_config"):
        config["local_reply_config"] = f"<see {REPLIES}>" if listener["traffic_direction"] == "INBOUND" else "<internal>"
    if any(map(is_statistics, config.get("access_log", ()))):
        config["access_log"] = [*filterfalse(is_statistics, config["access_log"]), f"<see {STATISTICS}>"]
    return listener


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_a_configuration_becomes_these_resources(case: Path, request: pytest.FixtureRequest) -> None:
    for view in views(case):
        shown = show(case, view)
        assert shown.count("\n") <= MOST_LINES, "too long to be read: show less in this case"
        assert_golden(golden_path(case, view), shown, request)


def test_every_golden_file_belongs_to_a_case(request: pytest.FixtureRequest) -> None:
    assert_no_orphans(FOLDER, [golden_path(case, view) for case in CASES for view in views(case)], request)


def test_every_view_is_shown_by_some_case() -> None:
    assert set(VIEWS) == {view for case in CASES for view in views(case)}


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_the_order_of_keys_does_not_matter(case: Path) -> None:
    shuffled = yaml.safe_dump(shuffle(parse_yaml(case.read_text())[0].data, random.Random(case.name)), sort_keys=False)
    assert resources(shuffled) == resources(case.read_text())


@pytest.mark.parametrize("case", CASES, ids=golden_id)
def test_no_secret_is_rendered(case: Path) -> None:
    made = resources(case.read_text())
    assert not any("key-of-" in render_view(made, view) for view in VIEWS)


def shuffle(value: Any, dice: random.Random) -> Any:
    """Reorder the keys of mappings, and the entries of lists whose order means nothing."""
    if not isinstance(value, dict):
        return [shuffle(item, dice) for item in value] if isinstance(value, list) else value
    keys = dice.sample(sorted(value), len(value))
    return {key: unordered(key, shuffle(value[key], dice), dice) for key in keys}


def unordered(key: str, value: Any, dice: random.Random) -> Any:
    """Shuffle lists of named things; the agents of a listener and filter chains are ordered."""
    is_named = key in {"filters", "model_providers"} or (key == "agents" and all("url" in item for item in value))
    return dice.sample(value, len(value)) if is_named else value
