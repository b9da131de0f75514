"""Requests that pass to the provider that serves them, behind a real Envoy and by official clients."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx
import openai
import orjson
import pytest
import pytest_asyncio

from tests.kit.model_world import ModelWorld, model_world
from tests.kit.stub_upstream import Answer, Behave, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-passthrough")]

OPENAI, COHERE, AZURE, CLAUDE, GROQ = "openai/gpt-4o", "cohere/rerank", "azure_openai/gpt", "anthropic/claude", "groq/whisper"
CONFIG = """
version: v0.4.0
model_providers:
  - model: openai/gpt-4o
    base_url: "http://127.0.0.1:{openai}"
    access_key: sk-openai
    default: true
    fallbacks: [groq/spare]
  - {{model: openai/*, base_url: "http://127.0.0.1:{openai}", access_key: sk-openai}}
  - {{model: groq/spare, base_url: "http://127.0.0.1:{groq}", access_key: sk-groq}}
  - {{model: groq/*, base_url: "http://127.0.0.1:{groq}", access_key: sk-groq}}
  - {{model: cohere/*, base_url: "http://127.0.0.1:{cohere}", access_key: sk-cohere}}
  - {{model: azure_openai/gpt, base_url: "http://127.0.0.1:{azure_openai}", access_key: sk-azure}}
  - {{model: azure_openai/new, base_url: "http://127.0.0.1:{azure_openai}/openai/v1", access_key: sk-azure}}
  - {{model: anthropic/*, base_url: "http://127.0.0.1:{anthropic}", access_key: sk-claude}}
model_aliases:
  ears: {{target: groq/whisper-large-v3}}
listeners:
  - type: model
    name: models
    address: 127.0.0.1
    port: {port}
    timeout: 10s
    max_retries: 0
    cors: {{allow_origins: ["https://app.example"]}}
"""
SOUND = bytes(range(256)) * 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ModelWorld]:
    async with model_world(CONFIG, (OPENAI, COHERE, AZURE, CLAUDE, GROQ)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    return shared.reset()


def says(answer: object, **headers: str) -> Behave:
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def behave(_request: Received, _writer: object) -> Answer:
        return Answer(200, body, named)

    return behave


def only(world: ModelWorld, model: str) -> Received:
    """Return the request that one provider got, and nobody else any."""
    assert [name for name, provider in world.providers.items() if provider.received] == [model]
    (received,) = world.providers[model].received
    assert "x-plano-model" not in received.headers
    return received


async def send(world: ModelWorld, method: str, path: str, **more: Any) -> httpx.Response:
    return await world.gateway.http.request(method, world.url + path, **more)


async def test_images_are_made_and_edited(world: ModelWorld) -> None:
    world.providers[OPENAI].behaves = says({"created": 1, "data": [{"b64_json": "aGk="}], "usage": {"input_tokens": 3}})
    made = await world.openai.images.generate(model="openai/gpt-image-1", prompt="a cat")
    assert made.data is not None
    assert made.data[0].b64_json == "aGk="
    received = only(world, OPENAI)
    assert (received.path, received.headers["authorization"]) == ("/v1/images/generations", "Bearer sk-openai")
    assert orjson.loads(received.body)["model"] == "gpt-image-1"
    world.providers[OPENAI].received.clear()
    await world.openai.images.edit(model="openai/gpt-image-1", image=("cat.png", SOUND), prompt="a dog")
    received = only(world, OPENAI)
    assert received.path == "/v1/images/edits"
    assert SOUND in received.body
    assert b"\r\n\r\ngpt-image-1\r\n" in received.body
    assert b"openai/" not in received.body


@pytest.mark.parametrize("name", ["groq/whisper-large-v3", "ears"])
async def test_a_recording_is_transcribed_by_the_forms_model(world: ModelWorld, name: str) -> None:
    world.providers[GROQ].behaves = says({"text": "It rains."})
    heard = await world.openai.audio.transcriptions.create(model=name, file=("a.wav", BytesIO(SOUND)))
    assert heard.text == "It rains."
    received = only(world, GROQ)
    assert (received.path, received.headers["authorization"]) == ("/openai/v1/audio/transcriptions", "Bearer sk-groq")
    assert SOUND in received.body
    assert b"\r\n\r\nwhisper-large-v3\r\n" in received.body
    assert int(received.headers["content-length"]) == len(received.body)


async def test_speech_is_a_recording(world: ModelWorld) -> None:
    world.providers[OPENAI].behaves = says(SOUND, content_type="audio/mpeg")
    spoken = await world.openai.audio.speech.create(model="openai/tts-1", voice="alloy", input="It rains.")
    assert spoken.content == SOUND
    assert only(world, OPENAI).path == "/v1/audio/speech"


async def test_moderations_and_embeddings_have_their_own_models(world: ModelWorld) -> None:
    world.providers[OPENAI].behaves = says({"id": "m", "model": "omni", "results": []})
    await world.openai.moderations.create(model="openai/omni-moderation-latest", input="hi")
    assert only(world, OPENAI).path == "/v1/moderations"
    world.reset()
    world.providers[OPENAI].behaves = says({"id": "m", "model": "omni", "results": []})
    await world.openai.moderations.create(input="hi")  # the default model's provider, with its own default
    assert "model" not in orjson.loads(only(world, OPENAI).body)


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v1/v1/rerank/"])
async def test_documents_are_ranked(world: ModelWorld, path: str) -> None:
    world.providers[COHERE].behaves = says({"results": [{"index": 0, "relevance_score": 1.0}]})
    body = {"model": "cohere/rerank-v3.5", "query": "q", "documents": ["a"]}
    assert (await send(world, "POST", path, json=body)).status_code == 200
    received = only(world, COHERE)
    assert (received.path, orjson.loads(received.body)["model"]) == ("/v2/rerank", "rerank-v3.5")


async def test_files_and_batches_are_the_default_models_providers(world: ModelWorld) -> None:
    provider = world.providers[OPENAI]
    file = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "batch", "status": "x"}
    provider.behaves = says(file)
    await world.openai.files.create(file=("a.jsonl", b'{"a":1}\n' * 1000), purpose="batch")
    await world.openai.files.retrieve("file-1")
    provider.behaves = says({"object": "list", "data": [file], "has_more": False})
    assert [one.id async for one in await world.openai.files.list(limit=2)] == ["file-1"]
    provider.behaves = says(SOUND, content_type="application/octet-stream")
    assert (await world.openai.files.content("file-1")).content == SOUND
    provider.behaves = says({"id": "file-1", "object": "file", "deleted": True})
    await world.openai.files.delete("file-1")
    provider.behaves = says({"id": "b", "object": "batch", "status": "validating"})
    await world.openai.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
    await world.openai.batches.retrieve("b")
    await world.openai.batches.cancel("b")
    assert [(one.method, one.path) for one in provider.received] == [
        ("POST", "/v1/files"),
        ("GET", "/v1/files/file-1"),
        ("GET", "/v1/files?limit=2"),
        ("GET", "/v1/files/file-1/content"),
        ("DELETE", "/v1/files/file-1"),
        ("POST", "/v1/batches"),
        ("GET", "/v1/batches/b"),
        ("POST", "/v1/batches/b/cancel"),
    ]
    assert {one.headers["authorization"] for one in provider.received} == {"Bearer sk-openai"}


@pytest.mark.parametrize(
    ("name", "player", "path", "key"),
    [
        ("groq/*", GROQ, "/openai/v1/files", ("authorization", "Bearer sk-groq")),
        ("azure_openai/gpt", AZURE, "/openai/v1/files", ("api-key", "sk-azure")),
        ("anthropic/claude-opus-4-6", CLAUDE, "/v1/files", ("x-api-key", "sk-claude")),
    ],
)
async def test_a_header_names_the_provider_where_no_body_does(
    world: ModelWorld, name: str, player: str, path: str, key: tuple[str, str]
) -> None:
    world.providers[player].behaves = says({"data": []})
    for method in ("GET", "POST"):
        files = {"file": ("a", b"x")} if method == "POST" else None
        answer = await send(world, method, "/v1/files", headers={"x-plano-model": name}, files=files)
        assert answer.status_code == 200, answer.text
        received = world.providers[player].received.pop()
        assert (received.path, received.headers[key[0]]) == (path, key[1])


async def test_anthropics_batches_are_anthropics(world: ModelWorld) -> None:
    world.providers[CLAUDE].behaves = says({"id": "msgbatch_1", "type": "message_batch"})
    requests = [{"custom_id": "a", "params": {"model": "claude", "max_tokens": 5, "messages": []}}]
    headers = {"x-plano-model": "anthropic/claude"}
    await send(world, "POST", "/v1/messages/batches", json={"requests": requests}, headers=headers)
    received = only(world, CLAUDE)
    assert (received.path, received.headers["anthropic-version"]) == ("/v1/messages/batches", "2023-06-01")
    assert orjson.loads(received.body) == {"requests": requests}


async def test_azure_answers_responses_in_its_v1_api(world: ModelWorld) -> None:
    for name in ("gpt", "new"):
        await world.openai.responses.create(model=f"azure_openai/{name}", input="hi")
        received = world.providers[AZURE].received.pop()
        assert (received.path, received.headers["api-key"]) == ("/openai/v1/responses", "sk-azure")
        assert orjson.loads(received.body)["model"] == name
    chat: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
    await world.openai.chat.completions.create(model="azure_openai/new", **chat)
    assert world.providers[AZURE].received.pop().path == "/openai/v1/chat/completions"
    await world.openai.chat.completions.create(model="azure_openai/gpt", **chat)
    assert world.providers[AZURE].received.pop().path.startswith("/openai/deployments/gpt/chat/completions?api-version=")


async def test_who_does_not_serve_it_is_not_asked(world: ModelWorld) -> None:
    with pytest.raises(openai.BadRequestError, match="does not serve /v1/audio"):
        await world.openai.audio.speech.create(model="cohere/tts", voice="alloy", input="hi")
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await world.openai.images.generate(model="nobody/nothing", prompt="a cat")
    for method, path, status in (("POST", "/v1/images/other", 404), ("PUT", "/v1/files", 405), ("GET", "/v1/rerank", 405)):
        answer = await send(world, method, path, json={"model": "openai/gpt-4o"} if method != "GET" else None)
        assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert not any(provider.received for provider in world.providers.values())


async def test_forms_are_taken_nowhere_else_and_from_no_page(world: ModelWorld) -> None:
    form: dict[str, Any] = {"data": {"model": "openai/gpt-4o"}, "files": {"file": ("a", b"x")}}
    for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/images/generations", "/v1/batches"):
        assert (await send(world, "POST", path, **form)).status_code == 415
    page = await send(world, "POST", "/v1/files", headers={"origin": "https://evil.example"}, **form)
    assert page.status_code == 415
    assert not world.providers[OPENAI].received
    world.providers[OPENAI].behaves = says({"id": "file-1"})
    known = await send(world, "POST", "/v1/files", headers={"origin": "https://app.example"}, **form)
    assert (known.status_code, known.headers["access-control-allow-origin"]) == (200, "https://app.example")


async def test_a_form_that_is_none_is_refused_by_name(world: ModelWorld) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    broken = await send(world, "POST", "/v1/files", content=b"--y", headers=headers)
    assert (broken.status_code, "form" in broken.json()["error"]["message"]) == (400, True)
    twice = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\na\r\n' * 2 + b"--x--"
    assert "twice" in (await send(world, "POST", "/v1/files", content=twice, headers=headers)).text


async def test_a_providers_error_and_a_page_are_told_in_the_clients_shape(world: ModelWorld) -> None:
    async def refuses(_request: Received, _writer: object) -> Answer:
        return Answer(402, b'{"detail":"no credit"}')

    world.providers[OPENAI].behaves = refuses
    with pytest.raises(openai.APIStatusError, match="no credit") as raised:
        await world.openai.images.generate(model="openai/gpt-image-1", prompt="a cat")
    assert raised.value.status_code == 402
    world.providers[OPENAI].behaves = says(b"<html>maintenance</html>", content_type="text/html")
    with pytest.raises(openai.APIStatusError, match="text/html") as raised:
        await world.openai.images.generate(model="openai/gpt-image-1", prompt="a cat")
    assert raised.value.status_code == 502
