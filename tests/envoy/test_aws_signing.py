"""Amazon Bedrock by signature: a real Envoy signs, and a stand-in refuses what AWS would."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from tests.kit.aws_signature import wrong_with
from tests.kit.llm_provider import Provider
from tests.kit.model_world import ModelWorld, model_world
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-aws-signing")]

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
BEDROCK = f"amazon_bedrock/{HAIKU}"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"
CONFIG = f"""
version: v0.4.0
model_providers:
  - model: {BEDROCK}
    base_url: http://127.0.0.1:{{amazon_bedrock}}
    aws: {{{{region: eu-west-1}}}}
  - model: amazon_bedrock/*
    base_url: http://127.0.0.1:{{amazon_bedrock}}
    aws: {{{{region: eu-west-1, profile: work}}}}
listeners:
  - {{{{type: model, name: models, address: 127.0.0.1, port: {{port}}, timeout: 10s, max_retries: 0}}}}
"""
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "c2VjcmV0+/env", "AWS_SESSION_TOKEN": "token/env=="}
PROFILES = """
[default]
aws_access_key_id = AKIDOTHER
aws_secret_access_key = other

[work]
aws_access_key_id = AKIDWORK
aws_secret_access_key = s3cr3t/work
"""
CREDENTIALS = {HAIKU: ("AKIDENV", "c2VjcmV0+/env"), "": ("AKIDWORK", "s3cr3t/work")}


def _profiles(folder: Path) -> Path:
    file = folder / "credentials"
    file.write_text(PROFILES)
    return file


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ModelWorld]:
    file = _profiles(tmp_path_factory.mktemp("aws"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **ENVIRONMENT,
            "AWS_SHARED_CREDENTIALS_FILE": str(file),
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patch.setenv(name, value)
        async with model_world(CONFIG, (BEDROCK,)) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    shared.reset().providers[BEDROCK].behaves = strictly
    return shared


async def strictly(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
    """Answer like Bedrock what is signed as it must be, and refuse anything else."""
    key_id, secret = CREDENTIALS.get(HAIKU if "haiku" in request.path else "", ("", ""))
    wrong = wrong_with(request, key_id=key_id, secret=secret, region="eu-west-1", service="bedrock")
    if wrong:
        return Answer(403, orjson.dumps({"message": wrong}), {"x-amzn-errortype": "InvalidSignatureException"})
    return await Provider()(request, writer)


async def ask(world: ModelWorld, model: str, **more: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50, **more}
    headers = {"authorization": "Bearer sk-mine", "x-amz-security-token": "mine"}
    return await world.gateway.http.post(f"{world.url}/v1/messages", json=body, headers=headers)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [BEDROCK, f"amazon_bedrock/{ARN}", "amazon_bedrock/meta.llama4:0"])
async def test_requests_are_signed_as_aws_wants(world: ModelWorld, model: str, *, stream: bool) -> None:
    answer = await ask(world, model, stream=stream)
    assert answer.status_code == 200, answer.text
    assert "rains." in answer.text
    [request] = world.providers[BEDROCK].received
    assert request.headers.get("x-amz-security-token") == (ENVIRONMENT["AWS_SESSION_TOKEN"] if model == BEDROCK else None)


async def test_a_large_body_is_signed_as_a_whole(world: ModelWorld) -> None:
    answer = await ask(world, BEDROCK, system="é" * 2_000_000)
    assert answer.status_code == 200, answer.text


async def test_no_dump_shows_a_secret(world: ModelWorld) -> None:
    dump = (await world.gateway.envoy.admin.get("/config_dump?include_eds")).text
    assert "aws_request_signing" in dump
    for secret in ("c2VjcmV0", "token/env", "s3cr3t", "AKID"):
        assert secret not in dump
    assert "s3cr3t" not in world.gateway.envoy.log.read_text()


async def test_a_body_that_changes_on_the_way_is_refused(world: ModelWorld) -> None:
    """The stand-in is no stub: it refuses what AWS would."""
    await ask(world, BEDROCK)
    [request] = world.providers[BEDROCK].received
    credentials = {"key_id": "AKIDENV", "secret": "c2VjcmV0+/env", "region": "eu-west-1", "service": "bedrock"}
    assert wrong_with(request, **credentials) == ""
    for other in (
        replace(request, body=request.body + b" "),
        replace(request, path=request.path.replace("%3A", ":")),
        replace(request, headers={**request.headers, "host": "elsewhere"}),
        replace(request, headers={**request.headers, "x-amz-security-token": "mine"}),
    ):
        assert wrong_with(other, **credentials) == "the signature is another"
    assert wrong_with(request, **credentials | {"region": "us-east-1"})
