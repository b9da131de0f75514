"""Requests, answers, errors and streams of every pair, against files that can be read and reviewed."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from control_plane.config.providers import find_provider, quirk_rules
from control_plane.config.quirks import API_RULES, MODEL_RULES
from ext_proc.errors import UnsupportedFeature
from ext_proc.translate.origins import parse_path
from ext_proc.translate.registry import PAIRS, translation
from ext_proc.translate.translation import Exchange
from protos.contract.quirks import Quirks, Rule, resolve
from tests.kit.converse_rules import converse_problems
from tests.kit.event_stream import encode_events
from tests.kit.golden import assert_golden, assert_no_orphans, golden_id, golden_inputs, golden_path
from tests.kit.translation_features import ASPECTS, ROOT, missing

STREAM_REQUEST = {"model": "m", "stream": True, "stream_options": {"include_usage": True}}


def inputs(aspect: str) -> list[Any]:
    folders = sorted((ROOT / aspect).iterdir()) if (ROOT / aspect).exists() else []
    return [pytest.param(path, id=f"{path.parent.name}/{golden_id(path)}") for f in folders for path in golden_inputs(f)]


def exchange_of(source: Path, default: dict[str, Any]) -> Exchange:
    sidecar = source.with_name(f"{golden_id(source)}.request.json")
    request = orjson.loads(sidecar.read_bytes()) if sidecar.exists() else default
    return Exchange(request=request, id="0" * 32, created=1_700_000_000, upstream_model="upstream-model")


def pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"


def apis_of(source: Path) -> tuple[str, str]:
    client, upstream = source.parent.name.split("_over_")
    return client, upstream


def quirks_of(provider: str, model: str, api: str, overrides: dict[str, Any]) -> Quirks:
    """Return what the catalogue says of a model at a provider, "" for one that it does not know, and what a case overrides."""
    known = find_provider(provider)
    rules = quirk_rules(known) if known else (*API_RULES, *MODEL_RULES)
    return resolve((*rules, Rule(quirks=overrides)), model, api)


@pytest.mark.parametrize("source", inputs("requests"))
def test_request(source: Path, request: pytest.FixtureRequest) -> None:
    given = orjson.loads(source.read_bytes())
    model, betas = given.pop("$model", "upstream-model"), tuple(given.pop("$betas", ()))
    quirks = quirks_of(given.pop("$provider", ""), model, apis_of(source)[1], given.pop("$quirks", {}))
    exchange = Exchange(request=given, id="0" * 32, created=1_700_000_000, quirks=quirks, betas=betas)
    before = orjson.dumps(given)
    try:
        body = translation(*apis_of(source), exchange).request(upstream_model=model)
        if exchange.warnings:
            body = {"$warnings": exchange.warnings, **body}
    except UnsupportedFeature as error:
        body = {"unsupported": error.param, "message": error.public_message}
        assert_names_a_field(given, error.param or "")
    assert orjson.dumps(given) == before
    assert_golden(golden_path(source, "upstream", "json"), pretty(body), request)


def assert_names_a_field(given: Any, param: str) -> None:
    steps, node = parse_path(param), given
    for step in steps if len(steps) > 1 else ():  # A field may be refused because it is missing.
        assert step in node if isinstance(step, str) else step < len(node), f"{param} is not in the client's request"
        node = node[step]


OVER_CONVERSE = [source for source in inputs("requests") if apis_of(source.values[0])[1] == "converse"]


@pytest.mark.parametrize("source", OVER_CONVERSE)
def test_bedrock_would_accept_what_it_is_sent(source: Path) -> None:
    sent = orjson.loads(golden_path(source, "upstream", "json").read_bytes())
    sent.pop("$warnings", None)
    assert "unsupported" in sent or list(converse_problems(sent)) == []


@pytest.mark.parametrize("source", inputs("responses"))
def test_response(source: Path, request: pytest.FixtureRequest) -> None:
    given = orjson.loads(source.read_bytes())
    before = orjson.dumps(given)
    translated = translation(*apis_of(source), exchange_of(source, {"model": "m"})).response(given)
    assert orjson.dumps(given) == before
    assert_golden(golden_path(source, "client", "json"), pretty(translated.body), request)


@pytest.mark.parametrize("source", inputs("errors"))
def test_error(source: Path, request: pytest.FixtureRequest) -> None:
    given = orjson.loads(source.read_bytes())
    body = given["body"]
    raw = body.encode() if isinstance(body, str) else orjson.dumps(body)
    translated = translation(*apis_of(source), exchange_of(source, {})).error(given["status"], raw, code=given.get("code", ""))
    assert_golden(golden_path(source, "client", "json"), pretty(orjson.loads(translated)), request)


def stream_of(source: Path) -> bytes:
    """Read a stream: as it is, or, if its messages are binary, from one JSON object for each."""
    data = source.read_bytes()
    return encode_events(map(orjson.loads, data.splitlines())) if source.suffix == ".jsonl" else data


@pytest.mark.parametrize("source", inputs("streams"))
def test_stream(source: Path, request: pytest.FixtureRequest) -> None:
    stream = translation(*apis_of(source), exchange_of(source, STREAM_REQUEST)).stream()
    out = stream.feed(stream_of(source)) + stream.finish()
    assert_golden(golden_path(source, "client", "sse"), out.decode(), request)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_no_orphans(aspect: str, request: pytest.FixtureRequest) -> None:
    for folder in (ROOT / aspect).iterdir():
        extension = "sse" if aspect == "streams" else "json"
        expected = [golden_path(source, ASPECTS[aspect], extension) for source in golden_inputs(folder)]
        assert_no_orphans(folder, expected, request)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_every_folder_of_goldens_is_a_pairs(aspect: str) -> None:
    names = {folder.name for folder in (ROOT / aspect).iterdir() if golden_inputs(folder)}
    assert names == {f"{client}_over_{upstream}" for client, upstream in PAIRS}


@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_every_pair_has_goldens_of_everything_that_matters(pair: tuple[str, str]) -> None:
    assert missing(pair) == []
