"""docker-compose.yaml against the Compose specification."""

import copy
from typing import Any

import jsonschema
import pytest

from tests.deployment.compose import compose, schema


def problems(document: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema()).iter_errors(document)]


def test_the_file_follows_the_specification() -> None:
    assert problems(compose()) == []


@pytest.mark.parametrize(
    ("service", "field", "value"),
    [
        ("envoy", "port", ["8001:8001"]),
        ("envoy", "healthcheck", {"command": "true"}),
        ("ext-proc", "depends_on", {"control-plane": {"condition": "healthy"}}),
        ("ext-proc", "command", 7),
    ],
)
def test_the_schema_notices_mistakes(service: str, field: str, value: object) -> None:
    broken = copy.deepcopy(compose())
    broken["services"][service][field] = value
    assert problems(broken)
